"""What the user has told git about themselves."""

import os
from pathlib import Path

from adapters.git.command import git

_NAME, _EMAIL = "OpenCode Orchestrator", "orchestrator@localhost"


async def find_identity(directory: Path) -> dict[str, str]:
    """What to add to git's environment so that commits have an author: nothing where the user configured one."""
    known = (await git("config", "--get-regexp", r"^user\.(name|email)$", cwd=directory, check=False)).text.splitlines()
    identity = {}
    for setting, variable, ours in (("user.name", "NAME", _NAME), ("user.email", "EMAIL", _EMAIL)):
        if any(line.startswith(setting) and line != setting for line in known):
            continue
        for who in ("AUTHOR", "COMMITTER"):
            identity[f"GIT_{who}_{variable}"] = os.environ.get(f"GIT_{who}_{variable}") or ours
    return identity


async def global_excludes(directory: Path) -> str:
    """The user's own list of what git never takes, for all their repositories."""
    chosen = (await git("config", "--path", "core.excludesFile", cwd=directory, check=False)).text
    default = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    try:
        return (Path(chosen) if chosen else default).read_text(errors="replace")
    except OSError:
        return ""
