"""The Commander's rules: what a mission does next, and what follows from an attempt. Values in, decision out."""

from dataclasses import dataclass

from mission.messages import MergeResult, WorkResult
from mission.options import MissionOptions
from mission.report import Evidence, MissionStatus, Stage
from mission.state import MissionState, TodoProgress

MOST_CONFLICTS = 3
"""Conflicts of one TODO with the mission's branch that agents may resolve before the planner must step in."""

FIRST_LANES = 3
"""A directory OpenCode has not worked in costs over a second of CPU, so a mission starts with few of them."""

TAIL_FOR_AGENTS = 1_500
"""Characters of a red check's output that an agent is shown."""


# What the mission does next


@dataclass(frozen=True)
class MakePlan:
    """Ask the planner: the first plan, or a way on."""

    because: tuple[str, ...]


@dataclass(frozen=True)
class DoWork:
    """Something is ready."""


@dataclass(frozen=True)
class Seal:
    """Everything is done: prove it."""


@dataclass(frozen=True)
class End:
    """The mission is over."""

    status: MissionStatus
    reason: str


Move = MakePlan | DoWork | Seal | End


def next_move(state: MissionState, options: MissionOptions) -> Move:
    """What to do when nothing is running."""
    if state.status.ended:
        return End(state.status, state.reason)
    if state.replan_because is not None:
        if state.round >= options.max_rounds:
            return End(
                MissionStatus.EXHAUSTED,
                f"all {options.max_rounds} rounds are used up: {_first(state.replan_because)}",
            )
        return MakePlan(state.replan_because)
    if state.ready(()):
        return DoWork()
    if state.all_done:
        return Seal()
    if state.round >= options.max_rounds:
        return End(MissionStatus.EXHAUSTED, f"all {options.max_rounds} rounds are used up and work is left")
    return MakePlan(why_stuck(state))


def why_stuck(state: MissionState) -> tuple[str, ...]:
    """What the planner is told when TODOs are left and none can start."""
    return tuple(
        f"{todo_id} was given up after {known.number} attempts: {'; '.join(known.feedback) or 'no reason kept'}"
        for todo_id, known in state.progress.items()
        if known.attempts and not state.is_done(todo_id)
    )


def _first(because: tuple[str, ...]) -> str:
    return because[0] if because else "no plan was made"


def first_lanes(warm_slots: int, parallel: int) -> int:
    return min(parallel, max(FIRST_LANES, warm_slots))


def more_lanes(lanes: int, parallel: int) -> int:
    """Called when every lane was busy for a while: agents are the slow part, so cold directories pay off."""
    return min(parallel, lanes * 2)


# What follows from an attempt


@dataclass(frozen=True)
class Merge:
    """The work is good: bring it to the mission's branch."""


@dataclass(frozen=True)
class Rework:
    """Try again with what was found."""

    feedback: tuple[str, ...]
    new_session: bool = False


@dataclass(frozen=True)
class Resolve:
    """Let the agent that did the work settle its conflict with the mission's branch."""

    feedback: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """Merged: the TODO is done."""


@dataclass(frozen=True)
class GiveUp:
    """Another attempt of the same kind would not help."""

    feedback: tuple[str, ...]


def after_attempt(result: WorkResult, progress: TodoProgress, options: MissionOptions) -> Merge | Rework | GiveUp:
    """`progress.misses` already counts this attempt if it missed."""
    if result.stage is Stage.APPROVED:
        return Merge()
    if progress.misses >= options.max_attempts:
        return GiveUp(result.feedback)
    return Rework(result.feedback, new_session=result.stage is Stage.FAILED)


def after_merge(
    result: MergeResult, progress: TodoProgress, options: MissionOptions
) -> Finished | Resolve | Rework | GiveUp:
    """`progress.misses` and `progress.conflicts` already count this merge if it failed."""
    if result.commit:
        return Finished()
    if result.conflicts:
        conflict = (f"these files conflict with what others merged: {', '.join(result.conflicts)}",)
        return GiveUp(conflict) if progress.conflicts > MOST_CONFLICTS else Resolve(conflict)
    feedback = ("its checks fail once it is merged with the work of others", *red(result.checks))
    return GiveUp(feedback) if progress.misses >= options.max_attempts else Rework(feedback)


def red(checks: tuple[Evidence, ...]) -> tuple[str, ...]:
    """Each failed check as an agent needs it: command, how it ended, its last lines."""
    return tuple(
        f"`{check.command}` {check.ended or f'ended with exit code {check.exit_code}'}:\n"
        f"{check.tail[-TAIL_FOR_AGENTS:]}"
        for check in checks
        if not check.green
    )


def proves_nothing(changed: bool, checks: tuple[str, ...], reviewed: bool) -> bool:
    """Work that changed no file, is checked by nothing and seen by nobody is not done because someone says so."""
    return not changed and not checks and not reviewed


def needs_final_review(state: MissionState, options: MissionOptions) -> bool:
    """A single TODO that was reviewed is the whole: one review is enough."""
    if options.review == "none":
        return False
    single = state.plan is not None and len(state.plan.work) == 1 and state.round == 1
    return not (single and options.review == "every")
