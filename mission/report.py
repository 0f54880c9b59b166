"""What a mission shows of itself: one object for the CLI, the Temporal UI, files and scripts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import TypeAdapter

from mission.answers import Verdict


class MissionStatus(StrEnum):
    PREPARING = "preparing"  #: looking at the repository, the models and the checks
    PLANNING = "planning"
    RUNNING = "running"
    SEALING = "sealing"  #: all TODOs done; checks on the whole and the final review
    SEALED = "sealed"  #: complete, with evidence
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXHAUSTED = "exhausted"  #: the rounds are used up

    @property
    def ended(self) -> bool:
        return self in (self.SEALED, self.FAILED, self.CANCELLED, self.EXHAUSTED)


class TodoState(StrEnum):
    OPEN = "open"
    WORKING = "working"  #: an agent works, its checks run, or it waits for review
    MERGING = "merging"
    REWORK = "rework"  #: sent back; the next attempt is about to start
    DONE = "done"  #: checked, reviewed and merged
    FAILED = "failed"  #: every attempt is used up; the planner decides what follows
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """Where an attempt stands."""

    WORKING = "working"
    CHECKING = "checking"
    REVIEWING = "reviewing"
    MERGING = "merging"
    APPROVED = "approved"  #: ended well, on its way to the merge queue or merged
    RED = "red"  #: a check failed
    REJECTED = "rejected"  #: the reviewer said no
    CONFLICT = "conflict"  #: did not merge
    FAILED = "failed"  #: the agent gave no usable result


@dataclass(frozen=True)
class Evidence:
    """One command that we ran ourselves, and what came of it."""

    command: str
    exit_code: int
    seconds: float
    commit: str
    #: Of the whole log, not only of the tail.
    log_sha256: str
    #: Path of the log, relative to the mission's folder.
    log: str
    #: The last lines, bounded.
    tail: str
    #: Why the command was ended by us ("time limit of 600 s", "printed more than 20 MB"); else empty.
    ended: str = ""

    @property
    def green(self) -> bool:
        return self.exit_code == 0 and not self.ended


@dataclass(frozen=True)
class Usage:
    """What turns took: model tokens and, where OpenCode knows prices, US dollars."""

    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.turns + other.turns,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True)
class AttemptView:
    number: int
    stage: Stage
    started: datetime
    ended: datetime | None = None
    session: str = ""
    #: One line: what came of it, or why it was sent back.
    outcome: str = ""
    checks: tuple[Evidence, ...] = ()
    verdict: Verdict | None = None
    commit: str = ""


@dataclass(frozen=True)
class TodoView:
    id: str
    title: str
    state: TodoState
    #: A heading groups its children and is not worked on itself.
    heading: bool = False
    depends_on: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    #: The commit on the mission's branch that brought it in.
    merged: str = ""


@dataclass(frozen=True)
class MissionReport:
    mission_id: str
    objective: str
    directory: str
    status: MissionStatus
    started: datetime
    #: Why it ended as it did, or what it does now; one line.
    reason: str = ""
    ended: datetime | None = None
    level: str = ""
    round: int = 0
    max_rounds: int = 20
    branch: str = ""
    #: The branch the mission started from; empty when HEAD was detached or there was none.
    started_from: str = ""
    base_commit: str = ""
    head_commit: str = ""
    todos: tuple[TodoView, ...] = ()
    #: The mission's checks on the merged commit.
    seal: tuple[Evidence, ...] = ()
    final_verdict: Verdict | None = None
    usage: Usage = Usage()
    #: What a person should know: where the checks came from, that a dirty checkout was left out, …
    notes: tuple[str, ...] = ()
    #: Newest last; bounded.
    events: tuple[str, ...] = ()

    @property
    def work(self) -> tuple[TodoView, ...]:
        return tuple(todo for todo in self.todos if not todo.heading)

    @property
    def done(self) -> int:
        return sum(todo.state is TodoState.DONE for todo in self.work)

    @property
    def progress(self) -> int:
        """Per cent of the TODOs that are verified and merged."""
        return round(100 * self.done / len(self.work)) if self.work else 0

    def elapsed(self, now: datetime) -> timedelta:
        return (self.ended or now) - self.started


_REPORTS = TypeAdapter(MissionReport)


def report_to_json(report: MissionReport) -> str:
    return _REPORTS.dump_json(report, indent=1).decode()


def report_from_json(text: str | bytes) -> MissionReport:
    """Raises `ValueError` when the text is not a report."""
    return _REPORTS.validate_json(text)
