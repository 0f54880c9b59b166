"""Bringing work to the mission's branch, and looking at what changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.git.branches import advance, delete_branch
from adapters.git.command import Output, require_hash
from adapters.git.contents import is_untouched_at, set_to, stage
from adapters.git.errors import GitError
from adapters.git.repository import Workspace
from adapters.git.slot import Slot

__all__ = [
    "Conflict",
    "Diff",
    "Merged",
    "advance",
    "bring_in",
    "changed_files",
    "delete_branch",
    "diff",
    "has_conflict_markers",
    "log",
    "merge",
]

_MARKERS = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


@dataclass(frozen=True)
class Merged:
    commit: str
    tree: str
    #: The files are exactly those of the commit that was merged: what was checked there holds here.
    tree_unchanged: bool


@dataclass(frozen=True)
class Conflict:
    files: tuple[str, ...]


@dataclass(frozen=True)
class Diff:
    text: str
    files: tuple[str, ...]
    #: `text` was cut at the limit; `files` are always all.
    truncated: bool


async def merge(slot: Slot, onto: str, commit: str, message: str, moment: datetime | None = None) -> Merged | Conflict:
    """A merge commit of both, made in the slot; no branch moves. Unless `tree_unchanged`, the slot holds its files.

    The merge is made the other way round, `onto` into `commit`: the slot holds `commit` already, so only the files of
    others change and builds stay warm. With the same `moment` the same merge is the very same commit.
    """
    base = (await slot.git("merge-base", require_hash(onto), require_hash(commit), check=False)).text
    if base == commit:  # nothing new, or merged before
        await set_to(slot, onto)
        tree = await _tree(slot, onto)
        return Merged(onto, tree, tree == await _tree(slot, commit))
    work = tree = await _tree(slot, commit)
    if base != onto:
        if not await is_untouched_at(slot, commit):
            await set_to(slot, commit)
        if conflicts := await bring_in(slot, onto):
            return Conflict(conflicts)
        tree = (await slot.git("write-tree")).text
    parents = ("-p", onto, "-p", commit)
    date = f"@{int((moment or datetime.now(UTC)).timestamp())} +0000"
    said = message.encode(errors="replace")
    merged = (await slot.git("commit-tree", tree, *parents, "-F", "-", stdin=said, date=date)).text
    if base != onto:
        await _settle(slot, merged)
    return Merged(merged, tree, tree == work)


async def _settle(slot: Slot, merged: str) -> None:
    await slot.detach_at(merged)
    slot.forget_unfinished()
    slot.show_index()
    slot.remember(merged)


async def bring_in(slot: Slot, onto: str, *, leave_conflicts: bool = False) -> tuple[str, ...]:
    """Merge `onto` into what the slot is set to, without a commit. The files in conflict; undone if not left."""
    merging = await _try(slot, onto)
    if merging.exit_code and not (conflicts := await _unmerged(slot)):
        # Ignored files where the merge needs a folder, or the other way round: better cold builds than no merge.
        await set_to(slot, slot.left.commit)
        await slot.git("clean", "-q", "-ffdx")
        merging = await _try(slot, onto)
    conflicts = await _unmerged(slot) if merging.exit_code else ()
    if merging.exit_code and not conflicts:
        raise GitError(("merge", onto), merging.exit_code, merging.err or merging.text)
    if leave_conflicts:
        await _leave(slot)
    elif conflicts:
        await set_to(slot, slot.left.commit)
    return conflicts


async def _try(slot: Slot, onto: str) -> Output:
    return await slot.git("merge", "-q", "--no-commit", "--no-ff", require_hash(onto), check=False)


async def _unmerged(slot: Slot) -> tuple[str, ...]:
    out = (await slot.git("diff", "--name-only", "--diff-filter=U", "-z")).out.decode(errors="replace")
    return tuple(sorted({name for name in out.split("\0") if name}))


async def _leave(slot: Slot) -> None:
    """Show the agent the merge as it stands, and remember it as ours: nobody's work is lost when it is begun again."""
    slot.show_index()
    commit = slot.left.commit
    merge = slot.index.read_bytes()
    tree, _ = await stage(slot, commit)
    slot.index.write_bytes(merge)
    slot.remember(commit, tree)


def has_conflict_markers(slot: Slot, files: Sequence[str]) -> bool:
    """Whether any of these files still holds both sides of a conflict."""
    for name in files:
        file = slot.path / name
        if file.is_file() and len(set(_MARKERS.findall(file.read_bytes()))) == 2:
            return True
    return False


async def diff(workspace: Workspace, base: str, commit: str, limit: int) -> Diff:
    """What changed from one commit to the other, at most `limit` bytes of it."""
    between = (require_hash(base), require_hash(commit))
    patch = await workspace.git("diff-tree", "-p", "-M", "--no-color", "--no-ext-diff", *between, limit=limit)
    cut = len(patch.out) > limit
    kept = patch.out[:limit].rpartition(b"\n")[0] + b"\n" if cut else patch.out
    return Diff(kept.decode(errors="replace"), await changed_files(workspace, *between), cut)


async def changed_files(workspace: Workspace, base: str, commit: str) -> tuple[str, ...]:
    listing = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", require_hash(base), require_hash(commit))
    out = (await workspace.git(*listing)).out.decode(errors="replace")
    return tuple(name for name in out.split("\0") if name)


async def log(workspace: Workspace, base: str, commit: str) -> tuple[str, ...]:
    """One line a commit, newest first: what `commit` has that `base` has not."""
    listing = ("log", "--no-color", "--format=%h %s", f"{require_hash(base)}..{require_hash(commit)}")
    return tuple((await workspace.git(*listing)).text.splitlines())


async def _tree(slot: Slot, commit: str) -> str:
    return (await slot.git("rev-parse", f"{commit}^{{tree}}")).text
