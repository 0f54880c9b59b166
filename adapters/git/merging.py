"""Bringing work to the mission's branch, and looking at what changed."""

from dataclasses import dataclass
from datetime import datetime

from adapters.git.command import git, git_bytes, identity, require_hash
from adapters.git.errors import BranchMoved
from adapters.git.slots import Slot
from adapters.git.workspace import Workspace


@dataclass(frozen=True)
class Merged:
    commit: str
    #: The merged files are exactly those of the commit that was merged: what was checked there holds here.
    tree_unchanged: bool


@dataclass(frozen=True)
class Conflict:
    files: tuple[str, ...]


@dataclass(frozen=True)
class Diff:
    text: str
    truncated: bool


async def merge(slot: Slot, onto: str, commit: str, message: str, moment: datetime) -> Merged | Conflict:
    """Merge in the slot, detached; no branch moves. The same arguments give the very same commit."""
    await git("checkout", "-q", "-f", "--detach", require_hash(onto), cwd=slot.path)
    await git("clean", "-q", "-ffd", cwd=slot.path)
    date = moment.isoformat()
    env = {**await identity(slot.path), "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    merge = ("merge", "-q", "--no-ff", "--no-edit", "-m", message, require_hash(commit))
    code, _ = await git_bytes(*merge, cwd=slot.path, env=env, ok=(0, 1))
    if code:
        files = (await git("diff", "--name-only", "--diff-filter=U", cwd=slot.path)).splitlines()
        await git("reset", "-q", "--hard", onto, cwd=slot.path)
        return Conflict(tuple(files))
    merged, tree = (await git("log", "-1", "--format=%H %T", cwd=slot.path)).split()
    return Merged(merged, tree == await git("rev-parse", f"{commit}^{{tree}}", cwd=slot.path))


async def advance(workspace: Workspace, branch: str, new: str, old: str | None) -> None:
    """Move a branch from `old` (None: it is new) to `new`. Already there is fine; elsewhere is `BranchMoved`."""
    where = {"cwd": workspace.directory, "env": workspace.env}
    ref = f"refs/heads/{branch}"
    is_at = await git("rev-parse", "-q", "--verify", ref, **where, ok=(0, 1))  # type: ignore[arg-type]
    if is_at == new:
        return
    if is_at != (old or ""):
        raise BranchMoved(
            f"the branch {branch} was moved to {is_at or 'nowhere'} by somebody, we left it at {old or 'nowhere'}: "
            f"bring it back with `git branch -f {branch} {old}` if nothing on it is needed"
        )
    await git("update-ref", ref, require_hash(new), old or "", **where)  # type: ignore[arg-type]


async def delete_branch(workspace: Workspace, branch: str) -> None:
    """Gone already is fine."""
    await git("update-ref", "-d", f"refs/heads/{branch}", cwd=workspace.directory, env=workspace.env, ok=(0, 1))


async def diff(workspace: Workspace, base: str, commit: str, limit: int) -> Diff:
    """What changed from one commit to the other, at most `limit` bytes."""
    _, out = await git_bytes(
        "diff",
        "--no-color",
        "--no-ext-diff",
        require_hash(base),
        require_hash(commit),
        cwd=workspace.directory,
        env=workspace.env,
    )
    return Diff(out[:limit].decode(errors="replace"), len(out) > limit)
