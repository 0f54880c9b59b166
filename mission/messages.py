"""Inputs and results of the workflows: one object in, one out; new fields get a default."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mission.answers import Verdict
from mission.options import MissionOptions, Role
from mission.report import Evidence, MissionReport, Usage


@dataclass(frozen=True)
class MissionInput:
    mission_id: str
    objective: str
    #: Absolute path of the project on the host that serves `host_queue`.
    directory: str
    #: Task queue of the host on which the project lies: everything that touches files runs there.
    host_queue: str
    options: MissionOptions = field(default_factory=MissionOptions)
    #: A test lowers it to see continue-as-new; 0 leaves the moment to Temporal.
    continue_after_events: int = 0
    #: Carried by continue-as-new; shaped like `mission.state.MissionState`.
    state: "dict[str, object] | None" = None


@dataclass(frozen=True)
class Cancel:
    reason: str = "cancelled by request"
