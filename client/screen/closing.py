"""The last screen of a mission, and what `mission show` prints: what came of it, where it is, how to go on."""

from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from client.mission_folders import mission_folder
from client.screen.words import SENT_BACK, SIGNS, clock, depth, doing, one_line, status_sign, why_sent_back
from mission.report import Evidence, MissionReport, MissionStatus, TodoState, TodoView


def print_closing(console: Console, report: MissionReport, now: datetime, link: str = "") -> None:
    """Long paths and links last and unbroken: they are there to be copied."""
    console.print(_closing(report, now))
    for name, value in _places(report, link):
        console.print(Text.assemble((f"  {name:<9}", "dim"), value), soft_wrap=True)


def _closing(report: MissionReport, now: datetime) -> RenderableType:
    """Also for a mission that goes on: then it tells how far it is."""
    parts: list[RenderableType] = [_headline(report, now), Text(f"  {one_line(report.objective)[:400]}", style="bold")]
    if report.todos:
        parts += [Text(), _table(report)]
    if reworked := _reworked(report):
        parts += [Text(), Text("  What was sent back", style="bold"), *reworked]
    parts += [Text(), _facts(report)]
    return Group(*parts)


def _headline(report: MissionReport, now: datetime) -> Text:
    sign = status_sign(report.status)
    span = clock(report.elapsed(now))
    when = f"in {span}" if report.status is MissionStatus.SEALED else f"after {span}"
    text = Text.assemble((f"{sign.mark} {report.status.value.capitalize()}", f"bold {sign.style}"), f" {when}")
    return text.append(f": {one_line(report.reason)}") if report.reason else text


def _table(report: MissionReport) -> Table:
    table = Table(box=None, padding=(0, 1), expand=True, header_style="dim", pad_edge=False)
    table.add_column("  TODO", no_wrap=True)
    table.add_column("", no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column("Tries", justify="right", no_wrap=True)
    table.add_column("Checks", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for todo in report.todos:
        sign = SIGNS[todo.state]
        name = Text.assemble("  ", "  " * depth(todo), (sign.mark, sign.style), " ", todo.id)
        title = Text(one_line(todo.title), style="bold" if todo.heading else "")
        table.add_row(name, title, *(_outcome(todo) if not todo.heading else ("", "", "")))
    return table


def _outcome(todo: TodoView) -> tuple[Text, Text, Text]:
    if not todo.attempts:
        return Text("–", style="dim"), Text(), Text(doing(todo), style="dim")
    last = todo.attempts[-1]
    tries = Text(str(last.number), style="yellow" if last.number > 1 else "")
    if last.verdict is not None:
        approved = last.verdict.approved
        verdict = Text("approved" if approved else "rejected", style="green" if approved else "red")
    else:
        verdict = Text(SENT_BACK.get(last.stage, doing(todo)), style="dim")
    if todo.state in (TodoState.FAILED, TodoState.CANCELLED):
        verdict = Text(todo.state.value, style=SIGNS[todo.state].style)
    return tries, _checks(last.checks), verdict


def _checks(checks: tuple[Evidence, ...]) -> Text:
    if not checks:
        return Text("none", style="dim")
    red = sum(not check.green for check in checks)
    return Text(f"{red} red", style="red") if red else Text(f"{len(checks)} green", style="green")


def _reworked(report: MissionReport) -> list[RenderableType]:
    """Every attempt that was not taken, and why."""
    table = Table.grid(padding=(0, 1))
    for todo in report.work:
        for attempt in todo.attempts:
            if why := why_sent_back(attempt):
                name = f"  {todo.id} try {attempt.number}"
                table.add_row(name, Text(SENT_BACK[attempt.stage], style="yellow"), Text(why[:400]))
    return [table] if table.row_count else []


def _facts(report: MissionReport) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    for name, value in _named_facts(report):
        table.add_row(f"  {name}", Text(value, overflow="fold"))
    return table


def _named_facts(report: MissionReport) -> list[tuple[str, str]]:
    short = report.mission_id
    facts = [("Mission", short)]
    if report.seal:
        facts.append(("Seal", _seal(report)))
    facts += [("Note", one_line(note)) for note in report.notes]
    if report.branch and report.base_commit:
        facts.append(("Branch", report.branch))
        facts.append(("Look", f"mission diff {short}"))
        if report.status.ended:
            where = f" (into {report.started_from})" if report.started_from else ""
            facts.append(("Land", f"mission land {short}{where}"))
    if report.usage.turns:
        facts.append(("Used", _usage(report)))
    return facts


def _places(report: MissionReport, link: str) -> list[tuple[str, str]]:
    folder = mission_folder(Path(report.directory), report.mission_id)
    places = [("Report", str(folder))] if report.base_commit else []
    return [*places, ("Temporal", link)] if link else places


def _usage(report: MissionReport) -> str:
    used = report.usage
    cost = f", USD {used.cost:.2f}" if used.cost else ""
    return f"{used.turns} turns, {used.input_tokens:,} tokens in, {used.output_tokens:,} out{cost}"


def _seal(report: MissionReport) -> str:
    green = sum(check.green for check in report.seal)
    checks = f"{green} of {len(report.seal)} checks green on {report.head_commit[:10]}"
    if report.final_verdict is None:
        return checks
    return f"{checks}, final review {'approved' if report.final_verdict.approved else 'rejected'}"
