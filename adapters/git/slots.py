"""Slots: a few long-lived worktrees of a repository that missions lease one after the other.

A directory that OpenCode has not worked in costs it over a second and 45 MB for good; one that it knows costs nothing.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from adapters.git.contents import Snapshot, is_untouched_at, save_leftovers, set_to, take_snapshot
from adapters.git.errors import NoSlotFree
from adapters.git.leases import Lease, Leases
from adapters.git.merging import bring_in
from adapters.git.repository import Workspace
from adapters.git.slot import Slot, is_whole, make_worktree

__all__ = ["MOST_SLOTS", "Slot", "SlotPool", "Snapshot"]

MOST_SLOTS = 24
"""Of one repository on one host: each costs OpenCode 45 MB for good, so many missions share what is there."""


@dataclass(frozen=True)
class SlotPool:
    """The slots of one repository on this host, for all missions and processes."""

    workspace: Workspace
    repositories: Path

    @property
    def folder(self) -> Path:
        return self.repositories.resolve() / self.workspace.key / "slots"

    @property
    def _leases(self) -> Leases:
        return Leases(self.folder)

    def owns(self, path: Path) -> bool:
        return path.parent == self.folder

    async def lease(self, holder: str) -> Slot:
        """The holder's slot, the same one again until it is released; a new worktree only if none is free.

        Raises `NoSlotFree` when all of them are taken. Nobody who holds one waits for another, so one will be free.

        The lowest number first: it has been used most, so OpenCode and the project's builds are warm there.
        """
        async with self._leases.changing() as leases:
            number = next((n for n, lease in leases.items() if lease.holder == holder), 0)
            if not number:
                free = [n for n, lease in leases.items() if not lease.holder]
                number = min(free, default=max(leases, default=0) + 1)
                if number > MOST_SLOTS:
                    raise NoSlotFree(f"all {MOST_SLOTS} worktrees of {self.workspace.directory} are in use")
                leases[number] = replace(leases.get(number, Lease()), holder=holder, kept=False)
            lease = leases[number]
        if not is_whole(self.folder / str(number), lease.git_dir):
            lease = await self._make(number)
        return self._slot(number, lease)

    async def release(self, holder: str) -> None:
        """It is free for the next one; what lies in it stays until then. Only its holder's slot; none is fine."""
        async with self._leases.changing() as leases:
            _free(leases, [n for n, lease in leases.items() if lease.holder == holder])

    async def release_all(self, prefix: str) -> None:
        """Every slot whose holder's name begins so."""
        async with self._leases.changing() as leases:
            _free(leases, [n for n, lease in leases.items() if lease.holder and lease.holder.startswith(prefix)])

    async def held_by(self, prefix: str) -> tuple[str, ...]:
        """Holders whose names begin so."""
        async with self._leases.changing() as leases:
            return tuple(lease.holder for lease in leases.values() if lease.holder and lease.holder.startswith(prefix))

    async def free_count(self) -> int:
        async with self._leases.changing() as leases:
            return sum(not lease.holder for lease in leases.values())

    async def commit_of(self, slot: Slot) -> str:
        """The commit we set the slot to or made of it last, wherever an agent's HEAD went since."""
        return slot.left.commit or (await slot.git("rev-parse", "HEAD")).text

    async def prepare(self, slot: Slot, commit: str) -> None:
        """Set the slot to a commit for an agent; what the one before left unsaved gets a branch first.

        `commit` is a hash, never a branch that may move meanwhile: see `require_hash`.
        """
        slot = await self._whole(slot)
        if await is_untouched_at(slot, commit):
            return
        await save_leftovers(slot)
        await set_to(slot, commit)

    async def reset(self, slot: Slot, commit: str) -> None:
        """Set the slot to a commit and drop what differs: what checks leave behind is nobody's work."""
        slot = await self._whole(slot)
        if not await is_untouched_at(slot, commit):
            await set_to(slot, commit)

    async def start_resolving(self, slot: Slot, commit: str, onto: str) -> tuple[str, ...]:
        """Set the slot to `commit` with `onto` merged into it, the conflict markers left; the files in conflict."""
        await self.prepare(slot, commit)
        return await bring_in(slot, onto, leave_conflicts=True)

    async def snapshot(
        self, slot: Slot, parent: str, branch: str, message: str, also_parent: str | None = None
    ) -> Snapshot:
        """What lies in the slot now becomes a commit on `parent`, and `branch` points at it.

        Whatever the agent did with git there: only files count. The same files again give the same commit again, no
        change gives `parent` itself. `also_parent` is the other side of a merge that was begun in the slot; it becomes
        a parent too, unless the agent gave that merge up.
        """
        slot = await self._whole(slot, parent)
        taken = await take_snapshot(slot, parent, branch, message, also_parent)
        if slot.fresh:
            async with self._leases.changing() as leases:
                if leases[slot.number].holder == slot.holder:
                    leases[slot.number].kept = True
        return taken

    async def _whole(self, slot: Slot, commit: str = "") -> Slot:
        """The slot, made anew if its folder vanished; with `commit` in it if one is given."""
        if is_whole(slot.path, str(slot.git_dir)):
            return slot
        slot = self._slot(slot.number, await self._make(slot.number))
        if commit:
            await set_to(slot, commit)
        return slot

    async def _make(self, number: int) -> Lease:
        async with self._leases.making():
            git_dir = await make_worktree(self.workspace, self.folder / str(number))
        async with self._leases.changing() as leases:
            leases[number] = replace(leases.get(number, Lease()), git_dir=str(git_dir))
            return leases[number]

    def _slot(self, number: int, lease: Lease) -> Slot:
        return Slot(
            path=self.folder / str(number),
            number=number,
            fresh=not lease.kept,
            git_dir=Path(lease.git_dir),
            workspace=self.workspace,
            holder=lease.holder,
        )


def _free(leases: dict[int, Lease], numbers: list[int]) -> None:
    for number in numbers:
        leases[number] = replace(leases[number], holder="", kept=False)
