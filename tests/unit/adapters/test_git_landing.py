"""Landing: all of it, or nothing and a reason."""

from pathlib import Path

import pytest

from adapters.git.landing import land
from adapters.git.merging import advance
from adapters.git.workspace import base_commit
from tests.unit.adapters.repositories import (
    Project,
    Repository,
    files_in,
    new_repository,
    opened,
    private_home,
    project,
)

__all__ = ["private_home", "project"]


async def _mission(project: Project, files: dict[str, str], base: str = "") -> str:
    """What a mission made of the project's head, on the branch `mission/x`."""
    base = base or project.head
    slot = await project.slot(commit=base)
    project.in_slot(slot).write_all(files)
    taken = await project.pool.snapshot(slot, base, "mission/x", "The mission's work")
    await project.pool.release("m/T1")
    return taken.commit


async def test_a_mission_lands_as_one_merge_of_the_user(project: Project) -> None:
    base, commit = project.head, await _mission(project, {"a.txt": "mission", "new.txt": "n"})
    project.repository.write_all({"untracked.txt": "stays"})
    landed = await land(project.workspace, commit, base, "main", "Land it")
    assert project.repository.git("log", "-1", "--format=%H|%P|%s") == f"{landed.commit}|{base} {commit}|Land it"
    assert (project.repository.path / "a.txt").read_text() == "mission"
    assert project.repository.git("status", "--porcelain") == "?? untracked.txt"
    again = await land(project.workspace, commit, base, "main", "Land it")
    assert (again.already, again.commit) == (True, landed.commit)


async def test_a_conflict_is_refused_and_the_checkout_is_as_it_was(project: Project) -> None:
    base, commit = project.head, await _mission(project, {"a.txt": "mission"})
    mine = project.repository.commit({"a.txt": "mine"})
    with pytest.raises(Exception, match=r"a\.txt.*Nothing was changed.*git merge mission/x"):
        await land(project.workspace, commit, base, "main", "Land it")
    assert (project.head, project.repository.git("status", "--porcelain")) == (mine, "")
    assert not (project.repository.path / ".git" / "MERGE_HEAD").exists()


async def _another_branch(project: Project) -> None:
    project.repository.git("checkout", "-q", "-b", "other")


async def _detached(project: Project) -> None:
    project.repository.git("checkout", "-q", "--detach")


async def _dirty(project: Project) -> None:
    project.repository.write(b="uncommitted")


async def _staged(project: Project) -> None:
    project.repository.write(b="uncommitted")
    project.repository.git("add", "b.txt")


async def _untracked_in_the_way(project: Project) -> None:
    project.repository.write(new="mine")


async def _in_a_merge(project: Project) -> None:
    (project.repository.path / ".git" / "MERGE_HEAD").write_text(project.head + "\n")


async def _with_a_hook_that_refuses(project: Project) -> None:
    hook = project.repository.path / ".git" / "hooks" / "commit-msg"
    hook.write_text("#!/bin/sh\necho not like this >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        pytest.param(_another_branch, "is on other, the mission started from main: git switch main", id="other branch"),
        pytest.param(_detached, "is on no branch", id="detached"),
        pytest.param(_dirty, r"uncommitted changes: b\.txt\. Commit or stash", id="dirty"),
        pytest.param(_staged, r"uncommitted changes: b\.txt", id="staged"),
        pytest.param(_untracked_in_the_way, r"untracked files are in the way: new\.txt", id="untracked"),
        pytest.param(_in_a_merge, "a merge is under way", id="merging"),
        pytest.param(_with_a_hook_that_refuses, "not like this", id="hook"),
    ],
)
async def test_what_stands_in_the_way_is_named_and_nothing_changes(project: Project, state, why: str) -> None:  # type: ignore[no-untyped-def]
    base, commit = project.head, await _mission(project, {"a.txt": "mission", "new.txt": "n"})
    await state(project)
    before = {name: text for name, text in files_in(project.repository.path).items() if not name.startswith(".git/")}
    with pytest.raises(Exception, match=why):
        await land(project.workspace, commit, base, "main", "Land it")
    after = {name: text for name, text in files_in(project.repository.path).items() if not name.startswith(".git/")}
    assert (before, project.head) == (after, base)


async def test_a_mission_from_a_detached_head_tells_how_to_merge_it(project: Project) -> None:
    commit = await _mission(project, {"a.txt": "mission"})
    with pytest.raises(Exception, match="no branch to land on; where you want it: git merge mission/x"):
        await land(project.workspace, commit, project.head, "", "Land it")


