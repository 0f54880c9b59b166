"""Activities replaced by name, so that workflow tests decide what agents, checks and merges come back with."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.exceptions import ApplicationError

from mission.answers import Verdict, WorkReport
from mission.messages import (
    CheckOrder,
    CheckResult,
    CloseOrder,
    Done,
    MergeOrder,
    MergeResult,
    MissionFacts,
    PlanResult,
    PlanTurn,
    Preparation,
    ReviewResult,
    ReviewTurn,
    WorkTurn,
    WorkTurnResult,
)
from mission.plan import PlanAnswer
from mission.report import Evidence, MissionReport, Usage

ONE_TURN = Usage(turns=1, input_tokens=10, output_tokens=1)


def commit(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass
class World:
    """By default everything goes well; a test changes what it is about. `calls` tells what was asked, in order."""

    plans: list[PlanAnswer]
    calls: list[str] = field(default_factory=list)
    #: (role, todo, attempt or round, repair) of every turn taken.
    turns: Counter[tuple[str, str, int, int]] = field(default_factory=Counter)
    closed: list[MissionReport] = field(default_factory=list)
    plan_problem: Callable[[PlanTurn], str] = lambda turn: ""
    work_problem: Callable[[WorkTurn], str] = lambda turn: ""
    work_failure: Callable[[WorkTurn], str] = lambda turn: ""
    red: Callable[[CheckOrder], bool] = lambda order: False
    verdict: Callable[[ReviewTurn], Verdict] = lambda turn: Verdict(approved=True)
    conflict: Callable[[MergeOrder], bool] = lambda order: False
    red_when_merged: Callable[[MergeOrder], bool] = lambda order: False
    during_plan: Callable[[PlanTurn], object] = lambda turn: None
    during_work: Callable[[WorkTurn], object] = lambda turn: None
    refused: str = ""

    @activity.defn(name="prepare_mission")
    async def prepare_mission(self, mission: MissionFacts) -> Preparation:
        if self.refused:
            raise ApplicationError(self.refused, type="workspace", non_retryable=True)
        return Preparation(mission.directory, commit("base"), "main", ("the-projects-tests",), ("a note",))

    @activity.defn(name="plan_turn")
    async def plan_turn(self, turn: PlanTurn) -> PlanResult:
        self.turns["planner", "plan", turn.order.round, turn.key.repair] += 1
        waited = self.during_plan(turn)
        if waited is not None:
            await waited  # type: ignore[misc]
        if problem := self.plan_problem(turn):
            return PlanResult(None, problem, ONE_TURN)
        return PlanResult(self.plans[turn.order.round - 1], usage=ONE_TURN)

    @activity.defn(name="work_turn")
    async def work_turn(self, turn: WorkTurn) -> WorkTurnResult:
        order = turn.order
        self.calls.append(f"{order.todo.id} {order.step} {order.attempt}")
        self.turns["worker", order.todo.id, order.attempt, turn.key.repair] += 1
        waited = self.during_work(turn)
        if waited is not None:
            await waited  # type: ignore[misc]
        made, session = commit(order.todo.id, order.attempt), f"ses_{order.todo.id}_{order.generation}"
        if failure := self.work_failure(turn):
            return WorkTurnResult(order.commit, session, failure=failure, usage=ONE_TURN)
        if problem := self.work_problem(turn):
            return WorkTurnResult(made, session, problem=problem, usage=ONE_TURN)
        return WorkTurnResult(made, session, WorkReport(summary=f"did {order.todo.id}"), usage=ONE_TURN)

    @activity.defn(name="run_checks")
    async def run_checks(self, order: CheckOrder) -> CheckResult:
        return self._checked(order)

    @activity.defn(name="check_the_whole")
    async def check_the_whole(self, order: CheckOrder) -> CheckResult:
        self.calls.append("seal")
        return self._checked(order)

    def _checked(self, order: CheckOrder) -> CheckResult:
        return CheckResult(_evidence(order.commands, order.commit, int(self.red(order))))

    @activity.defn(name="review_turn")
    async def review_turn(self, turn: ReviewTurn) -> ReviewResult:
        part = turn.order.todo.id if turn.order.todo else "final"
        self.calls.append(f"{part} review {turn.order.attempt}")
        self.turns["reviewer", part, turn.order.attempt, turn.key.repair] += 1
        return ReviewResult(self.verdict(turn), usage=ONE_TURN)

    @activity.defn(name="merge")
    async def merge(self, order: MergeOrder) -> MergeResult:
        self.calls.append(f"{order.todo.id} merge")
        if self.conflict(order):
            return MergeResult(conflicts=("shared.txt",))
        if self.red_when_merged(order):
            return MergeResult(checks=_evidence(order.todo.checks, order.commit, 1))
        return MergeResult(commit=commit(order.onto, order.commit))

    @activity.defn(name="close_mission")
    async def close_mission(self, order: CloseOrder) -> Done:
        self.closed.append(order.report)
        return Done()

    @property
    def activities(self) -> list[Callable[..., object]]:
        return [
            self.prepare_mission,
            self.plan_turn,
            self.work_turn,
            self.run_checks,
            self.check_the_whole,
            self.review_turn,
            self.merge,
            self.close_mission,
        ]


def _evidence(commands: tuple[str, ...], on: str, exit_code: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(command, exit_code, 0.1, on, "sha", "log", "last lines") for command in commands)
