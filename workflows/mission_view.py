"""What the Temporal UI shows of a mission: search attributes for the list, current details for its page."""

import re
from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from mission.report import MissionReport, TodoState, TodoView
    from runtime.temporal import MISSION_PROGRESS, MISSION_STATUS

MOST_ROWS = 40

SIGNS = {
    TodoState.OPEN: "⬜",
    TodoState.WORKING: "🔵",
    TodoState.MERGING: "🟣",
    TodoState.REWORK: "🟠",
    TodoState.DONE: "✅",
    TodoState.FAILED: "❌",
    TodoState.CANCELLED: "⛔",
}


@dataclass
class Shown:
    """Search attributes already set: each upsert is an event, so only changes are sent."""

    values: dict[str, object] = field(default_factory=dict)

    def upsert(self, report: MissionReport) -> None:
        """Status at once; progress in quarters, since a list needs no more and each change is an event."""
        wanted: list[tuple[SearchAttributeKey, str | int]] = [  # type: ignore[type-arg]
            (MISSION_STATUS, report.status.value),
            (MISSION_PROGRESS, report.progress // 25 * 25),
        ]
        updates: list[SearchAttributeUpdate] = [  # type: ignore[type-arg]
            key.value_set(value) for key, value in wanted if self.values.get(key.name) != value
        ]
        self.values.update({key.name: value for key, value in wanted})
        if updates:
            workflow.upsert_search_attributes(updates)


def details(report: MissionReport) -> str:
    """Markdown for the tab User Metadata: the objective first, since continue-as-new drops the static summary."""
    filled = report.progress // 5
    lines = [
        f"### {plain(report.objective[:200])}",
        "",
        f"{'█' * filled}{'░' * (20 - filled)} **{report.progress} %**",
        f"{report.done} of {len(report.work)} TODOs · round {report.round} · {report.status.value}"
        + (f" · {plain(report.reason)}" if report.reason else ""),
        "",
        "| TODO | | Tries |",
        "|:--|:--|--:|",
        *(_row(todo) for todo in _most_telling(report.work)),
        "",
        "**Last events**",
        "",
        *(f"- {plain(event)}" for event in reversed(report.events[-5:])),
        "",
        f"`mission show {report.mission_id}`",
    ]
    return "\n".join(lines)


def _row(todo: TodoView) -> str:
    tries = todo.attempts[-1].number if todo.attempts else "–"
    return f"| {SIGNS[todo.state]}\u00a0{todo.id}\u2003 | {plain(todo.title[:60])} | \u2003{tries} |"


def _most_telling(todos: tuple[TodoView, ...]) -> tuple[TodoView, ...]:
    """A long plan shows what moves or went wrong before what waits or is done."""
    quiet = (TodoState.DONE, TodoState.OPEN)
    return tuple(sorted(todos, key=lambda todo: todo.state in quiet))[:MOST_ROWS] if len(todos) > MOST_ROWS else todos


def plain(text: str) -> str:
    """Untrusted text as one line of Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", " ".join(text.split()))
