"""Starts the stack in the background, once, and waits until it answers."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from adapters.processes import ProcessRecord
from client.errors import PartMissing, StackFailed
from client.stack.ending import SUPERVISOR_GRACE, end_stack
from client.stack.logs import last_lines, log_file, open_log, size_of
from client.stack.parts import ROOT, is_served, model_part
from client.stack.ports import kept_ports
from client.stack.records import MODEL, SUPERVISOR, Living, living, look
from runtime.settings import Settings
from runtime.temporal import connect, is_external

Show = Callable[[str], None]
"""Told what the stack is at, whenever that changes."""

LOOK_EVERY = 0.05

LONGEST_START = 180.0
"""Seconds. Each part has a limit of its own; this one only ends a wait for a supervisor that hangs."""

MOST_STARTS = 3

NOBODY_AFTER = 3.0
"""Seconds without a living supervisor before a start counts as failed: another one may just take over."""


@dataclass
class Launch:
    settings: Settings
    show: Show
    #: Supervisors we started.
    starts: int = 0
    _child: "subprocess.Popen[bytes] | None" = None
    _began: float = field(default_factory=time.monotonic)
    _last_seen: float = field(default_factory=time.monotonic)
    _shown: str = ""

    async def until_ready(self) -> Living:
        """The stack, started if there is none. Raises `StackFailed` with the supervisor's own words."""
        log_start = size_of(log_file(self.settings, SUPERVISOR))
        while True:
            found = look(self.settings)
            if found.is_ready:
                return found
            if self._nobody_starts_it(found):
                self._child = self._start()
            self._tell(found.doing)
            if self._failed(found) or time.monotonic() - self._began > LONGEST_START:
                raise self._failure(log_start)
            await asyncio.sleep(LOOK_EVERY)

    def _start(self) -> "subprocess.Popen[bytes]":
        self.starts += 1
        with open_log(self.settings, SUPERVISOR) as log:
            return subprocess.Popen(
                (sys.executable, "-m", "client.stack"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "MISSION_HOME": str(self.settings.home)},
                cwd=ROOT,
                start_new_session=True,
            )

    def end_what_it_started(self) -> None:
        """The supervisor may not have written its record yet: then only we know of it."""
        if self._child is None:
            return
        if self._child.poll() is None:
            with suppress(psutil.NoSuchProcess):
                ProcessRecord.of(self._child.pid).end(SUPERVISOR_GRACE)
        end_stack(self.settings, lambda _: None)

    def _nobody_starts_it(self, found: Living) -> bool:
        """None is there, or ours made way for one that was just stopping."""
        made_way = self._child is not None and self._child.poll() == 0
        return not found.supervisor and (self._child is None or made_way) and self.starts < MOST_STARTS

    def _failed(self, found: Living) -> bool:
        now = time.monotonic()
        if found.supervisor or (self._child and self._child.poll() is None):
            self._last_seen = now
        ended_badly = self._child is not None and bool(self._child.poll())
        return (ended_badly and not found.supervisor) or now - self._last_seen > NOBODY_AFTER

    def _failure(self, log_start: int) -> StackFailed:
        log = log_file(self.settings, SUPERVISOR)
        lines = last_lines(log, 40, log_start)
        first = next((number for number, line in enumerate(lines) if "Error: " in line), max(0, len(lines) - 5))
        said = "\n".join(lines[first:]).partition("Error: ")[2] or "\n".join(lines[first:])
        return StackFailed(f"the local stack did not start: {said or 'nothing was said'}\nIts log: {log}")

    def _tell(self, doing: str) -> None:
        if doing != self._shown:
            self._shown = doing
            self.show(doing)


async def ensure_stack(settings: Settings, show: Show) -> Launch:
    """What missions need is there afterwards; what is there already is left alone."""
    launch = Launch(settings, show)
    if is_external() and not look(settings).supervisor and await is_served(await connect(settings), settings):
        return launch
    try:
        await launch.until_ready()
    except BaseException:
        await asyncio.to_thread(launch.end_what_it_started)  # nothing half done
        raise
    return launch


async def ensure_model(settings: Settings, patience: float = 20.0) -> None:
    """A scenario was saved: wait until the supervisor has the scripted model running."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        ports, record = kept_ports(settings), living(settings, MODEL)
        if ports and record and await model_part(settings, ports).ready(record.pid):
            return
        await asyncio.sleep(LOOK_EVERY)
    raise PartMissing(
        f"the scripted model did not start within {patience:.0f} s: see {log_file(settings, MODEL)}, "
        "or start the stack with `mission up`"
    )
