"""Killed between any two git calls: done again, everything ends as if nothing had happened."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from adapters.git import repository, slot
from adapters.git.command import git
from adapters.git.merging import Merged, advance, merge
from adapters.git.slots import Slot
from tests.unit.adapters.repositories import Project, private_home, project

__all__ = ["private_home", "project"]

Result = TypeVar("Result")

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


class Kill:
    """Makes the git call with this number the last one, before or after git has done its work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: float = float("inf")
        for module in (repository, slot):
            monkeypatch.setattr(module, "git", self._git)

    async def _git(self, *arguments: str, **options: Any) -> Any:
        self.left -= 1
        if self.left == -0.5:
            raise Killed
        output = await git(*arguments, **options)
        if self.left == 0:
            raise Killed
        return output

    async def at_every_call(self, action: Callable[[], Awaitable[Result]]) -> Result:
        """Run it, killed before and after its first call, its second, … and last to its end."""
        half_calls = 1
        while True:
            self.left = half_calls / 2
            try:
                return await action()
            except Killed:
                half_calls += 1
            finally:
                self.left = float("inf")


@pytest.fixture
def kill(project: Project, monkeypatch: pytest.MonkeyPatch) -> Kill:
    return Kill(monkeypatch)


def leftovers(project: Project) -> list[str]:
    return project.repository.git("branch", "--list", "--format=%(refname:short)", "mission-leftovers/*").split()


async def test_a_slot_is_made(project: Project, kill: Kill) -> None:
    slot = await kill.at_every_call(lambda: project.pool.lease("m/T1"))
    await project.pool.prepare(slot, project.head)
    assert (slot.path / "a.txt").read_text() == "a\n"
    assert [path.name for path in project.pool.folder.iterdir() if path.is_dir()] == ["1"]
    assert leftovers(project) == []


async def test_leftovers_are_saved_and_the_slot_is_prepared(project: Project, kill: Kill) -> None:
    slot = await project.slot("m/T0")
    project.in_slot(slot).write_all({"a.txt": "left", "new.txt": "n"})
    await project.pool.release("m/T0")
    slot = await project.pool.lease("m/T1")
    await kill.at_every_call(lambda: project.pool.prepare(slot, project.head))
    assert (slot.path / "a.txt").read_text() == "a\n"
    (branch,) = leftovers(project)
    assert project.repository.at(branch)["a.txt"] == "left"


async def test_a_snapshot_is_taken(project: Project, kill: Kill) -> None:
    slot = await project.slot()
    project.in_slot(slot).write_all({"a.txt": "mine", "vendor/lib.txt": "x"})
    taken = await kill.at_every_call(lambda: project.pool.snapshot(slot, project.head, "work/T1", "T1"))
    assert project.repository.git("log", "--format=%s", f"{project.head}..work/T1") == "T1"
    assert taken.changed == ("a.txt", "vendor/lib.txt")
    assert project.repository.git("rev-parse", "work/T1") == taken.commit


async def test_work_is_merged_and_the_branch_moves(project: Project, kill: Kill) -> None:
    slot, work, head = await _second_of_two(project, {"b.txt": "two"})

    async def merge_it() -> str:
        merged = await merge(await project.pool.lease("m/T2"), head, work, "T2", MOMENT)
        assert isinstance(merged, Merged)
        await advance(project.workspace, "mission/x", merged.commit, head)
        return merged.commit

    merged = await kill.at_every_call(merge_it)
    assert await merge_it() == merged
    assert project.repository.git("log", "-1", "--format=%H %P", "mission/x") == f"{merged} {head} {work}"
    assert project.repository.at("mission/x")["a.txt"] == "one"
    assert project.in_slot(slot).git("status", "--porcelain") == ""


async def test_a_conflict_is_laid_out_and_resolved(project: Project, kill: Kill) -> None:
    slot, work, head = await _second_of_two(project, {"a.txt": "two"})
    await kill.at_every_call(lambda: project.pool.start_resolving(slot, work, head))
    assert "UU a.txt" in project.in_slot(slot).git("status", "--porcelain")
    project.in_slot(slot).write(a="both")
    taken = await kill.at_every_call(lambda: project.pool.snapshot(slot, work, "work/T2", "T2", also_parent=head))
    assert project.repository.git("log", "-1", "--format=%P", taken.commit) == f"{work} {head}"


async def _second_of_two(project: Project, files: dict[str, str]) -> tuple[Slot, str, str]:
    """The slot and commit of an attempt, and the mission's head, which has another one already."""
    start = project.head
    await advance(project.workspace, "mission/x", start, None)
    slot = await project.slot("m/T1")
    project.in_slot(slot).write(a="one")
    first = await project.pool.snapshot(slot, start, "work/T1", "T1")
    merged = await merge(slot, start, first.commit, "T1", MOMENT)
    assert isinstance(merged, Merged)
    await advance(project.workspace, "mission/x", merged.commit, start)
    slot = await project.slot("m/T2", start)
    project.in_slot(slot).write_all(files)
    return slot, (await project.pool.snapshot(slot, start, "work/T2", "T2")).commit, merged.commit
