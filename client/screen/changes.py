"""One line a change: the mission for logs, pipes and screen readers."""

from collections.abc import Iterator

from client.screen.words import one_line, why_sent_back
from mission.report import AttemptView, MissionReport, Stage, TodoState, TodoView


def changes(before: MissionReport | None, after: MissionReport) -> Iterator[str]:
    """What happened between two looks, in reading order. What came and went between them is told as well."""
    known = {todo.id: todo for todo in before.todos} if before else {}
    old_notes = before.notes if before else ()
    if before is None:
        yield f"{after.mission_id} on branch {after.branch}" if after.branch else after.mission_id
    yield from (f"note: {one_line(note)}" for note in after.notes if note not in old_notes)
    went_on = before is None or (before.status, before.round) != (after.status, after.round)
    if went_on and not after.status.ended:
        yield _status(after)
    if new := [todo for todo in after.work if todo.id not in known]:
        yield f"planned {len(new)} TODO{'s' if len(new) > 1 else ''}"
        yield from (f"  {todo.id} {one_line(todo.title)}" for todo in new)
    for todo in after.work:
        yield from _of_todo(known.get(todo.id), todo)
    if after.status.ended and (before is None or not before.status.ended):
        yield f"{after.status.value}: {one_line(after.reason)}"


def _status(report: MissionReport) -> str:
    return f"{report.status.value}, round {report.round}" if report.round > 1 else report.status.value


def _of_todo(before: TodoView | None, after: TodoView) -> Iterator[str]:
    known = {attempt.number: attempt for attempt in before.attempts} if before else {}
    for attempt in after.attempts:
        yield from _of_attempt(after, known.get(attempt.number), attempt)
    if (before.state if before else TodoState.OPEN) is after.state:
        return
    if after.state is TodoState.DONE:
        yield f"{after.id} done, merged {after.merged[:8]}" if after.merged else f"{after.id} done"
    elif after.state in (TodoState.MERGING, TodoState.FAILED, TodoState.CANCELLED):
        yield f"{after.id} {after.state.value}"


def _of_attempt(todo: TodoView, before: AttemptView | None, after: AttemptView) -> Iterator[str]:
    again = f" (try {after.number})" if after.number > 1 else ""
    if before is None:
        yield f"{todo.id} working{again}: {one_line(todo.title)}"
    if after.stage is (before.stage if before else Stage.WORKING):
        return
    if why := why_sent_back(after):
        yield f"{todo.id} {after.stage.value}{again}: {why}"
    elif after.stage in (Stage.CHECKING, Stage.REVIEWING):
        yield f"{todo.id} {after.stage.value}{again}"
    elif after.stage is Stage.APPROVED and after.verdict is not None:
        yield f"{todo.id} approved{again}"
