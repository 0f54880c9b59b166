"""Every environment variable the product reads, its default and its meaning."""

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Settings:
    """Read once, in `worker.py` and in the CLI, then passed on. Nothing below them reads the environment.

    Temporal's own address, namespace, TLS and API key come from Temporal's own variables and profile file.
    """

    #: `MISSION_HOME`: everything the stack keeps. Default: `opencode-orchestrator` below `$XDG_STATE_HOME`.
    home: Path
    #: `MISSION_TASK_QUEUE`: where workflows run; the host's own queue is derived from it.
    task_queue: str = "missions"
    #: `MISSION_OPENCODE`: the OpenCode program. Default: `opencode` on PATH, else the one `make setup` installed.
    opencode: Path | None = None
    #: `MISSION_OPENCODE_URL`, `MISSION_OPENCODE_PASSWORD`: a running OpenCode to use instead of our own.
    opencode_url: str | None = None
    opencode_password: str | None = None
    #: `MISSION_MODEL_URL`: where the stack's scripted model listens; OpenCode then has it as provider `scripted`.
    model_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        opencode = environment.get("MISSION_OPENCODE")
        return cls(
            home=_home(environment),
            task_queue=environment.get("MISSION_TASK_QUEUE", "missions"),
            opencode=Path(opencode).expanduser() if opencode else None,
            opencode_url=environment.get("MISSION_OPENCODE_URL") or None,
            opencode_password=environment.get("MISSION_OPENCODE_PASSWORD") or None,
            model_url=environment.get("MISSION_MODEL_URL") or None,
        )

    @property
    def database(self) -> Path:
        return self.home / "temporal.db"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def processes(self) -> Path:
        """One file a process we started: id, start time, ports. How anyone finds them again."""
        return self.home / "processes"

    @property
    def repositories(self) -> Path:
        """Worktree slots of every repository, and private git folders for projects without git."""
        return self.home / "repositories"

    @property
    def opencode_home(self) -> Path:
        return self.home / "opencode"

    @property
    def scenarios(self) -> Path:
        """One file a mission that runs on the scripted model; `default.json` for all others."""
        return self.home / "scenarios"

    def host_queue(self) -> str:
        """The task queue of this host's files; its name is made once per home and kept there."""
        kept = self.home / "host"
        if not kept.exists():
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = kept.with_name(f"host.{uuid.uuid4().hex}")
            fresh.write_text(f"{socket.gethostname()}-{uuid.uuid4().hex[:6]}\n")
            try:
                os.link(fresh, kept)  # the first of two processes wins, both read the same name
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return f"{self.task_queue}-{kept.read_text().strip()}"


def _home(environment: Mapping[str, str]) -> Path:
    if chosen := environment.get("MISSION_HOME"):
        return Path(chosen).expanduser().absolute()
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser().absolute() / "opencode-orchestrator"
