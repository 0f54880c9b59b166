"""Where a mission starts from: a commit that holds what the user has, made without touching anything of theirs."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from adapters.git.command import git
from adapters.git.errors import GitError
from adapters.git.repository import Workspace

FOLDER_REF = "refs/heads/folder"
"""In a private git directory: the folder as we last saw it."""


@dataclass(frozen=True)
class Base:
    """Where a mission starts from."""

    commit: str
    #: The branch that is checked out; empty when HEAD is detached or the folder has no git.
    branch: str
    #: What a person should know about it.
    notes: tuple[str, ...] = ()


DIFF_INDEX = ("diff-index", "--cached", "--raw", "--no-renames", "-z")


def links_in(raw: tuple[str, ...]) -> tuple[str, ...]:
    """The paths in a raw listing that became links to other repositories."""
    modes = (entry.split()[:2] for entry in raw[::2])
    pairs = zip(modes, raw[1::2], strict=True)
    return tuple(path for (old, new), path in pairs if new == "160000" and old != ":160000")


async def empty_root(workspace: Workspace) -> str:
    """The commit with nothing in it, from which missions start that have no other.

    Always the very same one: two missions in a repository without commits are then related, and both can land.
    """
    tree = (await workspace.git("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")).text
    ours = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", "OpenCode Orchestrator"),
            ("EMAIL", "orchestrator@localhost"),
            ("DATE", "@0 +0000"),
        )
    }
    env = {**ours, "GIT_DIR": str(workspace.git_dir)}
    return (await git("commit-tree", tree, "-m", "Begin", cwd=workspace.directory, env=env)).text


async def base_commit(workspace: Workspace, include_changes: bool) -> Base:
    """Their index, HEAD, branches and files stay byte by byte as they are; only objects are added."""
    if workspace.private:
        commit, notes = await folder_commit(workspace)
        return Base(commit, "", ("the folder has no git: branches are kept in a private repository", *notes))
    head = (await workspace.git("rev-parse", "-q", "--verify", "HEAD^{commit}", check=False)).text
    branch = (await workspace.git("symbolic-ref", "-q", "--short", "HEAD", check=False)).text
    notes = () if head else ("the repository has no commits yet: the mission starts from nothing",)
    start = head or await empty_root(workspace)
    if not include_changes:
        return Base(start, branch, (*notes, *await _left_behind(workspace)))
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        if (theirs := workspace.git_dir / "index").is_file():
            shutil.copy2(theirs, index)  # it knows which files have not changed
        tree, left_out = await tree_of_folder(workspace, index, start)
    if tree == await workspace.tree_of(start):
        return Base(start, branch, (*notes, *left_out))
    commit = (await workspace.git("commit-tree", tree, "-p", start, "-m", "Uncommitted changes, included")).text
    return Base(commit, branch, (*notes, "uncommitted changes are included", *left_out))


async def _left_behind(workspace: Workspace) -> tuple[str, ...]:
    changed = (await workspace.git("status", "--porcelain", "-z", "--no-renames")).names
    if not changed:
        return ()
    which = "1 changed file is" if len(changed) == 1 else f"{len(changed)} changed files are"
    return (f"{which} not included (--include-changes takes them along)",)


async def folder_commit(workspace: Workspace) -> tuple[str, tuple[str, ...]]:
    """A folder without git as it is now, as a commit on top of how it was; the same content, the same commit."""
    before = (await workspace.git("rev-parse", "-q", "--verify", FOLDER_REF, check=False)).text
    start = before or await empty_root(workspace)
    with tempfile.TemporaryDirectory(dir=workspace.home) as folder:
        index = Path(folder) / "index"
        tree, left_out = await tree_of_folder(workspace, index, start)
    if tree == await workspace.tree_of(start):
        return start, left_out
    commit = (await workspace.git("commit-tree", tree, "-p", start, "-m", "The folder as it is")).text
    await workspace.git("update-ref", FOLDER_REF, commit)
    return commit, left_out


async def tree_of_folder(workspace: Workspace, index: Path, start: str) -> tuple[str, tuple[str, ...]]:
    """All files of the user's folder as a tree, through an index of our own; and notes on what had to stay out."""
    if not index.exists():
        await workspace.git("read-tree", start, index=index)
    added = await workspace.git("add", "-A", "--ignore-errors", "--", ".", index=index, check=False)
    if added.exit_code > 1 or re.search(r"No space left|[Qq]uota|Input/output", added.err):
        raise GitError(("add", "-A"), added.exit_code, added.err)
    refused = [line for line in added.err.splitlines() if line.startswith("error: ")]
    notes = [f"not included: {line.removeprefix('error: ')}" for line in refused[:3]]
    if nested := await new_links(workspace, index, start):
        await workspace.git("update-index", "-z", "--force-remove", "--stdin", index=index, stdin=_joined(nested))
        notes.append(f"not included, since they are repositories of their own: {', '.join(nested[:5])}")
    return (await workspace.git("write-tree", index=index)).text, tuple(notes)


async def new_links(workspace: Workspace, index: Path, start: str) -> tuple[str, ...]:
    """Folders that `add` took for submodules because they hold a `.git`: their files would be missing in the commit."""
    return links_in((await workspace.git(*DIFF_INDEX, start, index=index)).names)


def _joined(names: tuple[str, ...]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)
