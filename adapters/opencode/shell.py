"""The program that runs agents' commands, and the commands that a dead OpenCode left behind."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from adapters.opencode.errors import OpenCodeUnsupported

MARK = "ORCHESTRATOR_OPENCODE_HOME"
"""Set for the server and inherited by every command its agents start: how they are found when it is dead."""

_SCRIPT = """\
#!{bash}
# Agents' commands must not see OpenCode's password, nor the configuration with its provider keys.
unset "${{!OPENCODE_@}}"
exec {bash} "$@"
"""


def write_shell(folder: Path) -> Path:
    """For OpenCode's key `shell`. It hides variables; it is no sandbox."""
    bash = shutil.which("bash")
    if bash is None:
        raise OpenCodeUnsupported("bash was not found on PATH: OpenCode's agents run their commands with it")
    script = folder / "shell"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f".shell.{os.getpid()}"
    fresh.write_text(_SCRIPT.format(bash=bash))
    fresh.chmod(0o755)
    fresh.replace(script)
    return script


def end_strays(home: Path) -> None:
    """End what a dead server with this home left running.

    Each command leads a process group of its own and goes on when OpenCode is killed: it would write into a slot that
    the next attempt works in.
    """
    strays = list(_marked(str(home)))
    for stray in strays:
        with contextlib.suppress(psutil.NoSuchProcess):
            stray.kill()
    deadline = time.monotonic() + 2.0
    # Not psutil's own waiting: where process 1 is slow to reap, or never does, it waits for zombies.
    while any(map(_runs, strays)) and time.monotonic() < deadline:
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _marked(home: str) -> Iterator[psutil.Process]:
    own = psutil.Process()
    spared: set[int] = set()
    if own.environ().get(MARK) == home:  # the orchestrator itself was started out of an agent's command
        spared = {process.pid for process in (own, *own.parents(), *own.children(recursive=True))}
    for process in psutil.process_iter():
        try:
            if process.pid not in spared and process.environ().get(MARK) == home:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
