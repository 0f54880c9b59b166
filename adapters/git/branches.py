"""Branches of ours: moved only from where we left them, and never held up by a lock that nobody holds."""

import re
import time
from pathlib import Path

from adapters.git.command import Output, require_hash
from adapters.git.errors import BranchMoved, GitError, NotAWorkspace
from adapters.git.repository import Workspace

_STALE = 10.0
"""Seconds after which a lock on one of our branches belongs to a git that was killed: moving it takes milliseconds."""


async def advance(workspace: Workspace, branch: str, new: str, old: str | None) -> None:
    """Move a branch from `old` to `new`. Raises `BranchMoved` when it is elsewhere; there already is fine.

    `old=None` begins the branch, wherever it was. One that was deleted is made again: we hold its hash.
    """
    if old is None:
        await point_branch(workspace, branch, new)
        return
    moved = await _update(workspace, branch, require_hash(new), require_hash(old))
    if moved.exit_code == 0:
        return
    found = (await workspace.git("rev-parse", "-q", "--verify", f"refs/heads/{branch}", check=False)).text
    if not found:
        await point_branch(workspace, branch, new)
    elif found not in (new, old):
        raise BranchMoved(branch, expected=old, found=found)
    elif found == old:
        raise GitError(("update-ref", branch, new), moved.exit_code, moved.err)


async def point_branch(workspace: Workspace, branch: str, commit: str) -> None:
    """The branch is at `commit`, wherever it was."""
    moved = await _update(workspace, branch, require_hash(commit))
    if obstacle := re.search(r"'refs/heads/(\S+)' exists; cannot create", moved.err):
        name = obstacle[1]
        raise NotAWorkspace(f"the branch {name} is in the way of {branch}: rename it (git branch -m {name} my-{name})")
    if moved.exit_code:
        raise GitError(("update-ref", branch, commit), moved.exit_code, moved.err)


async def delete_branch(workspace: Workspace, branch: str) -> None:
    """Gone already is fine."""
    await workspace.git("update-ref", "-d", f"refs/heads/{branch}")


async def _update(workspace: Workspace, branch: str, *commits: str) -> Output:
    moved = await workspace.git("update-ref", f"refs/heads/{branch}", *commits, check=False)
    if moved.exit_code and "File exists" in moved.err and _break_lock(workspace, branch):
        moved = await workspace.git("update-ref", f"refs/heads/{branch}", *commits, check=False)
    return moved


def _break_lock(workspace: Workspace, branch: str) -> bool:
    lock = Path(f"{workspace.common_dir / 'refs' / 'heads' / branch}.lock")
    try:
        if time.time() - lock.stat().st_mtime < _STALE:
            return False
        lock.unlink()
    except OSError:
        return False
    return True
