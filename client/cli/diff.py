"""`mission diff`: what a mission changed."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.syntax import Syntax

from adapters.git.merging import diff as changes_between
from adapters.git.workspace import open_workspace
from client.cli import arguments
from client.cli.finding import find_report
from client.cli.output import print_json, say, stdout, wants_plain_lines
from client.cli.running import command
from client.errors import CommandFailed
from runtime.settings import Settings

LARGEST = 5_000_000
"""Bytes shown; more is a matter for git's own tools."""


@command
async def diff(
    mission: arguments.MissionId,
    as_json: arguments.AsJson = False,
    plain: Annotated[bool, typer.Option("--plain", help="Without colours.")] = False,
) -> None:
    """Show what a mission has changed so far, as a diff from where it started to its branch."""
    settings = Settings.from_environment()
    report, _ = await find_report(settings, mission)
    if not report.base_commit or not report.head_commit:
        raise CommandFailed(f"{report.mission_id} has changed nothing yet: it is {report.status.value}")
    workspace = await open_workspace(Path(report.directory), settings.repositories)
    found = await changes_between(workspace, report.base_commit, report.head_commit, LARGEST)
    if as_json:
        print_json(
            {"id": report.mission_id, "base": report.base_commit, "head": report.head_commit, "diff": found.text}
        )
    elif wants_plain_lines(plain):
        sys.stdout.write(found.text)
    else:
        stdout().print(Syntax(found.text, "diff", background_color="default", word_wrap=True))
    if found.truncated:
        say(f"Cut at {LARGEST:,} bytes: `git diff {report.base_commit[:12]} {report.head_commit[:12]}` shows all.")
    elif not found.text:
        say("Nothing has changed.")
