"""Opening a project and finding where to start, without touching anything of the user's."""

import os
from pathlib import Path

import pytest

from adapters.git.errors import NotAWorkspace
from adapters.git.workspace import base_commit, hide_mission_folder, open_workspace
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


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    return tmp_path / "mission-home" / "repositories"


# opening


async def test_a_folder_inside_a_repository_is_the_repository(project: Project, homes: Path) -> None:
    inside = await open_workspace(project.repository.path / "src", homes)
    assert (inside.directory, inside.key) == (project.repository.path, project.workspace.key)


async def test_a_linked_worktree_is_a_project_of_its_own(project: Project, homes: Path, tmp_path: Path) -> None:
    project.repository.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    linked = await open_workspace(tmp_path / "linked", homes)
    assert linked.directory == tmp_path / "linked"
    assert linked.common_dir == project.workspace.git_dir
    assert (await base_commit(linked, include_changes=False)).branch == "side"


async def test_a_submodule_is_a_project_of_its_own(project: Project, homes: Path, tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library", {"lib.txt": "x"})
    allow = ("-c", "protocol.file.allow=always")
    project.repository.git(*allow, "submodule", "add", "-q", str(library.path), "vendor/library")
    inside = await opened(tmp_path, Repository(project.repository.path / "vendor" / "library"))
    assert inside.workspace.directory == project.repository.path / "vendor" / "library"
    slot = await inside.slot()
    assert (slot.path / "lib.txt").read_text() == "x"


async def test_a_submodule_stays_in_the_tree_though_it_is_empty_in_a_slot(project: Project, tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library", {"lib.txt": "x"})
    project.repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.path), "lib")
    start = project.repository.commit()
    slot = await project.slot(commit=start)
    project.in_slot(slot).write(a="mine")
    (slot.git_dir / "mission-index").unlink()
    assert (await project.pool.snapshot(slot, start, "work/T1", "Work")).changed == ("a.txt",)


async def test_what_cannot_be_a_project_is_refused_in_words(tmp_path: Path, homes: Path, private_home: Path) -> None:
    repository = new_repository(tmp_path / "project", {"a.txt": "a"})
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ".git").write_text("gitdir: /nowhere\n")
    for folder, why in (
        (tmp_path / "missing", "does not exist"),
        (tmp_path / ("x" * 300), "cannot be used: File name too long"),
        (tmp_path / "file", "is not a folder"),
        (tmp_path / "bare", "is a bare repository: clone it"),
        (repository.path / ".git", "lies inside a .git folder"),
        (tmp_path / "broken", "git cannot use .*not a git repository: /nowhere"),
        (private_home, "is no project folder"),
    ):
        with pytest.raises(NotAWorkspace, match=why):
            await open_workspace(folder, homes)


async def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    # Root may write everywhere, so the answer is given here: that it is asked is what counts.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked")
    with pytest.raises(NotAWorkspace, match="is not writable"):
        await open_workspace(tmp_path / "locked", homes)


async def test_a_slot_is_no_project(project: Project, homes: Path) -> None:
    slot = await project.slot()
    with pytest.raises(NotAWorkspace, match="is a work folder of missions"):
        await open_workspace(slot.path, homes)


