"""What missions leave in their projects, found again when no Temporal answers."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from adapters.files import write_atomically
from mission.report import MissionReport, report_from_json
from runtime.settings import Settings

MISSIONS = Path(".opencode") / "missions"


def mission_folder(directory: Path | str, mission_id: str) -> Path:
    """Where `todo.md`, `mission.json` and the evidence lie."""
    return Path(directory) / MISSIONS / mission_id


def remember(settings: Settings, mission_id: str, directory: Path) -> None:
    """Keep where a mission works, for the day its workflow is out of reach."""
    write_atomically(_note(settings, mission_id), json.dumps({"directory": str(directory)}) + "\n")


def known_ids(settings: Settings, here: Path) -> set[str]:
    """Missions started from this home or in this project."""
    of_home = {note.stem for note in (settings.home / "missions").glob("mission-*.json")}
    of_project = {folder.name for project in _upwards(here) for folder in (project / MISSIONS).glob("mission-*")}
    return of_home | of_project


def kept_report(settings: Settings, mission_id: str, here: Path) -> MissionReport | None:
    """The last state that was written into the project, or None."""
    for start in (_remembered(settings, mission_id), here):
        for project in _upwards(start) if start else ():
            with suppress(OSError, ValueError):
                return report_from_json((mission_folder(project, mission_id) / "mission.json").read_bytes())
    return None


def _upwards(start: Path) -> Iterator[Path]:
    yield start
    yield from start.parents


def _remembered(settings: Settings, mission_id: str) -> Path | None:
    try:
        return Path(json.loads(_note(settings, mission_id).read_text())["directory"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(settings: Settings, mission_id: str) -> Path:
    return settings.home / "missions" / f"{mission_id}.json"
