"""What can go wrong with git and with a project's folder.

WorkspaceError
├── NotAWorkspace      the folder cannot be a project: a person must act
├── BranchMoved        somebody else moved a branch that is ours
├── MergeRefused       the user's checkout is not in a state to land on
└── GitError           a git command failed; has the command, its exit code and what it said
"""


class WorkspaceError(Exception):
    """Base of everything this adapter raises on purpose; the message is for a person."""


class NotAWorkspace(WorkspaceError):
    """The folder does not exist, is no folder, cannot be written, or is a bare repository."""


class BranchMoved(WorkspaceError):
    """A branch is not where we left it."""


class MergeRefused(WorkspaceError):
    """Nothing was changed; the message says what stands in the way and what to do."""


class GitError(WorkspaceError):
    """A git command that should have worked."""

    def __init__(self, command: str, exit_code: int, said: str) -> None:
        super().__init__(f"`git {command}` ended with exit code {exit_code}: {said.strip()[-800:]}")
        self.exit_code = exit_code
        self.said = said
