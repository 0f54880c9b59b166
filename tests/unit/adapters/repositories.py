"""Real git repositories in temporary folders, seen by nobody's configuration."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.git.slots import Slot, SlotPool
from adapters.git.workspace import Workspace, open_workspace

Files = Mapping[str, str]


@pytest.fixture(autouse=True)
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose user has configured nothing."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


@dataclass(frozen=True)
class Repository:
    """A folder, and git as its owner calls it."""

    path: Path

    def git(self, *arguments: str, check: bool = True) -> str:
        who = ("-c", "user.name=Owner", "-c", "user.email=owner@example.org")
        done = subprocess.run(["git", *who, *arguments], cwd=self.path, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr}")
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """`write(a="…")` writes `a.txt`."""
        self.write_all({f"{name}.txt": text for name, text in files.items()})

    def write_all(self, files: Files) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    def commit(self, files: Files | None = None, message: str = "Change") -> str:
        self.write_all(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def at(self, commit: str) -> dict[str, str]:
        """Every file of a commit."""
        names = self.git("ls-tree", "-r", "--name-only", commit).splitlines()
        return {name: self.git("show", f"{commit}:{name}") for name in names}


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte by byte."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def new_repository(path: Path, files: Files | None = None) -> Repository:
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "-q")
    repository.git("symbolic-ref", "HEAD", "refs/heads/main")
    if files is not None:
        repository.commit(files, "Begin")
    return repository


@dataclass(frozen=True)
class Project:
    """A repository opened as a workspace, and its slots."""

    repository: Repository
    workspace: Workspace
    pool: SlotPool

    @property
    def head(self) -> str:
        return self.repository.head

    async def slot(self, holder: str = "m/T1", commit: str = "") -> Slot:
        slot = await self.pool.lease(holder)
        await self.pool.prepare(slot, commit or self.head)
        return slot

    def in_slot(self, slot: Slot) -> Repository:
        """Git as an agent calls it in its slot."""
        return Repository(slot.path)


async def opened(tmp_path: Path, repository: Repository) -> Project:
    homes = tmp_path / "mission-home" / "repositories"
    workspace = await open_workspace(repository.path, homes)
    return Project(repository, workspace, SlotPool(workspace, homes))


@pytest.fixture
async def project(tmp_path: Path) -> Project:
    """A small repository with one commit."""
    files = {"a.txt": "a\n", "b.txt": "b\n", "src/c.txt": "c\n", ".gitignore": "ignored/\n"}
    return await opened(tmp_path, new_repository(tmp_path / "project", files))
