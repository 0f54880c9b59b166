"""Running a command whose exit code decides: bounded in time and output, and gone completely afterwards."""

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

MOST_OUTPUT = 20 * 1024 * 1024
TAIL_LINES = 20
TAIL_CHARACTERS = 2_000
GRACE = 2.0
"""Seconds between asking a process group to end and ending it."""

_SECRET = re.compile(r"(_API_KEY|_TOKEN|_SECRET|PASSWORD)$|^(OPENCODE|MISSION|TEMPORAL)_")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class CommandError(Exception):
    """The command could not be run, or its log not be written: neither green nor red."""


@dataclass(frozen=True)
class CommandResult:
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
    environment: Mapping[str, str] = os.environ,
) -> CommandResult:
    """Run a shell command in a process group of its own; nothing of the group is left when this returns.

    Raises `CommandError` when the log cannot be written or the folder is gone. Cancelling ends the group, too.
    """
    began = time.monotonic()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh",
            "-c",
            command,
            cwd=cwd,
            env=clean_environment(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(f"`{command}` cannot be run in {cwd}: {error}") from error
    recorder = _Recorder(log, output_limit)
    try:
        ended = await _until_over(process, recorder, time_limit)
    except OSError as error:
        raise CommandError(f"the log {log} of `{command}` cannot be written: {error}") from error
    finally:
        await asyncio.shield(_end_group(process))
        recorder.close()
    exit_code = process.returncode if process.returncode is not None else -signal.SIGKILL
    return CommandResult(exit_code, time.monotonic() - began, recorder.sha256, recorder.tail, ended)


async def _until_over(process: asyncio.subprocess.Process, recorder: "_Recorder", limit: timedelta) -> str:
    reading = asyncio.create_task(recorder.record(process.stdout))  # type: ignore[arg-type]
    waiting = asyncio.create_task(process.wait())
    try:
        # The command itself ends the wait, not the last holder of its output: it may have left a child behind.
        await asyncio.wait({reading, waiting}, timeout=limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        if reading.done() and reading.result():
            return reading.result()
        if not waiting.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 0 if not reading.done() else limit.total_seconds())
        if not waiting.done():
            return f"time limit of {limit.total_seconds():g} s"
        await asyncio.wait({reading}, timeout=0.5)  # what it wrote last is still in the pipe
        return reading.result() if reading.done() else ""
    finally:
        for task in (reading, waiting):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """Members may outlive their leader; the group's id is free only when the last one is gone."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
            deadline = time.monotonic() + GRACE
            while time.monotonic() < deadline:
                os.killpg(process.pid, 0)  # raises when nobody is left
                await asyncio.sleep(0.01)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE)


class _Recorder:
    """Writes output to the log, hashes it and remembers its end; memory stays bounded."""

    def __init__(self, log: Path, limit: int) -> None:
        self._stream, self._limit = log.open("wb"), limit
        self._hash, self._end, self._size = hashlib.sha256(), b"", 0

    async def record(self, output: asyncio.StreamReader) -> str:
        """Until the output ends: empty; or why it went on for too long."""
        while chunk := await output.read(64 * 1024):
            kept = chunk[: self._limit - self._size]
            self._stream.write(kept)
            self._hash.update(kept)
            self._size += len(kept)
            self._end = (self._end + kept)[-4 * TAIL_CHARACTERS :]
            if len(kept) < len(chunk):
                return f"printed more than {self._limit // (1024 * 1024)} MB"
        self._stream.flush()
        return ""

    def close(self) -> None:
        with contextlib.suppress(OSError):  # told already, if it matters
            self._stream.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def tail(self) -> str:
        text = _CONTROL.sub("", self._end.decode(errors="replace").replace("\r\n", "\n"))
        return "\n".join(text.strip().splitlines()[-TAIL_LINES:])[-TAIL_CHARACTERS:]


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without secrets, and without our own Python: `python3 -m pytest` means the project's."""
    kept = {name: value for name, value in environment.items() if not _SECRET.search(name)}
    if kept.get("VIRTUAL_ENV") == sys.prefix:
        del kept["VIRTUAL_ENV"]
    if sys.prefix != sys.base_prefix:
        ours = str(Path(sys.prefix) / "bin")
        folders = [folder for folder in kept.get("PATH", "").split(os.pathsep) if folder != ours]
        kept["PATH"] = os.pathsep.join(folders)
    return kept
