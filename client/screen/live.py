"""The live view: a tree of TODOs that fits the terminal, with what moves in sight."""

from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from client.screen.words import SIGNS, clock, depth, doing, one_line, spent, status_sign, tries, waits_for
from mission.report import MissionReport, TodoState, TodoView

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
BAR_WIDTH = 30
MOST_NOTES = 2

QUIET = (TodoState.DONE, TodoState.OPEN, TodoState.CANCELLED)
"""What gives way first when the terminal is too small for all."""


@dataclass(frozen=True)
class Space:
    """The part of the terminal that is ours."""

    width: int
    height: int


def live_view(report: MissionReport, now: datetime, space: Space, link: str = "", trouble: str = "") -> RenderableType:
    """Fits into `space`. `trouble`: what is wrong with the connection."""
    head = [_title(report, now), Text()]
    foot = [Text(), _progress(report, now), *_where(report, link, trouble)]
    folded = (len(link) + 2) // space.width  # further lines of a link that does not fit one
    room = max(3, space.height - len(head) - len(foot) - folded)
    body: list[RenderableType] = [_tree(report, now, room)] if report.todos else [_before_the_plan(report, now)]
    return Group(*head, *body, *foot)


def _title(report: MissionReport, now: datetime) -> Text:
    sign = status_sign(report.status)
    mark = sign.mark if report.status.ended else _spin(now)
    return _fitted(Text.assemble((f"{mark} ", sign.style), (one_line(report.objective), "bold")))


def _before_the_plan(report: MissionReport, now: datetime) -> Text:
    return _fitted(Text(f"  {report.reason or report.status.value} … {clock(report.elapsed(now))}", style="dim"))


def _tree(report: MissionReport, now: datetime, room: int) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right", min_width=5)
    shown = fitting(report.todos, room)
    for todo in shown:
        table.add_row(*_row(todo, report, now))
    if hidden := len(report.todos) - len(shown):
        table.add_row("", Text(f"… and {hidden} more", style="dim"), "", "")
    return table


def _row(todo: TodoView, report: MissionReport, now: datetime) -> tuple[Text, Text, Text, Text]:
    sign = SIGNS[todo.state]
    moves = todo.state in (TodoState.WORKING, TodoState.MERGING) and not todo.heading
    mark = _spin(now) if moves else sign.mark
    name = Text.assemble("  " * depth(todo), (mark, sign.style), " ", (todo.id, "dim"))
    quiet = todo.state in (TodoState.OPEN, TodoState.CANCELLED)
    title = Text(one_line(todo.title), style="dim" if quiet else "bold" if todo.heading else "")
    return name, title, _state(todo, report), Text("" if todo.heading else spent(todo, now), style="dim")


def _state(todo: TodoView, report: MissionReport) -> Text:
    if todo.heading:
        return Text()
    waiting = waits_for(todo, report)
    if todo.state is TodoState.OPEN:
        more = ", …" if len(waiting) > 2 else ""
        return Text(f"after {', '.join(waiting[:2])}{more}" if waiting else "", style="dim")
    words = Text(doing(todo), style=SIGNS[todo.state].style)
    if again := tries(todo):
        words = Text.assemble((f"{again} ", "yellow"), words)
    return words


def fitting(todos: tuple[TodoView, ...], room: int) -> tuple[TodoView, ...]:
    """In the plan's order, and if there are too many: what moves or went wrong before what waits or is done."""
    if len(todos) <= room:
        return todos
    order = sorted(range(len(todos)), key=lambda place: (todos[place].state in QUIET, _far_from_work(todos, place)))
    kept = sorted(order[: room - 1])
    return tuple(todos[place] for place in kept)


def _far_from_work(todos: tuple[TodoView, ...], place: int) -> int:
    """Lines to the nearest TODO that moves: its neighbours are what a person looks for next."""
    moving = [other for other, todo in enumerate(todos) if todo.state not in QUIET]
    return min((abs(place - other) for other in moving), default=place)


def _progress(report: MissionReport, now: datetime) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    sign = status_sign(report.status)
    bar = ProgressBar(100, report.progress, width=BAR_WIDTH, complete_style=sign.style, finished_style="green")
    facts = [f"{report.done} of {len(report.work)}"] if report.todos else []
    facts += [report.status.value]
    facts += [f"round {report.round} of {report.max_rounds}"] if report.round > 1 else []
    facts += [clock(report.elapsed(now))]
    line.add_row(Text(" "), bar, Text(f"{report.progress:3} %"), _fitted(Text(" · ".join(facts), style="dim")))
    return line


def _where(report: MissionReport, link: str, trouble: str) -> list[Text]:
    lines = [_fitted(Text(f"  {note}", style="yellow")) for note in map(one_line, report.notes[-MOST_NOTES:])]
    lines.append(_fitted(Text.assemble(("  branch ", "dim"), report.branch or "–")))
    if link:
        lines.append(Text(f"  {link}", style=f"dim link {link}", overflow="fold"))
    if trouble:
        lines.append(_fitted(Text(f"  {one_line(trouble)}", style="yellow")))
    return lines


def _fitted(text: Text) -> Text:
    """One line, whatever the width: a wrapped one would push the bar off the screen."""
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _spin(now: datetime) -> str:
    return SPINNER[int(now.timestamp() * 8) % len(SPINNER)]
