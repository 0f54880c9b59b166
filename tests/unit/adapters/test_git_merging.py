"""Merges, conflicts and the branches of missions."""

import os
import time
from datetime import UTC, datetime

import pytest

from adapters.git.errors import BranchMoved, NotAWorkspace
from adapters.git.merging import (
    Conflict,
    Merged,
    advance,
    changed_files,
    delete_branch,
    diff,
    has_conflict_markers,
    log,
    merge,
)
from adapters.git.slots import Slot
from tests.unit.adapters.repositories import Project, private_home, project

__all__ = ["private_home", "project"]

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def _attempt(project: Project, holder: str, files: dict[str, str], start: str = "") -> tuple[Slot, str]:
    slot = await project.slot(holder, start)
    project.in_slot(slot).write_all(files)
    taken = await project.pool.snapshot(slot, start or project.head, f"work/{holder}", holder)
    return slot, taken.commit


async def _two(project: Project, one: dict[str, str], other: dict[str, str]) -> tuple[Slot, str, str]:
    """Two attempts from the same commit, the first of them merged: slot and commit of the second, and the head."""
    slot, first = await _attempt(project, "m/T1", one)
    merged = await merge(slot, project.head, first, "T1", MOMENT)
    assert isinstance(merged, Merged)
    slot, second = await _attempt(project, "m/T2", other)
    return slot, second, merged.commit


async def test_a_merge_when_nothing_else_was_merged_keeps_the_checked_files(project: Project) -> None:
    slot, commit = await _attempt(project, "m/T1", {"a.txt": "one"})
    merged = await merge(slot, project.head, commit, "T1: title", MOMENT)
    assert isinstance(merged, Merged)
    assert merged.tree_unchanged
    assert project.repository.git("log", "-1", "--format=%P|%s", merged.commit) == f"{project.head} {commit}|T1: title"


