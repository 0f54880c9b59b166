"""What the rest needs to know of a project to call git for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.git.command import Output, git


@dataclass(frozen=True)
class Workspace:
    """A project's folder and the git that keeps its commits."""

    #: The top of the repository, or the folder itself.
    directory: Path
    #: Of this checkout: for a linked worktree not the one that all share.
    git_dir: Path
    #: The folder has no git; its commits are kept in a git directory of ours, elsewhere.
    private: bool
    #: Short and stable: names the project's folder below ours.
    key: str
    #: `repositories/<key>`: slots, excludes, the private git directory.
    home: Path
    #: `GIT_AUTHOR_…` and `GIT_COMMITTER_…` where the user has set none.
    identity: Mapping[str, str]

    @property
    def common_dir(self) -> Path:
        """What all worktrees of the repository share: objects, branches, `info/exclude`."""
        pointer = self.git_dir / "commondir"
        return (self.git_dir / pointer.read_text().strip()).resolve() if pointer.is_file() else self.git_dir

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"core.excludesFile={self.home / 'excludes'}",)

    async def git(
        self,
        *arguments: str,
        index: Path | None = None,
        check: bool = True,
        stdin: bytes | None = None,
        limit: int | None = None,
    ) -> Output:
        """Git on the user's files, never writing their index: `index` is one of our own."""
        env = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.directory), "GIT_OPTIONAL_LOCKS": "0"}
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        return await git(
            *arguments,
            cwd=self.directory,
            env={**self.identity, **env},
            check=check,
            stdin=stdin,
            limit=limit,
            settings=self.settings,
        )

    async def tree_of(self, commit: str) -> str:
        return (await self.git("rev-parse", f"{commit}^{{tree}}")).text
