"""One way to call git: no hooks, no signing, no clean-up behind our back, nothing inherited from a caller's git."""

import asyncio
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from adapters.git.errors import GitError

_QUIET = (
    "gc.auto=0",
    "maintenance.auto=false",
    "core.hooksPath=/dev/null",
    "commit.gpgsign=false",
    "advice.detachedHead=false",
)
_SETTINGS = tuple(part for setting in _QUIET for part in ("-c", setting))
OURS = {"name": "OpenCode Orchestrator", "email": "orchestrator@localhost"}


async def git(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
    hooks: bool = False,
) -> str:
    """What it printed, without the last newline. Raises `GitError` when the exit code is not one of `ok`."""
    return (await git_bytes(*arguments, cwd=cwd, env=env, ok=ok, hooks=hooks))[1].decode(errors="replace").rstrip("\n")


async def git_bytes(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
    hooks: bool = False,
) -> tuple[int, bytes]:
    """Exit code and output as it is."""
    settings = ("-c", "gc.auto=0") if hooks else _SETTINGS
    process = await asyncio.create_subprocess_exec(
        "git",
        *settings,
        *arguments,
        cwd=cwd,
        env={**_environment(), **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    code = process.returncode or 0
    if code not in ok:
        raise GitError(" ".join(arguments), code, (err or out).decode(errors="replace"))
    return code, out


@cache
def _environment() -> dict[str, str]:
    """Ours without `GIT_DIR`, `GIT_INDEX_FILE` and the like: a hook that starts us must not turn us against itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or "CONFIG" in name}
    return {**inherited, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


async def identity(cwd: Path) -> dict[str, str]:
    """Who commits: the user if git knows them there, else we."""
    found = {}
    for key, default in OURS.items():
        found[key] = await git("config", "--get", f"user.{key}", cwd=cwd, ok=(0, 1)) or default
    return {
        "GIT_AUTHOR_NAME": found["name"],
        "GIT_AUTHOR_EMAIL": found["email"],
        "GIT_COMMITTER_NAME": found["name"],
        "GIT_COMMITTER_EMAIL": found["email"],
    }


def require_hash(commit: str) -> str:
    """`commit` if it is a full hash.

    A branch name must never reach git here: `git checkout -B x branch` reads the name twice, and when the branch moves
    in between, index and files are of the old commit under the new one. The next commit then silently reverts what
    others have merged (seen: 86 of 90 files kept, every exit code 0).
    """
    if len(commit) not in (40, 64) or not all(character in "0123456789abcdef" for character in commit):
        raise ValueError(f"{commit!r} is not a full commit hash")
    return commit
