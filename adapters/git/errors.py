"""What can go wrong with git and with a project's folder; every message is for a person.

WorkspaceError
├── NotAWorkspace      the folder cannot be a project, or not now: a person must act
├── NoSlotFree         all worktrees are taken: one will be free, try again
├── BranchMoved        somebody else moved a branch that is ours
├── MergeRefused       landing is not possible now; the checkout is as it was
└── GitError           a git command that should have worked: has command, exit code and what it said
"""

from collections.abc import Sequence

_TAIL = 800


class WorkspaceError(Exception):
    """Base of everything this adapter raises on purpose."""


class NotAWorkspace(WorkspaceError):
    """The folder does not exist, cannot be written, is a bare repository, or something of ours in it is damaged."""


class NoSlotFree(WorkspaceError):
    """As many worktrees as there may be are in use."""


class BranchMoved(WorkspaceError):
    """A branch is not where we left it."""

    def __init__(self, branch: str, expected: str, found: str) -> None:
        self.branch, self.expected, self.found = branch, expected, found
        super().__init__(
            f"the branch {branch} was moved by somebody else: it is at {found}, it was left at {expected}; "
            f"if nothing there is needed, bring it back with `git branch -f {branch} {expected}`"
        )


class MergeRefused(WorkspaceError):
    """The message says what stands in the way and what to do."""


class GitError(WorkspaceError):
    """A git command that should have worked."""

    def __init__(self, command: Sequence[str], exit_code: int, said: str) -> None:
        self.command, self.exit_code, self.said = tuple(command), exit_code, said.strip()[-_TAIL:]
        super().__init__(
            f"`git {' '.join(command)[:200]}` ended with exit code {exit_code}: {self.said or 'no output'}"
        )
