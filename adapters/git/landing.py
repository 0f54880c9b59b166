"""Landing: the one moment a mission's work enters the user's own branch, because they said so."""

import asyncio
from dataclasses import dataclass

from adapters.git.command import Output, git, require_hash
from adapters.git.errors import MergeRefused
from adapters.git.folder_landing import land_in_folder
from adapters.git.repository import Workspace

__all__ = ["Landed", "MergeRefused", "land"]


@dataclass(frozen=True)
class Landed:
    """`commit` holds the mission's work and is where the user's branch, or their folder, is now."""

    commit: str
    #: There was nothing to do.
    already: bool


async def land(workspace: Workspace, commit: str, base: str, started_from: str, message: str) -> Landed:
    """Merge into the branch the mission started from. Raises `MergeRefused`, and then the checkout is as it was."""
    if (await workspace.git("cat-file", "-e", f"{require_hash(commit)}^{{commit}}", check=False)).exit_code:
        raise MergeRefused(f"{workspace.directory} does not hold the commit {commit} (any more): it cannot be landed")
    if workspace.private:
        return Landed(*await land_in_folder(workspace, commit, base, message))
    head = (await workspace.git("rev-parse", "-q", "--verify", "HEAD^{commit}", check=False)).text
    await _refuse_another_branch(workspace, commit, started_from)
    if head and not (await workspace.git("merge-base", "--is-ancestor", commit, head, check=False)).exit_code:
        return Landed(head, already=True)
    await _refuse_unfinished(workspace)
    await _refuse_files_in_the_way(workspace, commit, base)
    # A branch without commits has nothing to merge with: it begins with the mission's.
    how = ("--no-ff", "--no-edit", "-m", message) if head else ("--ff-only",)
    return await _merge(workspace, commit, how)


async def _refuse_another_branch(workspace: Workspace, commit: str, started_from: str) -> None:
    here = workspace.directory
    branch = (await workspace.git("symbolic-ref", "-q", "--short", "HEAD", check=False)).text
    if not started_from:
        raise MergeRefused(
            f"the mission started from a detached HEAD, so there is no branch to land on; "
            f"where you want it: git merge {await _name_of(workspace, commit)}"
        )
    if branch != started_from:
        raise MergeRefused(
            f"{here} is on {branch or 'no branch'}, the mission started from {started_from}: "
            f"git switch {started_from}, then land again"
        )


async def _refuse_unfinished(workspace: Workspace) -> None:
    for name, what in (("MERGE_HEAD", "merge"), ("rebase-merge", "rebase"), ("rebase-apply", "rebase")):
        if (workspace.git_dir / name).exists():
            raise MergeRefused(f"a {what} is under way in {workspace.directory}: end it or abort it, then land again")
    status = await workspace.git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
    if changed := [name[3:] for name in status.names]:
        raise MergeRefused(
            f"{workspace.directory} has uncommitted changes: {_listed(changed)}. Commit or stash them, then land again"
        )


async def _refuse_files_in_the_way(workspace: Workspace, commit: str, base: str) -> None:
    """Git refuses as well, but only in the middle of a merge and in words of its own."""
    new = await workspace.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=A", base, commit)
    tracked = set((await workspace.git("ls-files", "-z")).names)
    if found := [name for name in new.names if name not in tracked and (workspace.directory / name).exists()]:
        raise MergeRefused(f"untracked files are in the way: {_listed(found)}. Move them or add them, then land again")


async def _merge(workspace: Workspace, commit: str, how: tuple[str, ...]) -> Landed:
    """With the user's own hooks, settings and identity: it is their checkout."""
    try:
        merging = await _theirs(workspace, "merge", "-q", *how, commit, check=False)
    except BaseException:  # Ctrl-C in the middle
        await asyncio.shield(_theirs(workspace, "merge", "--abort", check=False))
        raise
    if merging.exit_code == 0:
        return Landed((await workspace.git("rev-parse", "HEAD")).text, already=False)
    conflicts = (await _theirs(workspace, "diff", "--name-only", "--diff-filter=U", "-z")).names
    await _theirs(workspace, "merge", "--abort", check=False)
    if conflicts:
        raise MergeRefused(
            f"these files conflict with your branch: {_listed(conflicts)}. Nothing was changed; "
            f"to resolve it yourself: git merge {await _name_of(workspace, commit)}"
        )
    said = (merging.err or merging.text).strip()[-800:]
    raise MergeRefused(f"git refused the merge, nothing was changed: {said or f'exit code {merging.exit_code}'}")


async def _theirs(workspace: Workspace, *arguments: str, check: bool = True) -> Output:
    """Git as it is when they call it in their checkout."""
    return await git(*arguments, cwd=workspace.directory, env=workspace.identity, check=check, as_the_user=True)


async def _name_of(workspace: Workspace, commit: str) -> str:
    branches = ("for-each-ref", "--count=1", "--format=%(refname:short)", "--points-at", commit, "refs/heads")
    return (await workspace.git(*branches)).text or commit[:12]


def _listed(names: list[str] | tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name.encode(errors="replace").decode() for name in names[:most]) + more
