"""A slot: a long-lived worktree, and the git calls about it that no agent can mislead."""

import contextlib
import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.files import write_atomically
from adapters.git.base import empty_root
from adapters.git.command import Output, git, is_hash
from adapters.git.repository import Workspace

_UNFINISHED = (
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "MERGE_RR",
    "AUTO_MERGE",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "SQUASH_MSG",
    "sequencer",
    "rebase-merge",
    "rebase-apply",
)
"""What git remembers of a merge, rebase or cherry-pick that was not ended."""


@dataclass(frozen=True)
class Left:
    """What we left in a slot last; empty where that is not known."""

    commit: str = ""
    #: Empty: the commit's.
    tree: str = ""
    #: For whom: a lease may have gone to another holder since.
    holder: str = ""


@dataclass(frozen=True)
class Slot:
    """A worktree that one holder has for itself.

    Git is always told where the worktree is and uses an index of ours: whatever an agent did to `.git`, to the index,
    to HEAD or to branches, the files are what counts.
    """

    path: Path
    number: int
    #: Nothing of this holder was kept from it yet: what lies in it is somebody else's, or unfinished.
    fresh: bool
    #: Git's own folder for this worktree.
    git_dir: Path
    workspace: Workspace
    holder: str

    @property
    def index(self) -> Path:
        return self.git_dir / "mission-index"

    async def git(
        self, *arguments: str, check: bool = True, stdin: bytes | None = None, date: str | None = None
    ) -> Output:
        env = {**self.workspace.identity, "GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.path)}
        env["GIT_INDEX_FILE"] = str(self.index)
        if date:
            env |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        settings = self.workspace.settings
        return await git(*arguments, cwd=self.path, env=env, check=check, stdin=stdin, settings=settings)

    def mend(self) -> None:
        """Put right what an agent, or a kill, may have left of the worktree's own files. The lease is ours alone."""
        pointer = self.path / ".git"
        if pointer.is_dir() and not pointer.is_symlink():
            shutil.rmtree(pointer)  # a `git init` in place of what it deleted
        says = f"gitdir: {self.git_dir}\n"
        if not pointer.is_file() or pointer.read_bytes() != os.fsencode(says):
            pointer.unlink(missing_ok=True)
            pointer.write_text(says)
        for lock in ("index.lock", "mission-index.lock", "HEAD.lock"):
            (self.git_dir / lock).unlink(missing_ok=True)

    async def detach_at(self, commit: str) -> None:
        """HEAD is this commit and no branch; files and index stay. Usually a file, which costs less than a git."""
        head = self.git_dir / "HEAD"
        if is_hash(head.read_text().strip()):
            write_atomically(head, f"{commit}\n")
        else:  # an agent is on a branch of its own
            await self.git("update-ref", "--no-deref", "HEAD", commit)

    def forget_unfinished(self) -> None:
        for name in _UNFINISHED:
            path = self.git_dir / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def show_index(self) -> None:
        """Give the agent's git our index, so that it sees what we see. The time stays: git trusts files by it."""
        fresh = self.git_dir / f"index.{uuid.uuid4().hex[:8]}"
        shutil.copy2(self.index, fresh)
        fresh.replace(self.git_dir / "index")

    def remember(self, commit: str, tree: str = "") -> None:
        """What we leave here ourselves: anything else is an agent's. `tree` if it is not the commit's."""
        _remember(self.git_dir, Left(commit, tree, self.holder))

    @property
    def left(self) -> Left:
        try:
            return Left(**json.loads((self.git_dir / "mission-left").read_text()))
        except (OSError, ValueError, TypeError):
            return Left()


def _remember(git_dir: Path, left: Left) -> None:
    write_atomically(git_dir / "mission-left", json.dumps(asdict(left)))


def is_whole(path: Path, git_dir: str) -> bool:
    """False when folder or git's record of it is gone: deleted, pruned, or the repository is a new clone."""
    return path.is_dir() and bool(git_dir) and (Path(git_dir) / "HEAD").is_file()


async def make_worktree(workspace: Workspace, path: Path) -> Path:
    """A worktree at `path` with nothing checked out; returns git's own folder for it.

    Files that lie there already stay, as something to be saved. Never `git worktree prune`: the user may have
    worktrees of their own on a disk that is not mounted now.
    """
    aside = path.with_name(f"{path.name}.lost-{uuid.uuid4().hex[:8]}")
    if path.is_dir() and any(path.iterdir()):
        path.rename(aside)
    _forget_worktrees_at(workspace, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    root = await empty_root(workspace)
    await workspace.git("worktree", "add", "-q", "-f", "--detach", "--no-checkout", str(path), root)
    git_dir = Path((path / ".git").read_text().removeprefix("gitdir: ").strip())
    _remember(git_dir, Left(root))
    if aside.is_dir():
        (path / ".git").unlink()
        path.rmdir()
        aside.rename(path)
    return git_dir


def _forget_worktrees_at(workspace: Workspace, path: Path) -> None:
    for record in (workspace.common_dir / "worktrees").glob("*/gitdir"):
        with contextlib.suppress(OSError):
            if record.read_text().strip() == os.fspath(path / ".git"):
                shutil.rmtree(record.parent)
