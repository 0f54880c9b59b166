"""The program that runs agents' commands, and the commands that a dead OpenCode left behind."""

import contextlib
import os
import shutil
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
    psutil.wait_procs(strays, timeout=2.0)


def _marked(home: str) -> Iterator[psutil.Process]:
    # Whoever starts the orchestrator out of an agent's command carries the mark, too.
    own = psutil.Process()
    spared = {own.pid, *(p.pid for p in own.parents()), *(p.pid for p in own.children(recursive=True))}
    for process in psutil.process_iter():
        try:
            if process.pid not in spared and process.environ().get(MARK) == home:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