async def test_a_commit_that_is_gone_is_told(project: Project) -> None:
    with pytest.raises(Exception, match="does not hold the commit"):
        await land(project.workspace, "1" * 40, project.head, "main", "Land it")


async def test_landing_runs_the_users_hooks(project: Project) -> None:
    base, commit = project.head, await _mission(project, {"a.txt": "mission"})
    hook = project.repository.path / ".git" / "hooks" / "post-merge"
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    await land(project.workspace, commit, base, "main", "Land it")
    assert (project.repository.path / "hook-ran").exists()


async def test_two_missions_land_in_a_repository_that_had_no_commits(tmp_path: Path) -> None:
    project = await opened(tmp_path, new_repository(tmp_path / "new"))
    base = (await base_commit(project.workspace, include_changes=False)).commit
    first, second = [await _mission(project, {f"{name}.txt": name}, base) for name in ("one", "two")]
    await advance(project.workspace, "mission/y", first, None)
    for commit in (first, second):
        await land(project.workspace, commit, base, "main", "Land it")
    assert project.repository.at("main") == {"one.txt": "one", "two.txt": "two"}
    assert project.repository.git("status", "--porcelain") == ""


# a folder without git


async def _plain(tmp_path: Path) -> tuple[Project, str]:
    folder = Repository(tmp_path / "plain")
    folder.write_all({"a.txt": "a", "sub/b.txt": "b", "run.sh": "#!/bin/sh\n"})
    project = await opened(tmp_path, folder)
    return project, (await base_commit(project.workspace, include_changes=False)).commit


async def test_a_folder_without_git_gets_the_missions_files_and_no_git(tmp_path: Path) -> None:
    project, base = await _plain(tmp_path)
    slot = await project.slot(commit=base)
    project.in_slot(slot).write_all({"a.txt": "mission", "new/n.txt": "n"})
    (slot.path / "sub" / "b.txt").unlink()
    (slot.path / "run.sh").chmod(0o755)
    commit = (await project.pool.snapshot(slot, base, "mission/x", "Work")).commit
    project.repository.write_all({"mine.txt": "made meanwhile"})
    landed = await land(project.workspace, commit, base, "", "Land it")
    expected = {"a.txt": b"mission", "mine.txt": b"made meanwhile", "new/n.txt": b"n", "run.sh": b"#!/bin/sh\n"}
    assert files_in(project.repository.path) == expected
    assert (project.repository.path / "run.sh").stat().st_mode & 0o111
    assert not landed.already
    assert (await land(project.workspace, commit, base, "", "Land it")).already


async def test_files_of_a_folder_that_changed_meanwhile_are_refused_by_name(tmp_path: Path) -> None:
    project, base = await _plain(tmp_path)
    commit = await _mission(project, {"a.txt": "mission", "sub/b.txt": "mission"}, base)
    project.repository.write(a="mine")
    before = files_in(project.repository.path)
    with pytest.raises(
        Exception, match=r"have changed or appeared since the mission began: a\.txt\. Nothing was changed"
    ):
        await land(project.workspace, commit, base, "", "Land it")
    assert files_in(project.repository.path) == before


async def test_landing_in_a_folder_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    project, base = await _plain(tmp_path)
    commit = await _mission(project, {"a.txt": "mission", "sub/b.txt": "mission"}, base)
    project.repository.write(a="mission")  # as far as it had come
    await land(project.workspace, commit, base, "", "Land it")
    assert files_in(project.repository.path)["sub/b.txt"] == b"mission"


async def test_an_ignored_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    folder = Repository(tmp_path / "plain")
    folder.write_all({".gitignore": "new.txt\n", "new.txt": "mine"})
    project = await opened(tmp_path, folder)
    base = (await base_commit(project.workspace, include_changes=False)).commit
    commit = await _mission(project, {".gitignore": "", "new.txt": "mission"}, base)
    with pytest.raises(Exception, match=r"new\.txt\. Nothing was changed"):
        await land(project.workspace, commit, base, "", "Land it")
    assert files_in(folder.path) == {".gitignore": b"new.txt\n", "new.txt": b"mine"}


async def test_two_missions_land_in_one_folder(tmp_path: Path) -> None:
    project, base = await _plain(tmp_path)
    first, second = [await _mission(project, {f"{name}.txt": name}, base) for name in ("one", "two")]
    await land(project.workspace, first, base, "", "Land it")
    await land(project.workspace, second, base, "", "Land it")
    assert {"one.txt", "two.txt"} <= files_in(project.repository.path).keys()
