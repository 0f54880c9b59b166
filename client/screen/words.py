"""The words and signs for what a mission is at: the same on every screen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mission.report import AttemptView, MissionReport, MissionStatus, Stage, TodoState, TodoView


@dataclass(frozen=True)
class Sign:
    mark: str
    style: str


SIGNS = {
    TodoState.OPEN: Sign("·", "dim"),
    TodoState.WORKING: Sign("●", "cyan"),
    TodoState.MERGING: Sign("◆", "magenta"),
    TodoState.REWORK: Sign("↻", "yellow"),
    TodoState.DONE: Sign("✔", "green"),
    TodoState.FAILED: Sign("✘", "red"),
    TodoState.CANCELLED: Sign("–", "dim"),
}

STATUS_SIGNS = {
    MissionStatus.SEALED: Sign("✔", "green"),
    MissionStatus.FAILED: Sign("✘", "red"),
    MissionStatus.EXHAUSTED: Sign("✘", "yellow"),
    MissionStatus.CANCELLED: Sign("–", "yellow"),
}

RUNNING = Sign("●", "cyan")

SENT_BACK = {
    Stage.RED: "red",
    Stage.REJECTED: "rejected",
    Stage.CONFLICT: "conflict",
    Stage.FAILED: "no result",
}
"""How an attempt ended that was not taken."""


def status_sign(status: MissionStatus | str) -> Sign:
    return next((sign for known, sign in STATUS_SIGNS.items() if known == status), RUNNING)


def doing(todo: TodoView) -> str:
    """One or two words: what happens to it now."""
    if todo.state is TodoState.WORKING and todo.attempts:
        return todo.attempts[-1].stage.value
    return {TodoState.OPEN: "", TodoState.DONE: "done"}.get(todo.state, todo.state.value)


def tries(todo: TodoView) -> str:
    """Worth a word only from the second on."""
    number = todo.attempts[-1].number if todo.attempts else 0
    return f"try {number}" if number > 1 else ""


def why_sent_back(attempt: AttemptView) -> str:
    """What the attempt lacked, in one line; empty if it was taken."""
    if attempt.stage not in SENT_BACK:
        return ""
    red = next((check for check in attempt.checks if not check.green), None)
    if attempt.stage is Stage.RED and red is not None:
        return f"`{red.command}` {red.ended or f'exit code {red.exit_code}'}"
    if attempt.verdict is not None and attempt.verdict.issues:
        return one_line("; ".join(attempt.verdict.issues))
    return one_line(attempt.outcome)


def spent(todo: TodoView, now: datetime) -> str:
    """From its first start to its end, or to now."""
    if not todo.attempts:
        return ""
    last = todo.attempts[-1]
    return clock((last.ended or now) - todo.attempts[0].started)


def clock(span: timedelta) -> str:
    """`0:07`, `12:40`, `3:05:00`."""
    seconds = max(0, round(span.total_seconds()))
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def one_line(text: str) -> str:
    """Text of agents and commands, safe to show: no control characters, no line breaks."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def depth(todo: TodoView) -> int:
    return todo.id.count(".")


def waits_for(todo: TodoView, report: MissionReport) -> tuple[str, ...]:
    """Unfinished TODOs that it names as its dependencies."""
    done = {one.id for one in report.todos if one.state is TodoState.DONE}
    return tuple(needed for needed in todo.depends_on if needed not in done)
