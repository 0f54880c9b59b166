"""A mission's report as commands print it at their end."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.cli.output import print_json, stdout
from client.exit_codes import exit_code_of
from client.mission_folders import mission_folder
from client.missions import MissionClient, ui_link
from client.screen.closing import print_closing
from client.stack.records import look
from mission.report import MissionReport, report_to_json
from runtime.settings import Settings


def link_to(settings: Settings, client: MissionClient | None, mission_id: str) -> str:
    """The mission's page in the Temporal UI; empty when the server is not ours and so the UI's address unknown."""
    ui = look(settings).ui
    return ui_link(ui, client.namespace, mission_id) if ui and client else ""


def print_report(report: MissionReport, link: str, *, as_json: bool) -> None:
    if as_json:
        print_json(as_document(report, link))
    else:
        print_closing(stdout(), report, datetime.now(UTC), link)


def as_document(report: MissionReport, link: str = "") -> dict[str, Any]:
    """The report with what scripts would have to work out."""
    return {
        **json.loads(report_to_json(report)),
        "done": report.done,
        "total": len(report.work),
        "progress": report.progress,
        "exit_code": int(exit_code_of(report.status)),
        "folder": str(mission_folder(Path(report.directory), report.mission_id)),
        "temporal_ui": link or None,
    }
