"""Slots: a few long-lived worktrees of a repository that missions lease one after the other.

A directory OpenCode has not worked in costs it over a second and 45 MB for good; one it knows costs nothing.
"""

import asyncio
import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.files import write_atomically
from adapters.git.command import git, git_bytes, identity, require_hash
from adapters.git.errors import GitError
from adapters.git.workspace import Workspace


@dataclass(frozen=True)
class Slot:
    """A worktree that one holder has for itself."""

    path: Path
    number: int
    #: It was made, or made anew, by this lease: nothing of an earlier attempt is in it.
    fresh: bool


@dataclass(frozen=True)
class Snapshot:
    """What a worktree held, as a commit."""

    commit: str
    tree: str
    #: Paths that differ from the first parent.
    changed: tuple[str, ...]


class SlotPool:
    """The slots of one repository on this host. Several processes may use it: leases lie in one locked file."""

    def __init__(self, workspace: Workspace, repositories: Path) -> None:
        self._workspace = workspace
        self._folder = repositories / workspace.key / "slots"
        self._leases = self._folder / "leases.json"
        self._making = asyncio.Lock()

    def owns(self, path: Path) -> bool:
        return path.parent == self._folder

    async def lease(self, holder: str) -> Slot:
        """The holder's slot; the same one again until it is released."""
        with self._locked() as leases:
            number = next((int(slot) for slot, who in leases.items() if who == holder), None)
            if number is None:
                free = [int(slot) for slot, who in leases.items() if not who]
                number = min(free, default=len(leases) + 1)
                leases[str(number)] = holder
        path = self._folder / str(number)
        fresh = not await self._is_sound(path)
        if fresh:
            await self._make(path)
        return Slot(path, number, fresh)

    async def release(self, holder: str) -> None:
        """It becomes free for the next one; what lies in it stays until then."""
        with self._locked() as leases:
            for slot, who in leases.items():
                if who == holder:
                    leases[slot] = ""

    async def held_by(self, prefix: str) -> tuple[str, ...]:
        """Holders whose names begin so."""
        with self._locked() as leases:
            return tuple(who for who in leases.values() if who and who.startswith(prefix))

    async def commit_of(self, slot: Slot) -> str:
        return await git("rev-parse", "HEAD", cwd=slot.path)

    async def prepare(self, slot: Slot, commit: str) -> None:
        """Set the slot to a commit. What an agent left uncommitted is kept on a branch of its own first."""
        if await self._has_changes(slot):
            head = await self.commit_of(slot)
            branch = f"mission-leftovers/{slot.number}-{head[:8]}"
            await self.snapshot(slot, head, branch, "Left behind in a slot")
        await self.reset(slot, commit)

    async def reset(self, slot: Slot, commit: str) -> None:
        """Set the slot to a commit and drop what differs: after a check, whose leftovers are nobody's work.

        Ignored files stay: they are the warm state of builds, which every attempt would have to make again.
        """
        require_hash(commit)
        await git("checkout", "-q", "-f", "--detach", commit, cwd=slot.path)
        await git("clean", "-q", "-ffd", cwd=slot.path)

    async def start_resolving(self, slot: Slot, commit: str, onto: str) -> None:
        """The attempt's commit with `onto` merged into it, conflict markers left for the agent."""
        await self.prepare(slot, commit)
        env = await identity(slot.path)
        await git("merge", "-q", "--no-commit", "--no-ff", require_hash(onto), cwd=slot.path, env=env, ok=(0, 1))

    async def snapshot(
        self, slot: Slot, parent: str, branch: str, message: str, also_parent: str | None = None
    ) -> Snapshot:
        """What lies in the worktree now, as a child of `parent`, whatever the agent did with git there.

        The same content again gives the branch's commit again. Nothing changed: `parent` itself.
        """
        require_hash(parent)
        tree = await self._tree(slot)
        if tree == await git("rev-parse", f"{parent}^{{tree}}", cwd=slot.path) and not also_parent:
            return Snapshot(parent, tree, ())
        known = await git("rev-parse", "-q", "--verify", f"refs/heads/{branch}", cwd=slot.path, ok=(0, 1))
        parents = [parent, *([also_parent] if also_parent else [])]
        if not known or await self._shape(slot, known) != (tree, parents):
            known = await self._commit_tree(slot, tree, parents, message)
            await git("update-ref", f"refs/heads/{branch}", known, cwd=slot.path)
        changed = await git("diff", "--name-only", "--no-renames", parent, known, cwd=slot.path)
        return Snapshot(known, tree, tuple(changed.splitlines()))

    async def _commit_tree(self, slot: Slot, tree: str, parents: list[str], message: str) -> str:
        lines = [part for parent in parents for part in ("-p", parent)]
        return await git("commit-tree", tree, *lines, "-m", message, cwd=slot.path, env=await identity(slot.path))

    async def _shape(self, slot: Slot, commit: str) -> tuple[str, list[str]]:
        tree, _, parents = (await git("log", "-1", "--format=%T %P", commit, cwd=slot.path)).partition(" ")
        return tree, parents.split()

    async def _tree(self, slot: Slot) -> str:
        try:
            await git("add", "-A", cwd=slot.path)
            return await git("write-tree", cwd=slot.path)
        except GitError:
            # The agent left an index that git cannot read, or a lock: the files count, so the index is made anew.
            git_dir = Path(await git("rev-parse", "--absolute-git-dir", cwd=slot.path))
            for name in ("index", "index.lock"):
                (git_dir / name).unlink(missing_ok=True)
            await git("add", "-A", cwd=slot.path)
            return await git("write-tree", cwd=slot.path)

    async def _has_changes(self, slot: Slot) -> bool:
        code, listed = await git_bytes("status", "--porcelain", cwd=slot.path, ok=(0, 128))
        return code == 0 and bool(listed.strip())

    async def _is_sound(self, path: Path) -> bool:
        if not (path / ".git").is_file():
            return False
        code, top = await git_bytes("rev-parse", "--show-toplevel", cwd=path, ok=(0, 128))
        return code == 0 and Path(top.decode().strip()) == path

    async def _make(self, path: Path) -> None:
        async with self._making:  # git prunes and adds worktrees one at a time
            if path.exists():
                await asyncio.to_thread(shutil.rmtree, path)
            env = self._workspace.env
            await git("worktree", "prune", cwd=self._workspace.directory, env=env)
            head = await self._any_commit()
            await git(
                "worktree", "add", "-q", "-f", "--detach", str(path), head, cwd=self._workspace.directory, env=env
            )

    async def _any_commit(self) -> str:
        """Something to check out; the first `prepare` sets what counts."""
        refs = await git(
            "for-each-ref",
            "--count=1",
            "--sort=-committerdate",
            "--format=%(objectname)",
            "refs/heads/mission",
            cwd=self._workspace.directory,
            env=self._workspace.env,
        )
        return require_hash(refs)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, str]]:
        """Slot number to holder, empty when free; written back when the body ends well."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held for microseconds
            before = self._leases.read_text() if self._leases.exists() else "{}"
            leases: dict[str, str] = json.loads(before)
            yield leases
            if (after := json.dumps(leases, indent=1)) != before:
                write_atomically(self._leases, after)
