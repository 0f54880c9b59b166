"""Calling git: an environment we know, a process that can be ended."""

import asyncio
from pathlib import Path

import psutil
import pytest

from adapters.git.command import git, require_hash
from adapters.git.errors import GitError, NotAWorkspace
from tests.unit.adapters.repositories import Project, private_home, project

__all__ = ["private_home", "project"]


async def test_an_error_tells_command_exit_code_and_what_git_said(project: Project) -> None:
    with pytest.raises(GitError, match="`git rev-parse --verify nothing` ended with exit code 128: fatal") as caught:
        await git("rev-parse", "--verify", "nothing", cwd=project.repository.path)
    assert (caught.value.exit_code, caught.value.command[0]) == (128, "rev-parse")


async def test_hooks_signing_and_clean_up_are_off_unless_it_is_the_users_turn(project: Project) -> None:
    hook = project.repository.path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    project.repository.git("config", "commit.gpgsign", "true")
    who = project.workspace.identity
    await git("commit", "-q", "--allow-empty", "-m", "x", cwd=project.repository.path, env=who)
    arguments = ("commit", "-q", "--no-gpg-sign", "--allow-empty", "-m", "x")
    with pytest.raises(GitError):
        await git(*arguments, cwd=project.repository.path, env=who, as_the_user=True)


async def test_output_is_cut_at_a_limit_without_waiting_for_the_rest(project: Project) -> None:
    project.repository.commit({"big.txt": "line\n" * 200_000})
    shown = await git("show", "HEAD:big.txt", cwd=project.repository.path, limit=1_000)
    assert 1_000 < len(shown.out) < 200_000


async def test_cancelling_ends_git(project: Project) -> None:
    before = set(psutil.Process().children(recursive=True))
    task = asyncio.create_task(git("-c", "alias.hang=!sleep 600", "hang", cwd=project.repository.path))
    while not any(process.name() == "sleep" for process in _new(before)):  # noqa: ASYNC110 - the system's condition
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [process for process in _new(before) if process.status() != psutil.STATUS_ZOMBIE] == []


def _new(before: set[psutil.Process]) -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True)) - before


async def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotAWorkspace, match="gone does not exist any more"):
        await git("status", cwd=tmp_path / "gone")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotAWorkspace, match="git is not installed, or not on PATH"):
        await git("status", cwd=tmp_path)


@pytest.mark.parametrize("name", ["main", "HEAD", "a" * 39, "A" * 40, "a" * 40 + "\n", "a" * 50, ""])
def test_a_name_that_may_move_is_no_hash(name: str) -> None:
    with pytest.raises(ValueError, match="is not a full commit hash"):
        require_hash(name)


def test_hashes_of_both_kinds_pass() -> None:
    assert [len(require_hash(digits * "0a")) for digits in (20, 32)] == [40, 64]
