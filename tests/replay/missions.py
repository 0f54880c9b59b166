"""The missions whose histories are kept: each takes a way through the workflows that none of the others takes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from temporalio import activity

from mission.answers import Verdict
from mission.messages import WorkTurn
from mission.options import MissionOptions
from mission.plan import PlanAnswer
from tests.workflows.missions import todo, world
from tests.workflows.stand_ins import World

REJECTED = Verdict(approved=False, issues=("too short",))


@dataclass(frozen=True)
class RecordedMission:
    world: Callable[[], World]
    #: Cancel it as soon as an agent works.
    cancelled: bool = False
    continue_after_events: int = 0
    options: MissionOptions = field(default_factory=MissionOptions)


def sealed() -> World:
    return world(PlanAnswer(level="L2", todos=(todo("T1"), todo("T2"), todo("T3", "T1", "T2"))))


def one_todo() -> World:
    return world(PlanAnswer(level="L1", todos=(todo("T1"),)))


def reworked() -> World:
    told = world((todo("T1"),))
    told.red = lambda order: order.label == "T1-1"
    told.verdict = lambda turn: REJECTED if turn.order.attempt == 2 else Verdict(approved=True)
    return told


def repaired() -> World:
    told = world((todo("T1"),))
    told.plan_problem = lambda turn: "" if turn.key.repair else "the dependencies form a cycle"
    told.work_problem = lambda turn: "" if turn.key.repair else "no JSON object found"
    return told


def resolved() -> World:
    told = world((todo("T1"),))
    told.conflict = lambda order: order.attempt == 1
    return told


def red_when_merged() -> World:
    told = world((todo("T1"),))
    told.red_when_merged = lambda order: order.attempt == 1
    return told


def replanned() -> World:
    told = world((todo("T1"),), (todo("T2"),))
    told.red = lambda order: order.label == "seal-1"
    return told


def failed() -> World:
    told = world((todo("T1"),), ())
    told.work_failure = lambda turn: "the context is too long"
    return told


def cancelled() -> World:
    told = world((todo("T1"), todo("T2", "T1")))
    told.during_work = lambda turn: _until_cancelled()
    return told


def continued() -> World:
    return world(tuple(todo(f"T{number}", *([f"T{number - 1}"] if number > 1 else [])) for number in range(1, 4)))


def slow() -> World:
    """Agents take so long that the mission opens a fourth lane: the only timer of its own."""
    told = world(tuple(todo(f"T{number}") for number in range(1, 5)))
    told.during_work = _together(asyncio.Barrier(4))
    return told


MISSIONS = {
    "sealed": RecordedMission(sealed),
    "one-todo": RecordedMission(one_todo),
    "reworked": RecordedMission(reworked),
    "repaired": RecordedMission(repaired),
    "resolved": RecordedMission(resolved),
    "red-when-merged": RecordedMission(red_when_merged),
    "replanned": RecordedMission(replanned),
    "failed": RecordedMission(failed),
    "cancelled": RecordedMission(cancelled, cancelled=True),
    "continued": RecordedMission(continued, continue_after_events=35),
    "slow": RecordedMission(slow, options=MissionOptions(review="none")),
}


def _together(barrier: asyncio.Barrier) -> Callable[[WorkTurn], object]:
    return lambda turn: asyncio.wait_for(barrier.wait(), 20)


async def _until_cancelled() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)
