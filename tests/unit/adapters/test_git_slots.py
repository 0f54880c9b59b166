"""Slots: nothing is lost, whatever an agent did with git in them."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.git.errors import NoSlotFree
from adapters.git.merging import advance
from adapters.git.slots import Slot, SlotPool
from tests.unit.adapters.repositories import Project, Repository, files_in, private_home, project

__all__ = ["private_home", "project"]


# leases


async def test_a_holder_gets_the_same_slot_until_it_is_released(project: Project) -> None:
    first = await project.pool.lease("m/T1")
    again = await project.pool.lease("m/T1")
    other = await project.pool.lease("m/T2")
    assert (first.path, other.number) == (again.path, 2)


async def test_the_warmest_free_slot_is_leased_before_a_new_one_is_made(project: Project) -> None:
    for holder in ("m/T1", "m/T2", "m/T3"):
        await project.pool.lease(holder)
    await project.pool.release("m/T3")
    await project.pool.release("m/T1")
    assert (await project.pool.lease("n/T1")).number == 1
    assert await project.pool.free_count() == 1


async def test_only_the_holder_releases_a_slot(project: Project) -> None:
    await project.pool.lease("m/T1")
    await project.pool.release("m/T2")
    assert await project.pool.held_by("m/") == ("m/T1",)


async def test_a_missions_slots_are_released_together(project: Project) -> None:
    for holder in ("m/T1", "m/T2", "other/T1"):
        await project.pool.lease(holder)
    await project.pool.release_all("m/")
    assert await project.pool.held_by("") == ("other/T1",)


async def test_two_pools_never_lease_one_slot_twice(project: Project) -> None:
    pools = [SlotPool(project.workspace, project.pool.repositories) for _ in range(3)]
    slots = await asyncio.gather(*(pool.lease(f"{i}/T{j}") for i, pool in enumerate(pools) for j in range(3)))
    assert sorted(slot.number for slot in slots) == list(range(1, 10))


async def test_there_are_only_so_many_slots(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.git.slots.MOST_SLOTS", 2)
    for holder in ("m/T1", "m/T2"):
        await project.pool.lease(holder)
    with pytest.raises(NoSlotFree, match=r"all 2 worktrees of .* are in use"):
        await project.pool.lease("n/T1")
    assert (await project.pool.lease("m/T2")).number == 2
    await project.pool.release("m/T1")
    assert (await project.pool.lease("n/T1")).number == 1


async def test_a_slot_is_fresh_until_something_of_its_holder_was_kept(project: Project) -> None:
    slot = await project.slot()
    assert (await project.pool.lease("m/T1")).fresh  # the worker may have died before it wrote anything
    await project.pool.snapshot(slot, project.head, "work/T1", "Nothing yet")
    assert not (await project.pool.lease("m/T1")).fresh
    await project.pool.release("m/T1")
    assert (await project.pool.lease("m/T2")).fresh


async def test_the_pool_knows_its_slots(project: Project) -> None:
    slot = await project.pool.lease("m/T1")
    assert project.pool.owns(slot.path)
    assert not project.pool.owns(project.repository.path)


# setting a slot to a commit


async def test_only_hashes_are_accepted(project: Project) -> None:
    slot = await project.pool.lease("m/T1")
    for name in ("main", "HEAD", project.head[:12], "", "--orphan"):
        with pytest.raises(ValueError, match="is not a full commit hash"):
            await project.pool.prepare(slot, name)


async def test_a_prepared_slot_holds_exactly_the_commit_and_ignored_files(project: Project) -> None:
    slot = await project.slot()
    agent = project.in_slot(slot)
    agent.write_all({"ignored/build.o": "warm", "new.txt": "x", "a.txt": "changed"})
    await project.pool.reset(slot, project.head)
    assert agent.git("status", "--porcelain") == ""
    assert (slot.path / "ignored" / "build.o").exists()


async def test_files_nobody_committed_are_kept_on_a_branch(project: Project) -> None:
    slot = await project.slot("mission-x/T1")
    project.in_slot(slot).write_all({"a.txt": "mine", "new.txt": "x"})
    await project.pool.release("mission-x/T1")
    slot = await project.slot("mission-x/T2")
    branch = project.repository.git("branch", "--list", "--format=%(refname:short)", "mission-leftovers/*")
    assert branch.startswith("mission-leftovers/mission-x-T1-")
    assert project.repository.git("show", f"{branch}:a.txt") == "mine"
    assert files_in(slot.path).keys() == {".git", ".gitignore", "a.txt", "b.txt", "src/c.txt"}


async def test_commits_of_an_agent_that_no_branch_holds_are_kept(project: Project) -> None:
    slot = await project.slot()
    made = project.in_slot(slot).commit({"a.txt": "agent"}, "Agent's own")
    await project.pool.prepare(slot, project.head)
    assert project.repository.git("branch", "--contains", made).strip().startswith("mission-leftovers/")


async def test_nothing_is_kept_twice_and_nothing_of_nothing(project: Project) -> None:
    slot = await project.slot()
    commit = await _attempt(project, slot, "T1", {"a.txt": "one"})
    await project.pool.prepare(slot, project.head)
    await project.pool.prepare(slot, commit)
    await project.pool.reset(slot, project.head)
    assert project.repository.git("branch", "--list", "mission-leftovers/*") == ""


async def test_a_reset_saves_what_another_holder_left(project: Project) -> None:
    slot = await project.slot("m/T1")
    project.in_slot(slot).write(new="x")
    await project.pool.release("m/T1")
    await project.pool.reset(await project.pool.lease("m/T2"), project.head)
    assert project.repository.git("branch", "--list", "mission-leftovers/*")


async def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_put_right(project: Project) -> None:
    slot = await project.slot()
    shutil.rmtree(slot.path / "src")
    (slot.path / "a.txt").unlink()
    project.in_slot(slot).write_all({"src": "a file now", "a.txt/inner/deep": "a folder now"})
    await project.pool.prepare(slot, project.head)
    assert (slot.path / "src" / "c.txt").read_text() == "c\n"
    assert (slot.path / "a.txt").read_text() == "a\n"


# slots that are damaged


async def test_a_slot_whose_folder_vanished_is_made_again(project: Project) -> None:
    slot = await project.slot()
    shutil.rmtree(slot.path)
    await project.pool.prepare(await project.pool.lease("m/T1"), project.head)
    assert (slot.path / "a.txt").read_text() == "a\n"


async def test_a_slot_that_git_forgot_is_adopted_with_what_lies_in_it(project: Project) -> None:
    slot = await project.slot()
    project.in_slot(slot).write(new="unsaved")
    shutil.rmtree(slot.git_dir)
    await project.pool.prepare(await project.pool.lease("m/T1"), project.head)
    leftovers = project.repository.git("branch", "--list", "--format=%(objectname)", "mission-leftovers/*")
    assert project.repository.at(leftovers)["new.txt"] == "unsaved"
    assert files_in(slot.path).keys() == {".git", ".gitignore", "a.txt", "b.txt", "src/c.txt"}


async def test_a_killed_gits_locks_do_not_stop_us(project: Project) -> None:
    slot = await project.slot()
    for lock in ("index.lock", "mission-index.lock", "HEAD.lock"):
        (slot.git_dir / lock).touch()
    project.in_slot(slot).write(a="mine")
    taken = await project.pool.snapshot(slot, project.head, "work/T1", "Work")
    assert taken.changed == ("a.txt",)


# snapshots


def _untouched(agent: Repository, slot: Slot) -> None:
    pass


def _committed(agent: Repository, slot: Slot) -> None:
    agent.commit(message="Agent's own")


def _on_another_branch(agent: Repository, slot: Slot) -> None:
    agent.git("checkout", "-q", "-b", "agents-branch")
    agent.commit(message="Elsewhere")


def _on_an_orphan(agent: Repository, slot: Slot) -> None:
    agent.git("checkout", "-q", "--orphan", "nothing-before")


def _reset_softly(agent: Repository, slot: Slot) -> None:
    agent.git("reset", "-q", "--soft", agent.git("rev-list", "--max-parents=0", "HEAD"))


def _without_git_file(agent: Repository, slot: Slot) -> None:
    (slot.path / ".git").unlink()


def _with_a_repository_of_its_own(agent: Repository, slot: Slot) -> None:
    (slot.path / ".git").unlink()
    agent.git("init", "-q")
    agent.commit(message="A new life")


def _with_a_broken_index(agent: Repository, slot: Slot) -> None:
    (slot.git_dir / "index").write_bytes(b"nonsense")
    (slot.git_dir / "mission-index").write_bytes(b"nonsense")


def _with_a_blind_index(agent: Repository, slot: Slot) -> None:
    agent.git("update-index", "--assume-unchanged", "a.txt")
    agent.git("rm", "-q", "--cached", "b.txt")


def _in_a_rebase(agent: Repository, slot: Slot) -> None:
    (slot.git_dir / "rebase-merge").mkdir()
    (slot.git_dir / "CHERRY_PICK_HEAD").write_text(agent.head + "\n")


def _with_repositories_inside(agent: Repository, slot: Slot) -> None:
    Repository(slot.path / "vendor").git("init", "-q")
    Repository(slot.path / "vendor" / "empty").git("init", "-q")
    Repository(slot.path / "vendor").git("commit", "-q", "--allow-empty", "-m", "x")


DEEDS: list[Callable[[Repository, Slot], None]] = [
    _untouched,
    _committed,
    _on_another_branch,
    _on_an_orphan,
    _reset_softly,
    _without_git_file,
    _with_a_repository_of_its_own,
    _with_a_broken_index,
    _with_a_blind_index,
    _in_a_rebase,
    _with_repositories_inside,
]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: str(deed.__name__).strip("_"))
async def test_a_snapshot_holds_the_files_whatever_the_agent_did(
    project: Project, deed: Callable[[Repository, Slot], None]
) -> None:
    slot = await project.slot()
    agent = project.in_slot(slot)
    agent.write_all({"a.txt": "mine\n", "new/x.txt": "x\n", "vendor/lib.txt": "lib\n", "vendor/empty/e.txt": "e\n"})
    (slot.path / "src" / "c.txt").unlink()
    deed(agent, slot)
    taken = await project.pool.snapshot(slot, project.head, "mission-work/x/T1", "T1: work")
    repository = project.repository
    assert repository.at(taken.commit) == {
        ".gitignore": "ignored/", "a.txt": "mine", "b.txt": "b", "new/x.txt": "x",
        "vendor/lib.txt": "lib", "vendor/empty/e.txt": "e",
    }  # fmt: skip
    assert repository.git("log", "-1", "--format=%P %s", "mission-work/x/T1") == f"{project.head} T1: work"
    assert taken.changed == ("a.txt", "new/x.txt", "src/c.txt", "vendor/empty/e.txt", "vendor/lib.txt")
    assert agent.git("status", "--porcelain") == ""
    assert agent.head == taken.commit
    again = await project.pool.snapshot(slot, project.head, "mission-work/x/T1", "T1: work")
    assert again == taken


async def test_no_change_is_no_commit(project: Project) -> None:
    slot = await project.slot()
    taken = await project.pool.snapshot(slot, project.head, "work/T1", "Nothing")
    assert (taken.commit, taken.changed) == (project.head, ())
    assert project.repository.git("rev-parse", "work/T1") == project.head


async def test_a_snapshot_of_a_vanished_slot_is_its_parent_not_the_end_of_all_files(project: Project) -> None:
    slot = await project.slot()
    shutil.rmtree(slot.path)
    assert (await project.pool.snapshot(slot, project.head, "work/T1", "Gone")).commit == project.head


async def test_what_tools_make_by_the_way_is_nobodys_work(project: Project) -> None:
    slot = await project.slot()
    project.in_slot(slot).write_all({"src/__pycache__/c.pyc": "x", ".pytest_cache/x": "x"})
    taken = await project.pool.snapshot(slot, project.head, "work/T1", "Work")
    assert taken.changed == ()


async def test_names_that_git_would_quote_are_told_as_they_are(project: Project) -> None:
    slot = await project.slot()
    names = ("-dash.txt", "mit Leerzeichen.txt", 'quo"te.txt', "tab\t.txt", "ümlaut.txt")
    project.in_slot(slot).write_all(dict.fromkeys(names, "x"))
    taken = await project.pool.snapshot(slot, project.head, "work/T1", "Work")
    assert taken.changed == names


async def test_an_unfinished_attempt_builds_on_what_we_knew(project: Project) -> None:
    slot = await project.slot()
    first = await _attempt(project, slot, "T1", {"a.txt": "one"})
    project.in_slot(slot).git("checkout", "-q", "-b", "agents-branch", project.head)
    assert await project.pool.commit_of(slot) == first


async def test_slots_know_who_commits(project: Project, private_home: Path) -> None:
    slot = await project.slot()
    commit = await _attempt(project, slot, "T1", {"a.txt": "one"})
    who = project.repository.git("log", "-1", "--format=%an <%ae> %cn", commit)
    assert who == "OpenCode Orchestrator <orchestrator@localhost> OpenCode Orchestrator"


async def test_six_lanes_at_once_lose_no_file(project: Project) -> None:
    """Attempts side by side, merges one by one, all with hashes: every file of every lane arrives."""
    from adapters.git.merging import Merged, merge

    queue, heads = asyncio.Lock(), [project.head]
    await advance(project.workspace, "mission/x", project.head, None)

    async def lane(number: int) -> None:
        for round_ in range(3):
            slot = await project.slot(f"x/{number}", heads[-1])
            project.in_slot(slot).write_all({f"lane{number}/{round_}.txt": "x\n"})
            taken = await project.pool.snapshot(slot, await project.pool.commit_of(slot), f"work/{number}", "Work")
            async with queue:
                merged = await merge(slot, heads[-1], taken.commit, f"{number}/{round_}")
                assert isinstance(merged, Merged)
                await advance(project.workspace, "mission/x", merged.commit, heads[-1])
                heads.append(merged.commit)
            await project.pool.release(f"x/{number}")

    await asyncio.gather(*(lane(number) for number in range(6)))
    found = project.repository.at("mission/x").keys()
    assert {f"lane{number}/{round_}.txt" for number in range(6) for round_ in range(3)} <= found
    assert project.repository.git("branch", "--list", "mission-leftovers/*") == ""


async def _attempt(project: Project, slot: Slot, todo: str, files: dict[str, str]) -> str:
    project.in_slot(slot).write_all(files)
    parent = await project.pool.commit_of(slot)
    return (await project.pool.snapshot(slot, parent, f"work/{todo}", todo)).commit
