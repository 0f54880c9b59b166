"""`mission cancel`: end a mission, keep its work."""

import asyncio
from typing import Annotated

import typer

from client.cli import arguments
from client.cli.output import say, steps
from client.cli.running import command
from client.cli.showing import link_to, print_report
from client.errors import Interrupted, PartMissing
from client.missions import MissionClient
from mission.report import MissionReport
from runtime.settings import Settings

PATIENCE = 120.0
"""Seconds; every session is aborted and every leftover committed first."""


@command
async def cancel(
    mission: arguments.MissionId,
    wait: Annotated[bool, typer.Option(help="Wait until every session has stopped and its work is saved.")] = True,
    as_json: arguments.AsJson = False,
) -> None:
    """Cancel a mission: every child and session ends, all work stays on its branches."""
    settings = Settings.from_environment()
    client = await MissionClient.connect(settings)
    mission_id = await client.find(mission)
    if not await client.cancel(mission_id):
        say(f"{mission_id} has ended already.")
    elif not wait:
        say(f"{mission_id} is asked to end.")
        return
    with steps("ending sessions and saving their work"):
        report = await _ended(client, mission_id)
    print_report(report, link_to(settings, client, mission_id), as_json=as_json)


async def _ended(client: MissionClient, mission_id: str) -> MissionReport:
    try:
        async with asyncio.timeout(PATIENCE):
            return await client.wait(mission_id)
    except TimeoutError as error:
        raise PartMissing(
            f"{mission_id} was asked to end and has not after {PATIENCE:.0f} s. Is a worker running? `mission status`"
        ) from error
    except asyncio.CancelledError:
        raise Interrupted(f"{mission_id} is asked to end; `mission watch {mission_id}` shows it.") from None
