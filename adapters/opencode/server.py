"""Our own OpenCode: started, adopted from a worker that died, restarted when it dies, ended with all its commands."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.errors import OpenCodeError, OpenCodeUnreachable, OpenCodeUnsupported
from adapters.opencode.executable import Search
from adapters.opencode.health import until_healthy
from adapters.opencode.shell import MARK, end_strays, write_shell
from adapters.processes import ProcessRecord

WATCH_EVERY = 0.2
CLIENT_WITHIN = 60.0
LONGEST_PAUSE = 15.0
LIVED = 30.0
"""Seconds after which a death is no longer taken for a failed start."""

# Servers outlive this object, on purpose; Popen warns when it is collected before its process has ended.
_started: list[subprocess.Popen[bytes]] = []


class OpenCodeServer:
    """One OpenCode a home folder. Several workers may share it: the first starts it, the others adopt it."""

    def __init__(
        self,
        *,
        home: Path,
        record: Path,
        log: Path,
        config: Mapping[str, object],
        executable: Path | None = None,
        project: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`home`: database and shell. `project`: the folder below which `tools/` may hold an OpenCode."""
        self._home, self._file, self._log = home, record, log
        self._config = {"shell": str(home / "shell"), **config}
        self._search = Search(environment, executable, project)
        self._environment = environment
        self._record: ProcessRecord | None = None
        self._client: OpenCodeClient | None = None
        #: Why it is not up, for whoever shows or waits for it.
        self.trouble: OpenCodeError | None = None

    @property
    def record(self) -> ProcessRecord | None:
        """The living server: its id, and how to reach it."""
        return self._record if self._record is not None and self._record.alive else None

    async def start(self) -> None:
        """Adopt the recorded server or start one; it is healthy afterwards. Does nothing if it is already."""
        try:
            async with self._alone():
                if self.record is None:
                    await self._adopt_or_launch()
            self.trouble = None
        except OpenCodeError as error:
            self.trouble = error
            raise

    async def supervise(self) -> None:
        """Keeps it running until cancelled, and leaves it running then: the next worker adopts it."""
        failures = 0
        while True:
            born = time.monotonic()
            with contextlib.suppress(OpenCodeError):  # kept as `trouble` for whoever waits for a client
                await self.start()
            while self.record is not None:  # noqa: ASYNC110 (another worker's process tells us nothing)
                await asyncio.sleep(WATCH_EVERY)
            failures = 0 if time.monotonic() - born > LIVED else failures + 1
            if failures > 1:  # the first restart is immediate: turns wait for it
                await asyncio.sleep(min(0.5 * 2**failures, LONGEST_PAUSE))

    async def client(self, within: float = CLIENT_WITHIN) -> OpenCodeClient:
        """Waits until it is healthy: nothing may be sent to one that is starting, it would never answer."""
        deadline = time.monotonic() + within
        while self.record is None or self._client is None:
            if isinstance(self.trouble, OpenCodeUnsupported):
                raise self.trouble
            if time.monotonic() > deadline:
                reason = f": {self.trouble}" if self.trouble else ""
                raise OpenCodeUnreachable(f"OpenCode did not come up within {within:.0f} s{reason}") from self.trouble
            await asyncio.sleep(0.05)
        return self._client

    async def stop(self) -> None:
        """Ends it and what its agents have started; returns when all are gone."""
        async with self._alone():
            if record := self.record or ProcessRecord.read(self._file):
                # It has ignored SIGTERM while a turn ran.
                await asyncio.to_thread(record.end, 3.0)
            self._record = None
            self._file.unlink(missing_ok=True)
            await asyncio.to_thread(end_strays, self._home)
        await self.aclose()

    async def aclose(self) -> None:
        """Leaves it running."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _adopt_or_launch(self) -> None:
        await self.aclose()
        fingerprint = self._fingerprint()
        if not await self._adopt(fingerprint):
            await self._launch(fingerprint)

    async def _adopt(self, fingerprint: str) -> bool:
        record = ProcessRecord.read(self._file)
        if record is None or not record.alive:
            return False
        client = _client_of(record)
        try:
            if record.facts.get("fingerprint") == fingerprint:
                await until_healthy(client, record, within=5.0)
                self._record, self._client = record, client
                return True
        except OpenCodeError:
            pass  # another one will be started
        await client.aclose()
        await asyncio.to_thread(record.end, 3.0)
        return False

    async def _launch(self, fingerprint: str) -> None:
        executable = await self._search.find()
        await asyncio.to_thread(end_strays, self._home)
        write_shell(self._home)
        password, port = secrets.token_urlsafe(24), _free_port()
        process = self._spawn(executable.path, port, password)
        record = ProcessRecord.of(
            process.pid,
            url=f"http://127.0.0.1:{port}",
            password=password,
            version=executable.version,
            fingerprint=fingerprint,
        )
        record.write(self._file)
        client = _client_of(record)
        try:
            await until_healthy(client, record)
        except BaseException as error:
            await client.aclose()
            record.end(grace=1.0)
            if isinstance(error, OpenCodeUnreachable):
                raise OpenCodeUnreachable(f"{error}; {self._log} ends with: {_tail(self._log)}") from error
            raise
        self._record, self._client = record, client

    def _spawn(self, program: Path, port: int, password: str) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **self._environment,
            MARK: str(self._home),
            # A database of our own: two servers on one run the same prompt twice.
            "OPENCODE_DB": str(self._home / "opencode.db"),
            "OPENCODE_CONFIG_CONTENT": json.dumps(self._config),
            "OPENCODE_SERVER_PASSWORD": password,
            "OPENCODE_SERVER_USERNAME": "opencode",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }
        where = ["--hostname", "127.0.0.1", "--port", str(port)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [program, "serve", *where, "--print-logs", "--log-level", "WARN"],
                cwd=self._home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in our terminal is not for it
            )
        _started.append(process)
        return process

    def _fingerprint(self) -> str:
        """What a server must agree in to be adopted."""
        config = json.dumps(self._config, sort_keys=True)
        return hashlib.sha256(f"{config}\n{self._search.stamp()}".encode()).hexdigest()[:32]

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Two workers that start at once must not start two servers on one database."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._home / "lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            yield


def _client_of(record: ProcessRecord) -> OpenCodeClient:
    return OpenCodeClient(str(record.facts.get("url", "")), str(record.facts.get("password", "")))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path, lines: int = 5) -> str:
    with contextlib.suppress(OSError):
        return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) or "nothing"
    return "nothing"
