"""A user's project: where its git is, where a mission starts from, and what must not be touched."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from adapters.git.command import git, git_bytes, identity
from adapters.git.errors import GitError, NotAWorkspace

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MISSION_FOLDER = ".opencode/missions/"


@dataclass(frozen=True)
class Workspace:
    """A project's folder and the git that keeps its commits."""

    #: The top of the repository, or the folder itself.
    directory: Path
    #: What all worktrees share.
    git_dir: Path
    #: True: the folder has no git; its commits are in a repository of ours, elsewhere.
    private: bool
    #: Short and stable: names the project's folder below ours.
    key: str

    @property
    def env(self) -> dict[str, str]:
        """For git commands about the user's own files."""
        return {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.directory)} if self.private else {}


@dataclass(frozen=True)
class Base:
    """Where a mission starts from."""

    commit: str
    #: The branch that is checked out; empty when HEAD is detached or there is no git.
    branch: str
    notes: tuple[str, ...] = ()


async def open_workspace(directory: Path, repositories: Path) -> Workspace:
    """Raises `NotAWorkspace`. A folder without git gets a private git directory below `repositories`."""
    directory = _usable(directory)
    try:
        if await git("rev-parse", "--is-bare-repository", cwd=directory) == "true":
            raise NotAWorkspace(f"{directory} is a bare repository: give a checkout of it (git clone {directory})")
        top = Path(await git("rev-parse", "--show-toplevel", cwd=directory))
        common = Path(await git("rev-parse", "--git-common-dir", cwd=directory))
    except GitError as error:
        if "not a git repository" not in error.said:
            raise NotAWorkspace(f"{directory}: git cannot use it: {error.said.strip()}") from error
        return await _private(directory, repositories)
    return Workspace(_usable(top), (directory / common).resolve(), private=False, key=_key(top))


def _usable(directory: Path) -> Path:
    if not directory.exists():
        raise NotAWorkspace(f"{directory} does not exist")
    if not directory.is_dir():
        raise NotAWorkspace(f"{directory} is not a folder")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise NotAWorkspace(f"{directory} is not writable: a mission keeps its records in {MISSION_FOLDER} there")
    return directory.resolve()


def _key(directory: Path) -> str:
    return f"{directory.name[:24]}-{hashlib.sha256(str(directory).encode()).hexdigest()[:10]}"


async def _private(directory: Path, repositories: Path) -> Workspace:
    git_dir = repositories / _key(directory) / "private.git"
    if not (git_dir / "HEAD").exists():
        git_dir.parent.mkdir(parents=True, exist_ok=True)
        await git("init", "-q", "--bare", str(git_dir), cwd=directory)
        await git("config", "core.bare", "false", cwd=git_dir)
    return Workspace(directory, git_dir, private=True, key=_key(directory))


async def base_commit(workspace: Workspace, include_changes: bool) -> Base:
    """Their index, HEAD, branches and files are as before; only objects are added.

    `hide_mission_folder` comes first: the records of earlier missions are not part of the project.
    """
    head = await git(
        "rev-parse", "-q", "--verify", "HEAD^{commit}", cwd=workspace.directory, env=workspace.env, ok=(0, 1, 128)
    )
    branch = await git("symbolic-ref", "-q", "--short", "HEAD", cwd=workspace.directory, env=workspace.env, ok=(0, 1))
    if workspace.private:
        commit = await _snapshot_of_files(workspace, None)
        return Base(commit, "", ("the folder has no git: a private repository keeps the mission's branches",))
    if not head:
        if include_changes:
            return Base(
                await _snapshot_of_files(workspace, None),
                branch,
                ("the repository has no commit: started from its files",),
            )
        commit = await _commit(workspace, EMPTY_TREE, None, "Begin")
        return Base(commit, branch, ("the repository has no commit: started from nothing",))
    changes = await _changes(workspace)
    if not changes:
        return Base(head, branch)
    if include_changes:
        return Base(await _snapshot_of_files(workspace, head), branch, (f"{changes} uncommitted changes are included",))
    note = f"{changes} uncommitted changes are not included (--include-changes takes them along)"
    return Base(head, branch, (note,))


async def _changes(workspace: Workspace) -> int:
    listed = await git("status", "--porcelain", "--untracked-files=all", cwd=workspace.directory, env=workspace.env)
    return sum(MISSION_FOLDER not in line for line in listed.splitlines())


async def _snapshot_of_files(workspace: Workspace, parent: str | None) -> str:
    """All files as a commit, made through an index of our own."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**workspace.env, "GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            await git("read-tree", parent, cwd=workspace.directory, env=env)
        await git("add", "-A", cwd=workspace.directory, env=env)
        tree = await git("write-tree", cwd=workspace.directory, env=env)
    return await _commit(workspace, tree, parent, "Uncommitted changes" if parent else "Files as they were")


async def _commit(workspace: Workspace, tree: str, parent: str | None, message: str) -> str:
    env = {**workspace.env, **await identity(workspace.directory if not workspace.private else workspace.git_dir)}
    if tree == EMPTY_TREE:
        await git_bytes("hash-object", "-w", "-t", "tree", "/dev/null", cwd=workspace.directory, env=env)
    parents = ("-p", parent) if parent else ()
    return await git("commit-tree", tree, *parents, "-m", message, cwd=workspace.directory, env=env)


async def hide_mission_folder(workspace: Workspace) -> None:
    """Keep the mission's records out of git without touching a file of the project."""
    exclude = workspace.git_dir / "info" / "exclude"
    text = exclude.read_text() if exclude.exists() else ""
    if MISSION_FOLDER not in text.splitlines():
        exclude.parent.mkdir(parents=True, exist_ok=True)
        with exclude.open("a") as stream:
            stream.write(("" if not text or text.endswith("\n") else "\n") + MISSION_FOLDER + "\n")
