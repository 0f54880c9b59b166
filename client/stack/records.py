"""Who of the stack lives: the records that let anyone find, adopt and end its parts."""

from dataclasses import dataclass
from pathlib import Path

from adapters.processes import ProcessRecord
from runtime.settings import Settings

SUPERVISOR = "supervisor"
TEMPORAL = "temporal"
WORKER = "worker"
MODEL = "model"
OPENCODE = "opencode"

PARTS = (TEMPORAL, WORKER, OPENCODE, MODEL)

READY = "ready"
"""What the supervisor's record says when every part has answered."""


@dataclass(frozen=True)
class Living:
    """The records of the parts that live now."""

    parts: dict[str, ProcessRecord]

    @property
    def supervisor(self) -> ProcessRecord | None:
        return self.parts.get(SUPERVISOR)

    @property
    def is_ready(self) -> bool:
        return self.doing == READY

    @property
    def doing(self) -> str:
        """`ready`, or what the supervisor is at, or nothing when there is none."""
        return str(self.supervisor.facts.get("doing", "")) if self.supervisor else ""

    @property
    def ui(self) -> str | None:
        """Address of the Temporal UI, if the server is ours."""
        temporal = self.parts.get(TEMPORAL)
        return str(temporal.facts["ui"]) if temporal and "ui" in temporal.facts else None


def record_file(settings: Settings, name: str) -> Path:
    return settings.processes / f"{name}.json"


def living(settings: Settings, name: str) -> ProcessRecord | None:
    record = ProcessRecord.read(record_file(settings, name))
    return record if record and record.alive else None


def look(settings: Settings) -> Living:
    found = {name: living(settings, name) for name in (SUPERVISOR, *PARTS)}
    return Living({name: record for name, record in found.items() if record})
