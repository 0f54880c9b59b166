"""Ending a whole process group, and what left it."""

import asyncio
import contextlib
import os
import signal
import time

import psutil

GRACE = 2.0
"""Seconds a group gets to end by itself once it is asked to."""


async def end_group(leader: int) -> None:
    """Ask every process of the group to end, then end it. Returns when all are gone, also if the leader went first.

    Children that began a session of their own are ended as well while their parents still live.
    """
    family = _descendants(leader)
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not is_alive(leader):
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, how)
        await _until_gone(leader)
    for process in family:  # known by id and start time: never another one
        with contextlib.suppress(psutil.Error):
            process.kill()


async def _until_gone(group: int) -> None:
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and is_alive(group):  # noqa: ASYNC110 - the kernel tells nobody but the parent
        await asyncio.sleep(0.02)


def is_alive(group: int) -> bool:
    """Whether a process of the group runs. Zombies do not: in a container nobody may ever collect them."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return any(_runs_in(group, pid) for pid in psutil.pids())


def _runs_in(group: int, pid: int) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (OSError, psutil.Error):
        return False


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return []
        return process.children(recursive=True)
    except psutil.Error:
        return []
