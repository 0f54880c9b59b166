"""Processes we started, known by id and start time, so that nothing else is ever ended."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import psutil

from adapters.files import write_atomically

_SAME_MOMENT = 2.0
"""Seconds by which two readings of one process's start time may differ.

They are rounded to clock ticks and counted from the boot, whose own time moves when the clock is corrected; the same
id for another process within two seconds would need all other ids to be used up in between.
"""

_INSIST = 0.7
"""Seconds after which SIGTERM is repeated: OpenCode swallows the first one while a shell command of it is young."""


@dataclass(frozen=True)
class ProcessRecord:
    """A process id is reused, a process id with its start time is not."""

    pid: int
    #: Seconds since the epoch, as the kernel tells it.
    started: float
    #: What others need to reach it: port, url, version …; the file is readable by its owner only.
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, pid: int, **facts: str | int) -> Self:
        """Raises `psutil.NoSuchProcess` when it is gone already."""
        return cls(pid=pid, started=psutil.Process(pid).create_time(), facts=facts)

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """What the file says, or None when there is none or it is damaged."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, file: Path) -> None:
        write_atomically(file, json.dumps(asdict(self)), mode=0o600)

    @property
    def process(self) -> psutil.Process | None:
        """The living process, or None when it ended (a zombie has ended) or its id now means another one."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _SAME_MOMENT:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None

    @property
    def alive(self) -> bool:
        return self.process is not None

    def end(self, grace: float = 5.0) -> bool:
        """Ask it to end, insist after `grace` seconds. True if it was alive. Returns when it is gone."""
        process = self.process
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            deadline = time.monotonic() + grace
            while time.monotonic() < deadline:
                process.terminate()
                with contextlib.suppress(psutil.TimeoutExpired):
                    process.wait(min(_INSIST, grace))
                    return True
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):  # in the kernel's hands, for instance on a dead disk
                process.wait(grace)
        return True
