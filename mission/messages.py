"""Inputs and results of workflows and activities: one object in, one out; new fields get a default."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mission.answers import Verdict, WorkReport
from mission.options import MissionOptions
from mission.plan import Plan, PlanAnswer, Todo
from mission.report import Evidence, MissionReport, Stage, Usage
from mission.state import MissionState

Step = Literal["plan", "replan", "work", "rework", "resolve", "repair", "review", "final"]
"""What a turn is for; part of the line that heads every prompt."""


@dataclass(frozen=True)
class MissionInput:
    """Starts a mission; `state` is filled by continue-as-new only."""

    mission_id: str
    objective: str
    #: Absolute path of the project on the host that serves `host_queue`.
    directory: str
    #: Task queue of the host on which the project lies: everything that touches files runs there.
    host_queue: str
    options: MissionOptions = field(default_factory=MissionOptions)
    #: Continue as new after so many events; 0 leaves the moment to Temporal. A test lowers it.
    continue_after_events: int = 0
    state: MissionState | None = None


@dataclass(frozen=True)
class MissionFacts:
    """What every order of one mission carries."""

    mission_id: str
    objective: str
    directory: str
    host_queue: str
    options: MissionOptions


@dataclass(frozen=True)
class Preparation:
    """What was found when the mission began."""

    #: The top of the project: the repository's, or the folder itself.
    directory: str
    base_commit: str
    started_from: str
    checks: tuple[str, ...]
    notes: tuple[str, ...]
    #: Slots whose directory OpenCode has already worked in: they cost nothing to use.
    warm_slots: int = 0


@dataclass(frozen=True)
class PlanOrder:
    """Input of a planner workflow."""

    mission: MissionFacts
    round: int
    #: The commit the planner looks at.
    commit: str
    #: The plan so far; None in the first round.
    plan: Plan | None = None
    #: Ids of the TODOs of that plan that are finished and must stay as they are.
    done: tuple[str, ...] = ()
    #: Why planning is needed again: failures with their evidence, a red seal, the final reviewer's issues.
    feedback: tuple[str, ...] = ()
    #: Commands the mission is sealed with, as far as known.
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanResult:
    """`plan` is None when the planner gave no valid answer; `problem` then says why."""

    plan: PlanAnswer | None
    problem: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True)
class WorkOrder:
    """Input of a worker workflow: one attempt at one TODO."""

    mission: MissionFacts
    todo: Todo
    attempt: int
    step: Literal["work", "rework", "resolve"]
    #: The commit the attempt starts from: the mission's head, or what the attempt before left.
    commit: str
    #: The mission's head at the first attempt: the reviewer sees what changed since.
    base: str
    #: The commit to merge with; only for `resolve`.
    onto: str = ""
    #: Why the attempt before was sent back.
    feedback: tuple[str, ...] = ()
    #: Decisions and findings of finished TODOs that this one builds on.
    context: tuple[str, ...] = ()
    #: A new one gives the TODO a new session, with a brief instead of the conversation so far.
    generation: int = 1
    review: bool = True


@dataclass(frozen=True)
class WorkResult:
    """What came of an attempt."""

    stage: Stage
    commit: str
    outcome: str
    session: str = ""
    feedback: tuple[str, ...] = ()
    checks: tuple[Evidence, ...] = ()
    verdict: Verdict | None = None
    decisions: tuple[str, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True)
class ReviewOrder:
    """Input of a reviewer workflow: one TODO's attempt, or the whole mission (`todo` is None)."""

    mission: MissionFacts
    attempt: int
    commit: str
    base: str
    todo: Todo | None = None
    checks: tuple[Evidence, ...] = ()
    report: str = ""
    plan: Plan | None = None


@dataclass(frozen=True)
class ReviewResult:
    """`verdict` is None when the reviewer gave no valid answer; `problem` then says why."""

    verdict: Verdict | None
    problem: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True)
class TurnKey:
    """Which turn of a workflow this is. With the order it makes the ids of session, message and part."""

    #: 0 for the first turn, 1 and 2 for the repairs of its answer.
    repair: int
    #: The workflow's time when the turn was ordered: the same on every retry.
    moment: datetime
    #: What was wrong with the answer before; quoted to the agent.
    problem: str = ""


@dataclass(frozen=True)
class PlanTurn:
    order: PlanOrder
    key: TurnKey


@dataclass(frozen=True)
class WorkTurn:
    order: WorkOrder
    key: TurnKey


@dataclass(frozen=True)
class WorkTurnResult:
    """The turn's answer and the commit that holds what it left in the slot."""

    commit: str
    session: str
    report: WorkReport | None = None
    #: The answer was not valid: worth a repair.
    problem: str = ""
    #: The agent gave no usable answer and a repair would not help.
    failure: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True)
class ReviewTurn:
    order: ReviewOrder
    key: TurnKey


@dataclass(frozen=True)
class CheckOrder:
    """Run commands on a commit in the slot that `holder` leases."""

    mission: MissionFacts
    holder: str
    commit: str
    commands: tuple[str, ...]
    #: Names the log files: `T3-2`, `seal-1`.
    label: str


@dataclass(frozen=True)
class CheckResult:
    evidence: tuple[Evidence, ...]

    @property
    def green(self) -> bool:
        return all(one.green for one in self.evidence)


@dataclass(frozen=True)
class MergeOrder:
    mission: MissionFacts
    todo: Todo
    attempt: int
    commit: str
    #: The mission's head that the workflow knows.
    onto: str
    #: The workflow's time: a repeated merge makes the very same commit.
    moment: datetime


@dataclass(frozen=True)
class MergeResult:
    #: The new head of the mission's branch; empty when it did not move.
    commit: str = ""
    conflicts: tuple[str, ...] = ()
    checks: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class CloseOrder:
    mission: MissionFacts
    report: MissionReport


@dataclass(frozen=True)
class Done:
    """The result of an activity that has nothing to tell."""
