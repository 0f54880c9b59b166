"""A mission for commands that only look: from Temporal, or from the project when Temporal is away."""

from pathlib import Path

from client.cli.output import say
from client.errors import ConnectionLost, UnknownMission
from client.mission_folders import kept_report, known_ids
from client.mission_ids import find_mission_id
from client.missions import MissionClient
from mission.report import MissionReport
from runtime.settings import Settings
from runtime.temporal import TemporalError


async def find_report(settings: Settings, wanted: str) -> tuple[MissionReport, MissionClient | None]:
    """The client is None when Temporal was away or has forgotten it; the person is told then.

    Raises `UnknownMission`.
    """
    try:
        client = await MissionClient.connect(settings)
        return await client.report(await client.find(wanted)), client
    except (TemporalError, ConnectionLost, UnknownMission) as error:
        report = _written(settings, wanted)
        if report is None:
            raise
        say(f"{error}\nThis is what was last written into {report.directory}.")
        return report, None


def _written(settings: Settings, wanted: str) -> MissionReport | None:
    here = Path.cwd()
    try:
        return kept_report(settings, find_mission_id(wanted, known_ids(settings, here)), here)
    except UnknownMission:
        return None
