"""A warm stack in a private home, for measuring: real server, worker process, OpenCode and scripted model."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from adapters.processes import ProcessRecord

MISSION = Path(sys.executable).with_name("mission")


@dataclass(frozen=True)
class Stack:
    """Everything lies below `home`; `environment` is what its commands run with."""

    home: Path
    environment: dict[str, str]

    def mission(self, *arguments: str | Path) -> str:
        done = subprocess.run([MISSION, *arguments], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mission {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout

    def record(self, part: str) -> ProcessRecord:
        found = ProcessRecord.read(self.home / "missions/processes" / f"{part}.json")
        assert found is not None, part
        return found

    def repository(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir()
        (folder / "README.md").write_text("# Measured\n")
        for command in (
            ("init", "-q", "-b", "main"),
            ("add", "-A"),
            ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "commit", "-qm", "Begin"),
        ):
            subprocess.run(["git", *command], cwd=folder, check=True)
        return folder


@contextmanager
def running_stack(scenario: Path | None = None, log: Path | None = None) -> Iterator[Stack]:
    """Started, and ended with everything in it."""
    with tempfile.TemporaryDirectory(prefix="mission-bench-") as folder:
        home = Path(folder)
        (home / "user").mkdir()
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("TEMPORAL_", "MISSION_", "XDG_"))
        }
        stack = Stack(
            home,
            {
                **kept,
                "HOME": str(home / "user"),
                "MISSION_HOME": str(home / "missions"),
                "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "NO_COLOR": "1",
            },
        )
        with_model = ["--scenario", str(scenario)] if scenario else []
        with_log = ["--model-log", str(log)] if log else []
        stack.mission("up", "--detach", *with_model, *with_log)
        try:
            yield stack
        finally:
            stack.mission("down")


@dataclass
class Spent:
    """CPU seconds and memory of one process and its children, since it was looked at first."""

    process: psutil.Process
    cpu_before: float
    peak: int = 0

    @classmethod
    def of(cls, record: ProcessRecord) -> "Spent":
        process = psutil.Process(record.pid)
        return cls(process, _cpu(process))

    @property
    def cpu(self) -> float:
        return _cpu(self.process) - self.cpu_before

    def look(self) -> None:
        self.peak = max(self.peak, self.process.memory_info().rss)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def requests(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
