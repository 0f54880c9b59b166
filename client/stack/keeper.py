"""Keeps one part up: adopts or starts it, waits until it answers, starts it again when it dies."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from adapters.processes import ProcessRecord
from client.errors import StackFailed
from client.exit_codes import ExitCode
from client.stack.logs import last_lines, log_file, open_log, size_of
from client.stack.parts import Part
from client.stack.records import living, record_file
from client.stack.restarts import Restarts
from runtime.settings import Settings
from runtime.temporal import TemporalError

LOOK_EVERY = 0.1
"""Seconds between looks at a process: an earlier supervisor's parts are not our children, we cannot wait for them."""

Say = Callable[[str], None]


@dataclass
class Running:
    record: ProcessRecord
    #: None if an earlier supervisor started it.
    child: "subprocess.Popen[bytes] | None"
    since: float
    #: Size of its log before it wrote a word.
    log_start: int = 0

    @property
    def alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None  # also takes leave of a dead child, which else stays as a zombie
        return self.record.alive


@dataclass
class Keeper:
    """`make` is called at each start: ports may have to be chosen anew. Returns only by raising."""

    name: str
    settings: Settings
    make: Callable[[], Part]
    say: Say
    #: Needed first, e.g. Temporal by the worker.
    after: "Keeper | None" = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ever_ready: bool = False
    restarts: Restarts = field(default_factory=Restarts)

    async def keep(self) -> None:
        """Until cancelled. Raises `StackFailed` when the part does not start."""
        while True:
            if self.after is not None:
                await self.after.ready.wait()
            part = self.make()
            running = self._adopt(part) or self._start(part)
            became_ready = await self._until_ready(part, running)
            while running.alive:  # noqa: ASYNC110 - see LOOK_EVERY
                await asyncio.sleep(LOOK_EVERY)
            self.ready.clear()
            await self._wait_before_restart(part, running, became_ready)

    def _adopt(self, part: Part) -> Running | None:
        record = living(self.settings, part.name)
        if record is None:
            return None
        self.say(f"{part.label} is already running (process {record.pid})")
        return Running(record, None, time.monotonic(), size_of(log_file(self.settings, part.name)))

    def _start(self, part: Part) -> Running:
        """In a session of its own: Ctrl-C in our terminal is for us, and we end the parts in order."""
        self.say(f"starting {part.label}" if not self.ever_ready else f"starting {part.label} again")
        with open_log(self.settings, part.name) as log:
            log_start = log.tell()
            child = subprocess.Popen(
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **part.environment},
                cwd=part.folder or self.settings.home,
                start_new_session=True,
            )
        try:
            record = ProcessRecord.of(child.pid, **part.facts)
        except psutil.NoSuchProcess:
            record = ProcessRecord(child.pid, 0.0, part.facts)  # died at once; `alive` says so
        record.write(record_file(self.settings, part.name))
        return Running(record, child, time.monotonic(), log_start)

    async def _until_ready(self, part: Part, running: Running) -> bool:
        """False if it died first; one that lives and does not answer in time is ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(part.patience):
                while running.alive:
                    with suppress(TemporalError):
                        if await part.ready(running.record.pid):
                            self._is_ready(part, running)
                            return True
                    await asyncio.sleep(LOOK_EVERY)
                return False
        self.say(f"{part.label} did not answer within {part.patience:.0f} s")
        await asyncio.to_thread(running.record.end)
        return False

    def _is_ready(self, part: Part, running: Running) -> None:
        where = next((f" at {part.facts[fact]}" for fact in ("address", "url") if fact in part.facts), "")
        self.say(f"{part.label} is ready{where} ({time.monotonic() - running.since:.1f} s)")
        self.ever_ready = True
        self.ready.set()

    async def _wait_before_restart(self, part: Part, running: Running, became_ready: bool) -> None:
        log = log_file(self.settings, part.name)
        lines = last_lines(log, 8, running.log_start)
        if running.child is not None and running.child.returncode == ExitCode.UNREACHABLE and not self.ever_ready:
            raise StackFailed("\n".join(lines).partition("Error: ")[2] or f"{part.label} did not start, see {log}")
        wait = self.restarts.after(time.monotonic() - running.since, became_ready)
        if wait is None:
            said = "".join(f"\n  {line}" for line in lines) or " nothing"
            raise StackFailed(
                f"{part.label} does not start: it ended {self.restarts.failed_starts} times in a row. "
                f"It said:{said}\nThe whole log: {log}"
            )
        self.say(f"{part.label} ended" + (f": {lines[-1][:300]}" if lines else ""))
        await asyncio.sleep(wait)
