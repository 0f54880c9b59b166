"""`mission up`: starts the parts, keeps them up, ends them in order. One a home."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from adapters.processes import ProcessRecord
from client.errors import StackFailed
from client.stack.ending import end_parts
from client.stack.keeper import Keeper, Say
from client.stack.lock import only_supervisor
from client.stack.parts import WORKER_PROGRAM, Part, model_part, temporal_part, worker_part
from client.stack.ports import Ports, choose_ports
from client.stack.records import MODEL, READY, SUPERVISOR, TEMPORAL, WORKER, look, record_file
from runtime.settings import Settings
from runtime.temporal import TemporalError, configured_namespace, is_external

SCENARIOS_EVERY = 0.2
"""Seconds between looks for a first scenario; until there is one, no scripted model is needed."""


@dataclass
class Supervisor:
    settings: Settings
    say: Say
    worker_program: Path = WORKER_PROGRAM
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ports: Ports = field(default_factory=Ports)

    async def run(self) -> bool:
        """Until told to stop; False at once if another one is at work. Raises `StackFailed`."""
        with only_supervisor(self.settings) as alone:
            if not alone:
                return False
            async with self._listening():
                try:
                    await self._keep_parts()
                finally:
                    await asyncio.to_thread(end_parts, self.settings, self.say)
                    record_file(self.settings, SUPERVISOR).unlink(missing_ok=True)
            return True

    async def _keep_parts(self) -> None:
        self._record("starting")
        self.ports = self._chosen_ports()
        keepers = self._keepers()
        endless = (*(keeper.keep() for keeper in keepers), self._keep_model(), self._tell_when_ready(keepers))
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(work) for work in endless]
        stopped = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # raises why the stack cannot go on
        except TemporalError as error:
            raise StackFailed(str(error)) from error
        finally:
            for unfinished in (*tasks, stopped):
                unfinished.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)

    def _keepers(self) -> list[Keeper]:
        """What missions need, in the order of starting. A Temporal that others run is not ours to keep."""
        worker = Keeper(WORKER, self.settings, self._worker, self.say)
        if is_external():
            return [worker]
        temporal = Keeper(TEMPORAL, self.settings, lambda: self._temporal(temporal.ever_ready), self.say)
        worker.after = temporal
        return [temporal, worker]

    def _temporal(self, ever_ready: bool) -> Part:
        if not ever_ready:
            self.ports = self._chosen_ports()  # somebody may have been quicker; later they are what clients know
        return temporal_part(self.settings, self.ports, configured_namespace())

    def _worker(self) -> Part:
        return worker_part(self.settings, self.ports, self.worker_program)

    def _chosen_ports(self) -> Ports:
        facts = [record.facts for record in look(self.settings).parts.values()]
        ours = {value for fact in facts for key, value in fact.items() if "port" in key and isinstance(value, int)}
        return choose_ports(self.settings, frozenset(ours))

    async def _keep_model(self) -> None:
        model = Keeper(MODEL, self.settings, lambda: model_part(self.settings, self.ports), self.say)
        while not any(self.settings.scenarios.glob("*.json")):  # noqa: ASYNC110 - other processes write there
            await asyncio.sleep(SCENARIOS_EVERY)
        await model.keep()

    async def _tell_when_ready(self, keepers: list[Keeper]) -> None:
        for keeper in keepers:
            self._record(f"starting {keeper.name}")
            await keeper.ready.wait()
        self._record(READY)
        self.say("ready")
        await asyncio.Event().wait()

    def _record(self, doing: str) -> None:
        ProcessRecord.of(os.getpid(), doing=doing).write(record_file(self.settings, SUPERVISOR))

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Signals ask us to stop; a second one while we do changes nothing, so that no part is left behind."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for one in signals:
            loop.add_signal_handler(one, self._told_to_stop, one)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)

    def _told_to_stop(self, how: signal.Signals) -> None:
        if not self.stop.is_set():
            self.say("stopping")
            self._record("stopping")
        elif how is signal.SIGINT:
            self.say("still stopping")  # somebody presses Ctrl-C again; `down` just repeats itself
        self.stop.set()
