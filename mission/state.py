"""Everything a mission must remember, and what each event changes in it. Carried whole by continue-as-new."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mission.answers import Verdict
from mission.plan import Plan, PlanAnswer, Todo
from mission.report import (
    AttemptView,
    Evidence,
    MissionReport,
    MissionStatus,
    Stage,
    TodoState,
    TodoView,
    Usage,
)

KEPT_EVENTS = 100
KEPT_ATTEMPTS = 12
"""Per TODO; older attempts stay in the history and in the evidence folder."""


@dataclass
class TodoProgress:
    """What is known of one TODO beyond the plan."""

    state: TodoState = TodoState.OPEN
    attempts: list[AttemptView] = field(default_factory=list)
    #: The mission's head when its first attempt began.
    base: str = ""
    #: What the last attempt left, on the TODO's own branch.
    commit: str = ""
    merged: str = ""
    #: Why the last attempt was sent back; empty on a fresh start.
    feedback: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    #: Attempts since the planner last touched this TODO that ended red, rejected or failed.
    misses: int = 0
    conflicts: int = 0
    #: Grows when an attempt failed so that the next one needs a new session.
    generation: int = 1

    @property
    def number(self) -> int:
        """Of the latest attempt; 0 before the first."""
        return self.attempts[-1].number if self.attempts else 0


@dataclass
class MissionState:
    """One object, one writer: the mission workflow."""

    status: MissionStatus = MissionStatus.PREPARING
    reason: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    round: int = 0
    plan: Plan | None = None
    progress: dict[str, TodoProgress] = field(default_factory=dict)
    directory: str = ""
    started_from: str = ""
    base_commit: str = ""
    head_commit: str = ""
    #: Commands of the seal: the user's, or the project's own; the plan's are added to them.
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    #: Why the planner is needed (again); None while the plan stands.
    replan_because: tuple[str, ...] | None = ()
    seal: tuple[Evidence, ...] = ()
    final_verdict: Verdict | None = None
    usage: Usage = Usage()
    events: list[str] = field(default_factory=list)
    #: How many TODOs may be worked on at once now; grows to the limit while agents are the slow part.
    lanes: int = 1

    # what happened

    def note(self, moment: datetime, text: str) -> None:
        self.events = [*self.events, f"{moment:%H:%M:%S} {text}"][-KEPT_EVENTS:]

    def adopt(self, plan: PlanAnswer) -> tuple[str, ...]:
        """Take over a plan or its revision; ids of the TODOs that are new or changed. Finished ones stay."""
        if self.plan is None:
            self.plan = plan.as_plan()
            changed = tuple(todo.id for todo in self.plan.work)
        else:
            kept = {todo.id: todo for todo in self.plan.todos}
            news = [todo for todo in plan.todos if not self.is_done(todo.id) and kept.get(todo.id) != todo]
            self.plan = self.plan.revised(plan.model_copy(update={"todos": tuple(news)}))
            changed = tuple(todo.id for todo in news)
        for todo in self.plan.work:
            self._reopen(todo.id, changed)
        self.replan_because = None
        return changed

    def _reopen(self, todo_id: str, changed: tuple[str, ...]) -> None:
        known = self.progress.setdefault(todo_id, TodoProgress())
        if todo_id in changed and known.attempts:
            # A changed TODO starts anew from the mission's head; its attempts go on being counted.
            self.progress[todo_id] = TodoProgress(attempts=known.attempts, generation=known.generation + 1)

    def begin_attempt(self, todo: Todo, moment: datetime) -> int:
        progress = self.progress[todo.id]
        progress.state = TodoState.WORKING
        if not progress.commit:
            progress.base = progress.commit = self.head_commit
        number = progress.number + 1
        attempt = AttemptView(number=number, stage=Stage.WORKING, started=moment)
        progress.attempts = [*progress.attempts, attempt][-KEPT_ATTEMPTS:]
        return number

    def end_attempt(self, todo_id: str, **what: object) -> None:
        """Fill in the latest attempt: the fields of `AttemptView`."""
        progress = self.progress[todo_id]
        progress.attempts = [*progress.attempts[:-1], replace(progress.attempts[-1], **what)]  # type: ignore[arg-type]

    # what is the case

    def is_done(self, todo_id: str) -> bool:
        known = self.progress.get(todo_id)
        return known is not None and known.state is TodoState.DONE

    @property
    def done(self) -> frozenset[str]:
        return frozenset(todo_id for todo_id, known in self.progress.items() if known.state is TodoState.DONE)

    @property
    def all_done(self) -> bool:
        return self.plan is not None and all(self.is_done(todo.id) for todo in self.plan.work)

    def ready(self, running: Iterable[str]) -> tuple[Todo, ...]:
        """TODOs that may start now, in the plan's order."""
        if self.plan is None:
            return ()
        tried = {todo_id for todo_id, known in self.progress.items() if known.state is not TodoState.OPEN}
        given_up = {todo_id for todo_id in tried if self.progress[todo_id].state is TodoState.FAILED}
        free = self.plan.ready(self.done, (tried - given_up) | set(running))
        return tuple(todo for todo in free if todo.id not in given_up)

    def seal_commands(self) -> tuple[str, ...]:
        """Every TODO's checks again, then the mission's: each command once."""
        if self.plan is None:
            return self.checks
        of_todos = (command for todo in self.plan.todos for command in todo.checks)
        return tuple(dict.fromkeys((*of_todos, *self.plan.checks, *self.checks)))

    def context_for(self, todo: Todo) -> tuple[str, ...]:
        """What the TODOs it builds on decided and found."""
        if self.plan is None:
            return ()
        return tuple(
            f"{needed}: {decision}"
            for needed in sorted(self.plan.needs(todo))
            for decision in self.progress[needed].decisions
        )

    def report(self, mission_id: str, objective: str, branch: str, max_rounds: int) -> MissionReport:
        """The mission as others see it."""
        plan = self.plan or Plan()
        headings = {todo.id for todo in plan.todos} - {todo.id for todo in plan.work}
        return MissionReport(
            mission_id=mission_id,
            objective=objective,
            directory=self.directory,
            status=self.status,
            started=self.started or datetime.min,
            reason=self.reason,
            ended=self.ended,
            level=plan.level if self.plan else "",
            round=self.round,
            max_rounds=max_rounds,
            branch=branch,
            started_from=self.started_from,
            base_commit=self.base_commit,
            head_commit=self.head_commit,
            todos=tuple(self._view(todo, plan, todo.id in headings) for todo in plan.todos),
            seal=self.seal,
            final_verdict=self.final_verdict,
            usage=self.usage,
            notes=self.notes,
            events=tuple(self.events),
        )

    def _view(self, todo: Todo, plan: Plan, heading: bool) -> TodoView:
        if heading:
            below = [self.progress[one.id].state for one in plan.work if one.id.startswith(todo.id + ".")]
            return TodoView(todo.id, todo.title, _heading_state(below), heading=True, depends_on=todo.depends_on)
        known = self.progress.get(todo.id, TodoProgress())
        return TodoView(
            id=todo.id,
            title=todo.title,
            state=known.state,
            depends_on=todo.depends_on,
            checks=todo.checks,
            attempts=tuple(known.attempts),
            merged=known.merged,
        )


def _heading_state(below: list[TodoState]) -> TodoState:
    """A heading is what its least finished child is."""
    if all(state is TodoState.DONE for state in below):
        return TodoState.DONE
    for state in (
        TodoState.WORKING,
        TodoState.MERGING,
        TodoState.REWORK,
        TodoState.FAILED,
        TodoState.CANCELLED,
    ):
        if state in below:
            return state
    return TodoState.OPEN
