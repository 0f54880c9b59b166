"""`mission logs`: what happened in a mission, what its checks printed, what the stack's parts say."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from client.cli import arguments
from client.cli.finding import find_report
from client.cli.output import print_json, say
from client.cli.running import command
from client.errors import BadInput
from client.mission_folders import mission_folder
from client.screen.words import one_line
from client.stack.logs import last_lines, log_file
from mission.report import Evidence, MissionReport
from runtime.settings import Settings

PARTS = ("supervisor", "temporal", "worker", "opencode", "model")


@command
async def logs(
    mission: Annotated[str | None, typer.Argument(metavar="[ID]", help="A mission; its id or a part of it.")] = None,
    todo: Annotated[str | None, typer.Option("--todo", metavar="T1", help="Its checks' whole logs.")] = None,
    part: Annotated[str | None, typer.Option("--part", help=f"A part of the stack: {', '.join(PARTS)}.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000, help="The last ones of a part.")] = 100,
    as_json: arguments.AsJson = False,
) -> None:
    """Show a mission's events and its checks, one TODO's whole check logs, or the log of a part of the stack."""
    settings = Settings.from_environment()
    if part is not None:
        _print_part(settings, part, lines)
        return
    if mission is None:
        raise BadInput("which log? Name a mission (`mission list`) or a part of the stack with --part")
    report, _ = await find_report(settings, mission)
    checks = _checks(report, todo)
    if as_json:
        print_json({"id": report.mission_id, "events": report.events, "checks": [_facts(*check) for check in checks]})
    elif todo is not None:
        _print_whole(report, checks)
    else:
        _print_overview(report, checks)


def _print_part(settings: Settings, part: str, lines: int) -> None:
    if part not in PARTS:
        raise BadInput(f"the stack has no part {part!r}: there are {', '.join(PARTS)}")
    file = log_file(settings, part)
    for line in last_lines(file, lines):
        sys.stdout.write(line + "\n")
    say(str(file) if file.exists() else f"{file} is not there: this part has never run")


def _checks(report: MissionReport, todo_id: str | None) -> list[tuple[str, Evidence]]:
    """Every check with the attempt it belongs to."""
    ids = [todo.id for todo in report.work]
    if todo_id is not None and todo_id not in ids:
        raise BadInput(f"{report.mission_id} has no TODO {todo_id!r}: there are {', '.join(ids) or 'none yet'}")
    found = [
        (f"{todo.id} try {attempt.number}", check)
        for todo in report.work
        if todo_id in (None, todo.id)
        for attempt in todo.attempts
        for check in attempt.checks
    ]
    return found if todo_id is not None else found + [("seal", check) for check in report.seal]


def _print_overview(report: MissionReport, checks: list[tuple[str, Evidence]]) -> None:
    for event in report.events:
        sys.stdout.write(f"{one_line(event)}\n")
    for label, check in checks:
        sys.stdout.write(f"{label:<12} {_result(check):<12} {check.seconds:6.1f} s  {one_line(check.command)}\n")
    say(f"Whole logs: {mission_folder(report.directory, report.mission_id) / 'evidence'}")


def _print_whole(report: MissionReport, checks: list[tuple[str, Evidence]]) -> None:
    for label, check in checks:
        sys.stdout.write(f"── {label}: {one_line(check.command)}: {_result(check)}, {check.seconds:.1f} s\n")
        sys.stdout.write(_log_of(report, check).rstrip() + "\n\n")


def _log_of(report: MissionReport, check: Evidence) -> str:
    file = mission_folder(report.directory, report.mission_id) / check.log
    try:
        return Path(file).read_text(errors="replace")
    except OSError:
        return check.tail  # the folder is gone; the end of it is kept in the workflow


def _result(check: Evidence) -> str:
    return "green" if check.green else check.ended or f"exit {check.exit_code}"


def _facts(label: str, check: Evidence) -> dict[str, object]:
    return {
        "of": label,
        "command": check.command,
        "green": check.green,
        "exit_code": check.exit_code,
        "seconds": check.seconds,
        "ended": check.ended,
        "log": check.log,
        "log_sha256": check.log_sha256,
    }
