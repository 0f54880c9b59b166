"""Running a command whose exit code decides: bounded in time, output and memory, and gone completely afterwards.

CommandError    neither green nor red: it could not be started, or its log could not be written
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.git.command import without_repository
from adapters.process_groups import end_group

MOST_OUTPUT = 20 * 1024 * 1024
TAIL_LINES = 20
TAIL_CHARACTERS = 2_000

_CHUNK = 64 * 1024
_OURS = re.compile(r"(OPENCODE|MISSION|TEMPORAL)_")
_SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|(^|_)(API_?KEY|TOKEN|ACCESS_KEY|PRIVATE_KEY)$")
_CONTROL = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class CommandError(Exception):
    """The command says nothing about the work: look at the machine."""


@dataclass(frozen=True)
class CommandResult:
    #: As a shell tells it: 128 + n when signal n ended it.
    exit_code: int
    seconds: float
    #: Of the whole log.
    sha256: str
    #: The last lines, without control characters.
    tail: str
    #: Why we ended it; empty if it ended by itself.
    ended: str


async def run_command(
    command: str,
    *,
    cwd: Path,
    time_limit: timedelta,
    log: Path,
    output_limit: int = MOST_OUTPUT,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run a shell command in a process group of its own; nothing of the group is left when this returns.

    `env` is added to an environment without secrets. Raises `CommandError`. Cancelling ends the group, too.
    """
    began = time.monotonic()
    with _log_of(command, log) as descriptor:
        recorder = _Recorder(descriptor, output_limit)
        async with _started(command, cwd, env or {}) as (process, output):
            recording = asyncio.create_task(recorder.record(output))
            try:
                ended = await _until_over(process, recording, time_limit)
            finally:
                await asyncio.shield(_end(process, recording))
            if recording.done():
                ended = ended or recording.result()
    seconds, code = time.monotonic() - began, process.returncode or 0
    return CommandResult(128 - code if code < 0 else code, seconds, recorder.sha256, recorder.tail, ended)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without secrets, our own settings and our own Python: `python3` means the project's."""
    kept = {
        name: value
        for name, value in without_repository(environment).items()
        if not _OURS.match(name) and not _SECRET.search(name.upper())
    }
    if sys.prefix == sys.base_prefix:
        return kept
    for name in [name for name in kept if name == "VIRTUAL_ENV" or name.startswith("PYTHON")]:
        if any(_is_ours(path) for path in kept[name].split(os.pathsep)):
            del kept[name]
    kept["PATH"] = os.pathsep.join(path for path in kept.get("PATH", "").split(os.pathsep) if not _is_ours(path))
    return kept


def _is_ours(path: str) -> bool:
    return bool(path) and Path(path).is_relative_to(sys.prefix)


@contextlib.contextmanager
def _log_of(command: str, log: Path) -> Iterator[int]:
    """A descriptor to write the log to; what goes wrong with it is told as such, and never makes a check green."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb", buffering=0) as stream:
            yield stream.fileno()
    except OSError as error:
        raise CommandError(f"the log {log} of `{command[:100]}` cannot be written: {error.strerror}") from error


@contextlib.asynccontextmanager
async def _started(
    command: str, cwd: Path, env: Mapping[str, str]
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """The running command and its output.

    The pipe is ours and not asyncio's, whose `wait` waits for everyone who holds the output as well.
    """
    loop = asyncio.get_running_loop()
    output = asyncio.StreamReader(limit=_CHUNK)
    ours, theirs = os.pipe()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), os.fdopen(ours, "rb"))
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                shutil.which("bash") or "/bin/sh",
                "-c",
                command,
                cwd=cwd,
                env={**clean_environment(os.environ), **env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise CommandError(f"`{command[:100]}` cannot be run in {cwd}: {_why(error, cwd)}") from error
        finally:
            os.close(theirs)
        yield process, output
    finally:
        transport.close()


def _why(error: OSError | ValueError, cwd: Path) -> str:
    if not cwd.is_dir():
        return "the folder does not exist"
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return "the command is too long for this system"
    return str(error)


async def _until_over(process: asyncio.subprocess.Process, recording: asyncio.Task[str], limit: timedelta) -> str:
    """Why it has to be ended, or empty when it has ended. Its last output may still be on the way."""
    leaving = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(limit.total_seconds()):
            # The command ends the wait, not the last holder of its output: it may have left children behind.
            await asyncio.wait({recording, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if recording.done() and (why := recording.result()):
                return why
            await leaving
    except TimeoutError:
        return f"time limit of {limit.total_seconds():g} s"
    finally:
        leaving.cancel()
    return ""


async def _end(process: asyncio.subprocess.Process, recording: asyncio.Task[str]) -> None:
    await end_group(process.pid)
    await process.wait()
    await asyncio.wait({recording}, timeout=1)  # a child that left the group may hold the output open for ever
    recording.cancel()


class _Recorder:
    """Writes output to the log, hashes it and remembers its end; memory stays bounded."""

    def __init__(self, log: int, limit: int) -> None:
        self._log, self._limit, self._size = log, limit, 0
        self._hash, self._end = hashlib.sha256(), b""

    async def record(self, output: asyncio.StreamReader) -> str:
        """Until the output ends: empty; or why it went on for too long."""
        while chunk := await output.read(_CHUNK):
            kept = chunk[: self._limit - self._size]
            self._hash.update(kept)
            self._size += len(kept)
            self._end = (self._end + kept)[-8 * TAIL_CHARACTERS :]
            self._write(kept)
            if len(kept) < len(chunk):
                return f"printed more than {self._limit / 1024 / 1024:.3g} MB"
        return ""

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._log, data) :]

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def tail(self) -> str:
        """As a terminal would show it, progress bars included: only what comes after the last carriage return."""
        text = self._end.decode(errors="replace").replace("\r\n", "\n")
        lines = [_CONTROL.sub("", line.rsplit("\r", 1)[-1]) for line in text.split("\n")]
        return "\n".join("\n".join(lines).strip().split("\n")[-TAIL_LINES:])[-TAIL_CHARACTERS:]
