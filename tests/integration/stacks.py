"""A whole stack in a private home, driven through the command line as a person would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mission.report import MissionReport, report_from_json

PROJECT = Path(__file__).parents[2]
MISSION = Path(sys.executable).with_name("mission")
SCENARIOS = PROJECT / "scenarios"


def private_environment(home: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests: no configuration, no credentials, no Temporal of theirs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "MISSION_", "XDG_"))}
    return {
        **kept,
        "HOME": str(home / "user"),
        "XDG_CONFIG_HOME": str(home / "user/config"),
        "XDG_DATA_HOME": str(home / "user/data"),
        "XDG_STATE_HOME": str(home / "user/state"),
        "XDG_CACHE_HOME": str(home / "user/cache"),
        "MISSION_HOME": str(home / "missions"),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
    }


@dataclass
class Stack:
    """Temporal dev server, worker, OpenCode and scripted model, all real, all ours."""

    home: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        (self.home / "user").mkdir(parents=True)
        self.environment = private_environment(self.home)

    @property
    def processes(self) -> Path:
        return self.home / "missions/processes"

    def mission(
        self, *arguments: str | Path, check: int | None = 0, timeout: float = 180, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One `mission` command; `check` is the exit code it must end with, None for any."""
        done = subprocess.run(
            [MISSION, *arguments],
            env=self.environment,
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert check is None or done.returncode == check, (
            f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def up(self) -> None:
        self.mission("up", "--detach")

    def down(self) -> None:
        self.mission("down")

    def start(self, project: Path, scenario: Path, *options: str, log: Path | None = None) -> str:
        """The id of a mission that runs now."""
        logged = ["--model-log", str(log)] if log else []
        done = self.mission(
            "start", "Do what the scenario says", "--dir", project, "--scenario", scenario, *logged, *options, "--json"
        )
        return str(json.loads(done.stdout)["id"])

    def report(self, mission_id: str) -> MissionReport:
        return report_from_json(self.mission("show", mission_id, "--json").stdout)

    def run(
        self, project: Path, scenario: Path, *options: str, check: int = 0, log: Path | None = None
    ) -> tuple[MissionReport, str]:
        """A mission from start to end: its last report and what was printed."""
        logged = ["--model-log", str(log)] if log else []
        done = self.mission(
            "run", "Do what the scenario says", "--dir", project, "--scenario", scenario, *logged, *options, check=check
        )
        ids = sorted((project / ".opencode/missions").iterdir(), key=lambda folder: folder.stat().st_mtime)
        return self.report(ids[-1].name), done.stdout


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """A fresh repository with one commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name, text in (files or {"README.md": "# A project\n"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Begin")
    return folder


def requests(log: Path) -> list[dict[str, object]]:
    """What the scripted model was asked, a dictionary a request."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def turns(log: Path) -> Sequence[tuple[object, ...]]:
    """Every request of a turn as (role, todo, attempt, step, index)."""
    keys = ("role", "todo", "attempt", "step", "index")
    return [tuple(request[key] for key in keys) for request in requests(log) if request.get("purpose") == "turn"]
