"""A user's project: finding its git, and what stands in the way."""

import hashlib
import os
import re
from pathlib import Path

from adapters.files import write_atomically
from adapters.git.base import Base, base_commit
from adapters.git.command import git
from adapters.git.errors import NotAWorkspace
from adapters.git.repository import Workspace
from adapters.git.user import find_identity, global_excludes

__all__ = ["MISSION_FOLDER", "Base", "Workspace", "base_commit", "hide_mission_folder", "open_workspace"]

MISSION_FOLDER = ".opencode/missions/"

_REGENERATED = """\
# Made again by tools at any time. Without a .gitignore agents would commit them, and every merge would conflict.
__pycache__/
*.py[cod]
.pytest_cache/
.mypy_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.venv/
node_modules/
.gradle/
.DS_Store
"""


async def open_workspace(directory: Path, repositories: Path) -> Workspace:
    """Raises `NotAWorkspace`. A folder without git gets a private git directory below `repositories`."""
    directory = _usable(directory.expanduser())
    if directory.is_relative_to(repositories.resolve()):
        raise NotAWorkspace(f"{directory} is a work folder of missions: start in the project itself")
    found = await git(
        "rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--absolute-git-dir", "--show-toplevel",
        cwd=directory, check=False,
    )  # fmt: skip
    if "not a git repository (or any" in found.err:
        return await _private(directory, repositories)
    bare, inside, *paths = [*found.text.splitlines(), "", ""]
    if bare == "true":
        raise NotAWorkspace(f"{directory} is a bare repository: clone it (git clone {directory}) and start there")
    if inside == "false":
        raise NotAWorkspace(f"{directory} lies inside a .git folder: start in the project itself")
    if found.exit_code:
        raise NotAWorkspace(f"git cannot use {directory}: {found.err.strip()}")
    git_dir, top = Path(paths[0]), _usable(Path(paths[1]))
    if not os.access(git_dir, os.W_OK | os.X_OK):
        raise NotAWorkspace(f"{git_dir} is not writable: a mission keeps its branches there")
    return await _opened(top, git_dir, private=False, repositories=repositories)


async def _private(directory: Path, repositories: Path) -> Workspace:
    if directory in (Path.home().resolve(), Path(directory.anchor)):
        raise NotAWorkspace(f"{directory} is no project folder, and everything below it would be copied: give one")
    git_dir = repositories.resolve() / _key(directory) / "private.git"
    git_dir.mkdir(parents=True, exist_ok=True)
    await git("init", "-q", "--bare", "--template=", str(git_dir), cwd=directory)
    await git("--git-dir", str(git_dir), "config", "core.logAllRefUpdates", "true", cwd=directory)
    return await _opened(directory, git_dir, private=True, repositories=repositories)


async def _opened(directory: Path, git_dir: Path, *, private: bool, repositories: Path) -> Workspace:
    key = _key(directory)
    home = repositories.resolve() / key
    ignored = f"{_REGENERATED}{MISSION_FOLDER}\n{await global_excludes(directory)}"
    if not (home / "excludes").is_file() or (home / "excludes").read_text() != ignored:
        write_atomically(home / "excludes", ignored)
    return Workspace(directory, git_dir, private, key, home, identity=await find_identity(directory))


def _key(directory: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", directory.name)[:24].strip(".-") or "project"
    return f"{name}-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:8]}"


def _usable(directory: Path) -> Path:
    try:
        if not directory.exists():
            raise NotAWorkspace(f"{directory} does not exist: give the folder of a project")
    except OSError as error:  # a name that is too long, a folder above that must not be entered
        raise NotAWorkspace(f"{str(directory)[:200]} cannot be used: {error.strerror}") from error
    if not directory.is_dir():
        raise NotAWorkspace(f"{directory} is not a folder: give the folder of a project")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise NotAWorkspace(f"{directory} is not writable: a mission keeps its records in {MISSION_FOLDER} there")
    return directory.resolve()


async def hide_mission_folder(workspace: Workspace) -> None:
    """Keep the mission's records out of git without touching a file of the project."""
    exclude = workspace.common_dir / "info" / "exclude"
    text = exclude.read_text(errors="surrogateescape") if exclude.exists() else ""
    if MISSION_FOLDER in text.splitlines():
        return
    exclude.parent.mkdir(parents=True, exist_ok=True)
    with exclude.open("a") as stream:  # whoever else writes there keeps what they wrote
        stream.write(("" if not text or text.endswith("\n") else "\n") + MISSION_FOLDER + "\n")
