"""Which scenario a mission plays, and where its requests are logged."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.scripted_model.errors import MissingScenarioError
from adapters.scripted_model.reading import read_strictly
from adapters.scripted_model.scenario import Scenario, ScenarioFile

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")


class Stage(Protocol):
    """Finds the play for a mission."""

    @property
    def log(self) -> Path | None:
        """Where requests are logged that name no mission."""
        ...

    def play(self, mission: str, /) -> ScenarioFile:
        """Raises `MissingScenarioError`, or `ScenarioError` when it cannot be read."""
        ...


@dataclass(frozen=True)
class OneScenario:
    """Every mission plays the same."""

    scenario: Scenario
    log: Path | None = None

    def play(self, _mission: str, /) -> ScenarioFile:
        return ScenarioFile(scenario=self.scenario, log=self.log)


@dataclass(frozen=True)
class ScenarioFolder:
    """`<mission>.json`, else `default.json`; a changed file counts from the next request on."""

    folder: Path
    log: Path | None = None
    _read: dict[Path, tuple[tuple[int, int, int], ScenarioFile]] = field(default_factory=dict)

    def play(self, mission: str, /) -> ScenarioFile:
        for name in (mission, "default"):
            file = self.folder / f"{name}.json"
            if _FILE_NAME.fullmatch(name) and (found := self._current(file)):
                return found if found.log else found.model_copy(update={"log": self.log})
        raise MissingScenarioError(
            f"no scenario for mission {mission!r}: {self.folder} has no file of its name and no default.json"
        )

    def _current(self, file: Path) -> ScenarioFile | None:
        try:
            facts = file.stat()
        except OSError:
            self._read.pop(file, None)
            return None
        version = (facts.st_mtime_ns, facts.st_ino, facts.st_size)
        known = self._read.get(file)
        if known is None or known[0] != version:
            known = self._read[file] = (version, read_strictly(file, ScenarioFile))
        return known[1]


def append_line(log: Path, entry: Mapping[str, object]) -> None:
    """One whole line, whoever else writes to the same file."""
    line = json.dumps(entry, default=str).encode() + b"\n"
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
