"""`mission land`: the mission's branch into the user's."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.git.landing import land as merge_into_checkout
from adapters.git.workspace import open_workspace
from client.cli import arguments
from client.cli.finding import find_report
from client.cli.output import print_json, say
from client.cli.running import command
from client.errors import CommandFailed
from mission.report import MissionReport, MissionStatus
from runtime.settings import Settings


@command
async def land(
    mission: arguments.MissionId,
    unsealed: Annotated[bool, typer.Option("--unsealed", help="Also what is not complete.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Merge a sealed mission into the branch it started from. Refuses conflicts and a dirty checkout."""
    settings = Settings.from_environment()
    report, _ = await find_report(settings, mission)
    _refuse_unfinished(report, unsealed)
    workspace = await open_workspace(Path(report.directory), settings.repositories)
    title = " ".join(report.objective.split())[:72]
    landed = await merge_into_checkout(
        workspace,
        report.head_commit,
        report.base_commit,
        report.started_from,
        f"Land {report.mission_id}: {title}",
    )
    where = report.started_from or report.directory
    if as_json:
        print_json({"id": report.mission_id, "commit": landed.commit, "already": landed.already, "into": where})
    elif landed.already:
        say(f"{where} holds all of {report.mission_id} already.")
    else:
        say(f"{report.mission_id} is now part of {where} ({landed.commit[:12]}).")


def _refuse_unfinished(report: MissionReport, unsealed: bool) -> None:
    if not report.head_commit or report.head_commit == report.base_commit:
        raise CommandFailed(f"{report.mission_id} has nothing to land: it is {report.status.value}")
    if report.status is not MissionStatus.SEALED and not unsealed:
        raise CommandFailed(
            f"{report.mission_id} is {report.status.value}, not sealed: {report.done} of {len(report.work)} TODOs are "
            "merged and nobody has checked the whole. `--unsealed` lands what is there"
        )
