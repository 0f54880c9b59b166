"""Who works in which slot: one small file, shared by every process on the host."""

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.files import write_atomically
from adapters.git.errors import NotAWorkspace


@dataclass
class Lease:
    """One slot of a repository."""

    #: Empty: the slot is free.
    holder: str = ""
    #: Something of this holder was committed from it: the next lease does not begin anew.
    kept: bool = False
    #: Git's own folder for the worktree. Kept here because an agent may delete the `.git` file that names it.
    git_dir: str = ""


@dataclass(frozen=True)
class Leases:
    """The file and the locks around it."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "leases.json"

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[dict[int, Lease]]:
        """The leases, for this body alone; written if it ends well and changed them."""
        async with _alone(self.folder / "leases.lock"):
            leases = self.read()
            before = _written(leases)
            yield leases
            if (after := _written(leases)) != before:
                write_atomically(self.file, after)

    @contextlib.asynccontextmanager
    async def making(self) -> AsyncIterator[None]:
        """Worktrees are made one at a time: git reads the records of all others, and fails on a half-made one."""
        async with _alone(self.folder / "making.lock"):
            yield

    def read(self) -> dict[int, Lease]:
        try:
            text = self.file.read_text()
        except FileNotFoundError:
            return {}
        try:
            return {int(number): Lease(**lease) for number, lease in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise NotAWorkspace(
                f"{self.file} cannot be read ({error}); if no mission runs in this repository, delete it"
            ) from error


def _written(leases: dict[int, Lease]) -> str:
    return json.dumps({str(number): asdict(lease) for number, lease in sorted(leases.items())}, indent=1)


@contextlib.asynccontextmanager
async def _alone(file: Path) -> AsyncIterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Another process holds it: there is no event, and a thread that waits in the kernel cannot be cancelled.
        while not _locked(descriptor):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        yield
    finally:
        os.close(descriptor)  # which gives the lock back, as does the end of the process


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
