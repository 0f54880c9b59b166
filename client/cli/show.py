"""`mission show`: a mission now."""

from client.cli import arguments
from client.cli.finding import find_report
from client.cli.running import command
from client.cli.showing import link_to, print_report
from runtime.settings import Settings


@command
async def show(mission: arguments.MissionId, as_json: arguments.AsJson = False) -> None:
    """Show a mission: plan, attempts, checks, verdicts, branch. Also one that ended, and without Temporal."""
    settings = Settings.from_environment()
    report, client = await find_report(settings, mission)
    print_report(report, link_to(settings, client, report.mission_id), as_json=as_json)
