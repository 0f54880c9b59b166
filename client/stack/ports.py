"""Ports of the local stack: once chosen they stay, so that clients and running workers find it again."""

import contextlib
import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.files import write_atomically
from runtime.settings import Settings

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    #: Temporal's usual ones: where its own tools and every tutorial look.
    temporal: int = 7233
    ui: int = 8233
    #: OpenCode's configuration holds it, so it is chosen even while no scripted model runs.
    model: int = 0


def kept_ports(settings: Settings) -> Ports | None:
    """Those of an earlier start, or None."""
    try:
        return Ports(**json.loads(_file(settings).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def choose_ports(settings: Settings, ours: frozenset[int] = frozenset()) -> Ports:
    """Those of an earlier start where they are free, else the usual ones, else any; kept for the next start.

    `ours` are held by parts that an earlier supervisor left running.
    """

    def usable(port: int) -> bool:
        return port in ours or is_free(port)

    kept = kept_ports(settings)
    usual = Ports()
    temporal = [(kept.temporal, kept.ui)] if kept else []
    server, ui = next(
        (pair for pair in [*temporal, (usual.temporal, usual.ui)] if all(map(usable, pair))),
        (free_port(), free_port()),
    )
    model = kept.model if kept and usable(kept.model) else free_port()
    chosen = Ports(server, ui, model)
    if chosen != kept:
        write_atomically(_file(settings), json.dumps(asdict(chosen)) + "\n")
    return chosen


def is_free(port: int) -> bool:
    """True if nobody listens there on loopback."""
    with contextlib.closing(socket.socket()) as probe:
        # As servers do: connections of the one before that still close do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _file(settings: Settings) -> Path:
    return settings.home / "ports.json"
