"""One way to call git: killable, without hooks, signing or clean-up behind our back, in an environment we know."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.git.errors import GitError, NotAWorkspace

_RULES = (
    "gc.auto=0",
    "maintenance.auto=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",  # would leave a daemon for every slot
    "core.splitIndex=false",
    "core.safecrlf=false",  # else `add` refuses files for their line ends
    "commit.gpgsign=false",
    "rerere.enabled=false",  # a remembered resolution must not decide a merge unseen
    "advice.detachedHead=false",
)

#: What of a caller's `GIT_…` still holds for us: who and how, never where.
_INHERITED = re.compile(r"GIT_(SSH|SSL|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|EXEC_PATH|(AUTHOR|COMMITTER)_(NAME|EMAIL))")

_PLAIN = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}

_GRACE = 2.0
"""Seconds git gets to remove its lock files before it is ended."""

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Output:
    """What a git command left."""

    exit_code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode(errors="replace").strip()

    @property
    def names(self) -> tuple[str, ...]:
        """The paths of a `-z` listing, as the file system has them."""
        return tuple(os.fsdecode(name) for name in self.out.split(b"\0") if name)


async def git(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    settings: Sequence[str] = (),
    as_the_user: bool = False,
    limit: int | None = None,
) -> Output:
    """Run git in `cwd`. Raises `GitError` on an exit code that is not 0, unless `check` is off.

    `as_the_user` leaves their hooks and settings in force; `limit` ends git once it has printed so many bytes.
    """
    rules = () if as_the_user else (*_RULES, *settings)
    options = [part for rule in rules for part in ("-c", rule)]
    process = await _start(
        [*options, *arguments], cwd, {**without_repository(os.environ), **_PLAIN, **(env or {})}, stdin
    )
    try:
        out, err = await _read(process, stdin, limit)
    except BaseException:
        await _end(process)
        raise
    output = Output(process.returncode or 0, out, err.decode(errors="replace"))
    cut = limit is not None and len(out) > limit
    if check and output.exit_code and not cut:
        raise GitError(arguments, output.exit_code, output.err or output.text)
    return output


def is_hash(text: str) -> bool:
    return _HASH.fullmatch(text) is not None


def require_hash(commit: str) -> str:
    """`commit`, if it is a full hash; else `ValueError`.

    The name of a branch must never reach git here: `git checkout -B x branch` reads the name twice, and when the
    branch moves in between, index and files are of the old commit below the new one. The next commit then reverts
    what others have merged, with exit code 0 everywhere (measured: 86 of 90 files were kept).
    """
    if not is_hash(commit):
        raise ValueError(f"{commit!r} is not a full commit hash (40 or 64 hexadecimal digits)")
    return commit


def without_repository(environment: Mapping[str, str]) -> dict[str, str]:
    """Without `GIT_DIR`, `GIT_INDEX_FILE` …: a hook that starts us would turn us against its own repository."""
    return {name: value for name, value in environment.items() if not name.startswith("GIT_") or _INHERITED.match(name)}


async def _start(
    arguments: list[str], cwd: Path, environment: dict[str, str], given: bytes | None
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for us to decide on, not for git
        )
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise NotAWorkspace(f"{cwd} does not exist any more") from error
        raise NotAWorkspace("git is not installed, or not on PATH: install git 2.25 or newer") from error


async def _read(process: asyncio.subprocess.Process, given: bytes | None, limit: int | None) -> tuple[bytes, bytes]:
    if limit is None:
        return await process.communicate(given)
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    out = bytearray()
    while len(out) <= limit and (chunk := await process.stdout.read(64 * 1024)):
        out += chunk
    if len(out) > limit:
        await _end(process)
    err = await complaints
    await process.wait()
    return bytes(out), err


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask first: a git that is asked removes its lock files."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