async def test_a_merge_with_the_work_of_others_leaves_the_merged_files_in_the_slot(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one"}, {"b.txt": "two"})
    merged = await merge(slot, head, commit, "T2", MOMENT)
    assert isinstance(merged, Merged)
    assert not merged.tree_unchanged
    assert project.repository.git("log", "-1", "--format=%P", merged.commit) == f"{head} {commit}"
    assert ((slot.path / "a.txt").read_text(), (slot.path / "b.txt").read_text()) == ("one", "two")
    assert project.in_slot(slot).git("status", "--porcelain") == ""


async def test_the_same_merge_again_is_the_very_same_commit(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one"}, {"b.txt": "two"})
    first = await merge(slot, head, commit, "T2", MOMENT)
    await project.pool.release("m/T2")
    again = await merge(await project.pool.lease("m/T9"), head, commit, "T2", MOMENT)
    assert first == again


async def test_what_was_merged_before_is_told_as_it_is(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one"}, {"b.txt": "two"})
    merged = await merge(slot, head, commit, "T2", MOMENT)
    assert isinstance(merged, Merged)
    assert await merge(slot, merged.commit, commit, "T2", MOMENT) == Merged(merged.commit, merged.tree, False)


async def test_a_conflict_names_the_files_and_leaves_the_slot_at_the_attempt(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one", "src/c.txt": "1"}, {"a.txt": "two", "src/c.txt": "2"})
    assert await merge(slot, head, commit, "T2", MOMENT) == Conflict(("a.txt", "src/c.txt"))
    assert project.in_slot(slot).head == commit
    assert project.in_slot(slot).git("status", "--porcelain") == ""


async def test_a_merge_passes_an_ignored_folder_that_is_in_its_way(project: Project) -> None:
    start = project.repository.commit({".gitignore": "made\n"})
    slot, commit, head = await _two(project, {".gitignore": "", "made": "a file"}, {"b.txt": "two"})
    assert start
    await project.pool.prepare(slot, commit)
    project.in_slot(slot).write_all({"made/by/build.o": "x"})
    assert isinstance(await merge(slot, head, commit, "T2", MOMENT), Merged)
    assert (slot.path / "made").read_text() == "a file"


# resolving


async def test_an_agent_resolves_a_conflict_and_both_sides_are_parents(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one", "new.txt": "n"}, {"a.txt": "two"})
    assert await project.pool.start_resolving(slot, commit, head) == ("a.txt",)
    assert has_conflict_markers(slot, ["a.txt"])
    assert "UU a.txt" in project.in_slot(slot).git("status", "--porcelain")
    project.in_slot(slot).write(a="both")
    taken = await project.pool.snapshot(slot, commit, "work/m/T2", "T2", also_parent=head)
    assert not has_conflict_markers(slot, ["a.txt"])
    assert project.repository.git("log", "-1", "--format=%P", taken.commit) == f"{commit} {head}"
    assert project.repository.at(taken.commit)["new.txt"] == "n"
    assert await project.pool.snapshot(slot, commit, "work/m/T2", "T2", also_parent=head) == taken
    merged = await merge(slot, head, taken.commit, "T2", MOMENT)
    assert isinstance(merged, Merged)
    assert merged.tree_unchanged


async def test_an_agent_may_commit_its_resolution_itself(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one"}, {"a.txt": "two"})
    await project.pool.start_resolving(slot, commit, head)
    project.in_slot(slot).commit({"a.txt": "both"})
    taken = await project.pool.snapshot(slot, commit, "work/m/T2", "T2", also_parent=head)
    assert project.repository.git("log", "-1", "--format=%P", taken.commit) == f"{commit} {head}"


async def test_a_resolution_given_up_does_not_revert_the_work_of_others(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one", "new.txt": "n"}, {"a.txt": "two"})
    await project.pool.start_resolving(slot, commit, head)
    project.in_slot(slot).git("merge", "--abort")
    taken = await project.pool.snapshot(slot, commit, "work/m/T2", "T2", also_parent=head)
    assert taken.commit == commit
    assert await merge(slot, head, taken.commit, "T2", MOMENT) == Conflict(("a.txt",))


async def test_resolving_begun_twice_leaves_nothing_behind(project: Project) -> None:
    slot, commit, head = await _two(project, {"a.txt": "one"}, {"a.txt": "two"})
    await project.pool.start_resolving(slot, commit, head)
    await project.pool.start_resolving(slot, commit, head)
    assert project.repository.git("branch", "--list", "mission-leftovers/*") == ""


# branches


async def test_a_branch_moves_only_from_where_it_was_left(project: Project) -> None:
    start, workspace = project.head, project.workspace
    newer = project.repository.commit({"a.txt": "2"})
    newest = project.repository.commit({"a.txt": "3"})
    await advance(workspace, "mission/x", start, None)
    await advance(workspace, "mission/x", newer, start)
    await advance(workspace, "mission/x", newer, start)  # a retry
    with pytest.raises(BranchMoved, match=f"is at {newer}, it was left at {start}"):
        await advance(workspace, "mission/x", newest, start)
    assert project.repository.git("rev-parse", "mission/x") == newer


async def test_a_branch_that_was_deleted_is_made_again(project: Project) -> None:
    start = project.head
    newer = project.repository.commit({"a.txt": "2"})
    await advance(project.workspace, "mission/x", newer, start)
    assert project.repository.git("rev-parse", "mission/x") == newer


async def test_a_branch_in_the_way_is_named(project: Project) -> None:
    project.repository.git("branch", "mission")
    with pytest.raises(NotAWorkspace, match="the branch mission is in the way of mission/x: rename it"):
        await advance(project.workspace, "mission/x", project.head, None)


async def test_the_lock_of_a_killed_git_is_broken_and_a_fresh_one_is_not(project: Project) -> None:
    start = project.head
    await advance(project.workspace, "mission/x", start, None)
    newer = project.repository.commit({"a.txt": "2"})
    lock = project.workspace.common_dir / "refs" / "heads" / "mission" / "x.lock"
    lock.touch()
    with pytest.raises(Exception, match="File exists"):
        await advance(project.workspace, "mission/x", newer, start)
    os.utime(lock, (time.time() - 60,) * 2)
    await advance(project.workspace, "mission/x", newer, start)


async def test_a_branch_is_deleted_once_or_twice(project: Project) -> None:
    await advance(project.workspace, "mission/x", project.head, None)
    await delete_branch(project.workspace, "mission/x")
    await delete_branch(project.workspace, "mission/x")
    assert project.repository.git("branch", "--list", "mission/*") == ""


# looking


async def test_a_diff_is_cut_at_its_limit_and_names_all_files(project: Project) -> None:
    start = project.head
    end = project.repository.commit({"big.txt": "line\n" * 100_000, "z.txt": "z"})
    whole = await diff(project.workspace, start, end, 10_000_000)
    cut = await diff(project.workspace, start, end, 1_000)
    assert (whole.truncated, cut.truncated) == (False, True)
    assert len(cut.text) <= 1_000
    assert cut.files == whole.files == ("big.txt", "z.txt")
    assert await changed_files(project.workspace, start, end) == cut.files


async def test_a_log_tells_what_is_new(project: Project) -> None:
    start = project.head
    end = project.repository.commit({"a.txt": "2"}, "Second")
    assert [line.split(" ", 1)[1] for line in await log(project.workspace, start, end)] == ["Second"]
