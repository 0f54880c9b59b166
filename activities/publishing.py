"""Keeps `todo.md` and `mission.json` current without a single event in the mission's history.

Activities say which mission moves; a task of the worker process asks that mission for its report and rewrites the
files. They are views: what is missed while no worker runs is written as soon as one does.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client
from temporalio.exceptions import TemporalError

from adapters.files import write_atomically
from mission import todo_file
from mission.report import MissionReport, report_to_json

log = logging.getLogger("mission.publishing")

EVERY_SECONDS = 0.7

LOOKS = 4
"""How often a mission is looked at after it last moved; every change of state is followed by an activity."""


@dataclass
class _Followed:
    folder: Path
    looks: int = LOOKS
    written: MissionReport | None = None


@dataclass
class Publisher:
    """One a worker process."""

    client: Client
    _followed: dict[str, _Followed] = field(default_factory=dict)

    def moved(self, mission_id: str, folder: Path) -> None:
        self._followed.setdefault(mission_id, _Followed(folder)).looks = LOOKS

    def ended(self, mission_id: str) -> None:
        """The mission's last activity writes the last view itself."""
        self._followed.pop(mission_id, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for mission_id, followed in list(self._followed.items()):
                if followed.looks > 0:
                    await self._publish(mission_id, followed)

    async def _publish(self, mission_id: str, followed: _Followed) -> None:
        try:
            handle = self.client.get_workflow_handle(mission_id)
            report = await handle.query("status", result_type=MissionReport)
        except (TimeoutError, TemporalError):
            followed.looks -= 1  # Temporal is away, or the mission is gone; its next activity makes us look again
            return
        if report.status.ended:
            self.ended(mission_id)
        if mission_id not in self._followed:
            return
        if report == followed.written or not report.base_commit:
            followed.looks -= 1
            return
        try:
            await asyncio.to_thread(write_view, followed.folder, report)
        except OSError as error:
            log.warning("%s cannot be written, trying on: %s", followed.folder, error)
            return
        followed.written, followed.looks = report, LOOKS


def write_view(folder: Path, report: MissionReport) -> None:
    """`todo.md` for people, `mission.json` for programs: views of the workflow, each replaced in one step."""
    write_atomically(folder / "mission.json", report_to_json(report) + "\n")
    write_atomically(folder / "todo.md", todo_file.render(report))