async def test_the_git_of_a_hook_that_starts_us_does_not_mislead_us(
    project: Project, homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_repository(tmp_path / "other", {"other.txt": "x"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git" / "index"))
    assert (await open_workspace(project.repository.path, homes)).directory == project.repository.path


# where a mission starts from


async def test_a_clean_checkout_starts_from_its_head(project: Project) -> None:
    base = await base_commit(project.workspace, include_changes=False)
    assert (base.commit, base.branch, base.notes) == (project.head, "main", ())


async def test_a_detached_head_has_no_branch(project: Project) -> None:
    project.repository.git("checkout", "-q", "--detach")
    assert (await base_commit(project.workspace, include_changes=False)).branch == ""


async def test_changes_that_are_left_out_are_told(project: Project) -> None:
    project.repository.write_all({"a.txt": "2", "new.txt": "x", ".opencode/missions/m/todo.md": "x"})
    base = await base_commit(project.workspace, include_changes=False)
    assert base.commit == project.head
    assert base.notes == ("2 changed files are not included (--include-changes takes them along)",)


async def test_changes_are_taken_along_and_nothing_of_the_users_is_touched(project: Project) -> None:
    repository = project.repository
    repository.write_all({"a.txt": "staged", "new.txt": "untracked", "ignored/x": "x", ".opencode/missions/m/t": "x"})
    repository.git("add", "a.txt")
    repository.write_all({"a.txt": "worked on"})
    (repository.path / "b.txt").unlink()
    before = _without_objects(files_in(repository.path))
    base = await base_commit(project.workspace, include_changes=True)
    assert _without_objects(files_in(repository.path)) == before
    files = {".gitignore": "ignored/", "a.txt": "worked on", "new.txt": "untracked", "src/c.txt": "c"}
    assert repository.at(base.commit) == files
    assert repository.git("log", "-1", "--format=%P", base.commit) == project.head


async def test_a_whole_attempt_leaves_the_users_files_index_and_branch_alone(project: Project) -> None:
    project.repository.write_all({"a.txt": "dirty", "new.txt": "x"})
    before = _theirs(project.repository)
    base = await base_commit(project.workspace, include_changes=False)
    slot = await project.slot(commit=base.commit)
    project.in_slot(slot).write(b="mine")
    await project.pool.snapshot(slot, base.commit, "mission-work/x/T1", "Work")
    assert _theirs(project.repository) == before


def _without_objects(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if "/objects/" not in name}


def _theirs(repository: Repository) -> dict[str, bytes]:
    ours = (".git/objects/", ".git/worktrees/", ".git/refs/heads/mission", ".git/logs/refs/heads/mission")
    return {name: content for name, content in files_in(repository.path).items() if not name.startswith(ours)}


async def test_repositories_inside_a_dirty_checkout_stay_out_and_are_named(project: Project) -> None:
    new_repository(project.repository.path / "vendor", {"x.txt": "x"})
    new_repository(project.repository.path / "empty")
    project.repository.write(new="x")
    base = await base_commit(project.workspace, include_changes=True)
    assert "new.txt" in project.repository.at(base.commit)
    assert "vendor" not in project.repository.git("ls-tree", "-r", "--name-only", base.commit)
    assert any("repositories of their own: vendor" in note for note in base.notes)


async def test_a_repository_without_commits_starts_from_nothing(tmp_path: Path) -> None:
    project = await opened(tmp_path, new_repository(tmp_path / "new"))
    project.repository.write(a="not committed")
    base = await base_commit(project.workspace, include_changes=False)
    assert base.branch == "main"
    assert project.repository.git("ls-tree", base.commit) == ""
    assert (await base_commit(project.workspace, include_changes=False)).commit == base.commit
    assert project.repository.git("for-each-ref") == ""
    slot = await project.slot(commit=base.commit)
    assert files_in(slot.path).keys() == {".git"}


async def test_a_repository_without_commits_starts_from_its_files_if_asked(tmp_path: Path) -> None:
    project = await opened(tmp_path, new_repository(tmp_path / "new"))
    project.repository.write(a="not committed")
    base = await base_commit(project.workspace, include_changes=True)
    assert project.repository.at(base.commit) == {"a.txt": "not committed"}


async def test_a_folder_without_git_is_kept_elsewhere(tmp_path: Path) -> None:
    folder = Repository(tmp_path / "plain")
    folder.write_all({"a.txt": "a", "sub/b.txt": "b", "node_modules/x/y.js": "x"})
    before = files_in(folder.path)
    project = await opened(tmp_path, folder)
    base = await base_commit(project.workspace, include_changes=False)
    slot = await project.slot(commit=base.commit)
    assert files_in(slot.path).keys() == {".git", "a.txt", "sub/b.txt"}
    assert files_in(folder.path) == before
    assert (await base_commit(project.workspace, include_changes=False)).commit == base.commit


async def test_the_missions_folder_is_hidden_once(project: Project, tmp_path: Path) -> None:
    project.repository.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    linked = await open_workspace(tmp_path / "linked", tmp_path / "mission-home" / "repositories")
    for workspace in (project.workspace, linked, linked):
        await hide_mission_folder(workspace)
    project.repository.write_all({".opencode/missions/m/todo.md": "x"})
    assert project.repository.git("status", "--porcelain") == ""
    text = (project.repository.path / ".git" / "info" / "exclude").read_text()
    assert text.count(".opencode/missions/") == 1


async def test_the_users_identity_and_excludes_hold_in_slots(
    project: Project, private_home: Path, tmp_path: Path
) -> None:
    (private_home / ".gitconfig").write_text(
        f"[user]\nname = Ada\nemail = ada@example.org\n[core]\nexcludesFile = {private_home}/never\n"
    )
    (private_home / "never").write_text("*.secret\n")
    project = await opened(tmp_path, project.repository)
    slot = await project.slot()
    project.in_slot(slot).write_all({"x.secret": "x", "a.txt": "mine"})
    taken = await project.pool.snapshot(slot, project.head, "work/T1", "Work")
    assert taken.changed == ("a.txt",)
    assert project.repository.git("log", "-1", "--format=%an <%ae>", taken.commit) == "Ada <ada@example.org>"
