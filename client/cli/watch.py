"""`mission watch`: a running mission, live."""

import asyncio

from client.cli import arguments
from client.cli.running import command
from client.cli.showing import link_to, print_report
from client.cli.watching import choose_view, watch_until_the_end
from client.errors import Interrupted
from client.exit_codes import ExitCode, exit_code_of
from client.missions import MissionClient
from runtime.settings import Settings


@command
async def watch(
    mission: arguments.MissionId, plain: arguments.Plain = False, as_json: arguments.AsJson = False
) -> ExitCode:
    """Watch a mission until it ends; its exit code is the mission's. Ctrl-C leaves it running."""
    settings = Settings.from_environment()
    client = await MissionClient.connect(settings)
    mission_id = await client.find(mission)
    link = link_to(settings, client, mission_id)
    try:
        view = choose_view(link, plain=plain, as_json=as_json)
        report = await watch_until_the_end(settings, client, mission_id, view)
    except asyncio.CancelledError:
        raise Interrupted(f"The mission goes on. `mission watch {mission_id}` returns to it.") from None
    print_report(report, link, as_json=as_json)
    return exit_code_of(report.status)
