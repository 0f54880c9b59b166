"""What lies in a slot: setting it to a commit, and making a commit of it."""

import os
import re
import shutil
import uuid
from dataclasses import dataclass

from adapters.git.base import DIFF_INDEX, links_in
from adapters.git.branches import point_branch
from adapters.git.command import require_hash
from adapters.git.slot import Left, Slot


@dataclass(frozen=True)
class Snapshot:
    """What a slot held, as a commit."""

    commit: str
    tree: str
    #: Paths that differ from the first parent.
    changed: tuple[str, ...]


async def set_to(slot: Slot, commit: str) -> None:
    """Exactly the commit's files, detached. What the same holder left unsaved is lost, `save_leftovers` comes first.

    Ignored files stay. They are the warm state of builds, which every attempt would have to make again.
    """
    require_hash(commit)
    if slot.left.holder != slot.holder:
        await save_leftovers(slot)
    slot.mend()
    slot.forget_unfinished()
    checkout = ("checkout", "-q", "-f", "--detach", commit)
    if (await slot.git(*checkout, check=False)).exit_code:
        slot.index.unlink(missing_ok=True)  # unreadable, or of files that nothing is known about any more
        await slot.git(*checkout)
    await slot.git("clean", "-q", "-ffd")
    slot.show_index()
    slot.remember(commit)


async def is_untouched_at(slot: Slot, commit: str) -> bool:
    """The slot holds exactly this commit, as we left it."""
    if slot.left != Left(commit, "", slot.left.holder):
        return False
    slot.mend()
    status = await slot.git("status", "--porcelain=v2", "--branch", "-z", check=False)
    lines = status.names
    return status.exit_code == 0 and f"# branch.oid {commit}" in lines and all(line[0] == "#" for line in lines)


async def save_leftovers(slot: Slot) -> str:
    """Files and commits in the slot that no branch holds get one; its name, or empty when there is nothing to save."""
    left = slot.left
    if left.commit and await is_untouched_at(slot, left.commit):
        return ""
    slot.mend()
    head = (await slot.git("rev-parse", "-q", "--verify", "HEAD^{commit}", check=False)).text or left.commit
    if not head:
        return ""
    tree, changed = await stage(slot, head)
    if head == left.commit and tree == left.tree:
        return ""
    if changed:
        said = f"Left behind by {left.holder or 'nobody known'}"
        head = (await slot.git("commit-tree", tree, "-p", head, "-m", said)).text
    elif head == left.commit or (await slot.git("for-each-ref", "--count=1", "--contains", head)).text:
        return ""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", left.holder).strip("-") or f"slot-{slot.number}"
    branch = f"mission-leftovers/{name}-{tree[:8]}"
    await point_branch(slot.workspace, branch, head)
    return branch


async def take_snapshot(slot: Slot, parent: str, branch: str, message: str, also_parent: str | None) -> Snapshot:
    """What lies in the slot now, as a child of `parent`; see `SlotPool.snapshot`."""
    slot.mend()
    parents = [require_hash(parent)]
    if also_parent and await _carries(slot, require_hash(also_parent)):
        parents.append(also_parent)
    tree, changed = await stage(slot, parent)
    commit = parent
    if changed or len(parents) > 1:
        commit = await _known(slot, branch, tree, parents) or await _commit(slot, tree, parents, message)
    await point_branch(slot.workspace, branch, commit)
    await slot.detach_at(commit)
    slot.forget_unfinished()
    slot.show_index()
    slot.remember(commit)
    return Snapshot(commit, tree, tuple(os.fsencode(name).decode(errors="replace") for name in changed))


async def _carries(slot: Slot, commit: str) -> bool:
    """Whether the merge that was begun here is still part of it.

    An agent may have given the merge up (`merge --abort`, `reset --hard`). The files are then those of one side only,
    and a commit that claimed both as parents would silently revert everything of the other.
    """
    begun = slot.git_dir / "MERGE_HEAD"
    if begun.is_file() and commit in begun.read_text().split():
        return True
    return (await slot.git("merge-base", "--is-ancestor", commit, "HEAD", check=False)).exit_code == 0


async def _known(slot: Slot, branch: str, tree: str, parents: list[str]) -> str:
    """The commit the branch has already, if it says the same."""
    shown = await slot.git("for-each-ref", "--format=%(objectname) %(tree) %(parent)", f"refs/heads/{branch}")
    commit, *shape = shown.text.split() or [""]
    return commit if shape == [tree, *parents] else ""


async def _commit(slot: Slot, tree: str, parents: list[str], message: str) -> str:
    lines = [part for parent in parents for part in ("-p", parent)]
    return (await slot.git("commit-tree", tree, *lines, "-F", "-", stdin=message.encode(errors="replace"))).text


async def stage(slot: Slot, parent: str) -> tuple[str, tuple[str, ...]]:
    """All files of the slot as a tree, and the paths that differ from `parent`."""
    for last in (False, False, True):
        if not slot.index.is_file():
            await slot.git("read-tree", parent)  # so that submodules, which are empty here, stay in the tree
        added = await slot.git("add", "-A", "--", ".", check=last)
        if added.exit_code == 0:
            raw = (await slot.git(*DIFF_INDEX, parent)).names
            if last or not links_in(raw):
                break
        await _start_over(slot, parent)
    return (await slot.git("write-tree")).text, raw[1::2]


async def _start_over(slot: Slot, parent: str) -> None:
    """Without an index that git cannot read, and without repositories inside the slot.

    Git would take such a folder for a submodule and leave out its files.
    """
    slot.index.unlink(missing_ok=True)
    await slot.git("read-tree", parent)
    for name in (await slot.git("ls-files", "--others", "--exclude-standard", "-z")).names:
        inner = slot.path / name / ".git"
        if not name.endswith("/") or not os.path.lexists(inner):
            continue
        kept = slot.git_dir / "nested" / uuid.uuid4().hex
        kept.parent.mkdir(exist_ok=True)
        shutil.move(inner, kept)
