"""`mission status`: the local stack."""

from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from adapters.processes import ProcessRecord
from client.cli import arguments
from client.cli.output import print_json, say, stdout
from client.cli.running import command
from client.exit_codes import ExitCode
from client.screen.words import clock
from client.stack.logs import log_file
from client.stack.records import OPENCODE, PARTS, SUPERVISOR, TEMPORAL, WORKER, look
from runtime.settings import Settings
from runtime.temporal import find_target, is_external

SHOWN = ("address", "ui", "url", "version", "queue", "host_queue")
"""Facts of a record that are for everyone's eyes; OpenCode's password is not."""


NOBODY_KEEPS_THEM = "Nobody keeps these parts up: `mission up` takes them over, `mission down` ends them."


@command
def status(as_json: arguments.AsJson = False) -> ExitCode:
    """Show what of the local stack is running. Ends with 5 when it is not."""
    return print_status(describe(Settings.from_environment()), as_json=as_json)


def describe(settings: Settings) -> dict[str, Any]:
    """What lives, where it is reached, where it logs."""
    found = look(settings)
    needed = (SUPERVISOR, WORKER, OPENCODE) if is_external() else (SUPERVISOR, TEMPORAL, WORKER, OPENCODE)
    return {
        "running": found.supervisor is not None,
        "ready": found.is_ready,
        "doing": found.doing or None,
        "home": str(settings.home),
        "temporal": find_target(settings).address if is_external() or TEMPORAL in found.parts else None,
        "temporal_ui": found.ui,
        "parts": {
            name: _part(settings, name, found.parts.get(name))
            for name in (SUPERVISOR, *PARTS)
            if name in found.parts or name in needed
        },
    }


def _part(settings: Settings, name: str, record: ProcessRecord | None) -> dict[str, Any]:
    if record is None:
        return {"running": False, "log": str(log_file(settings, name))}
    facts = {key: value for key, value in record.facts.items() if key in SHOWN}
    since = datetime.fromtimestamp(record.started, UTC)
    return {"running": True, "pid": record.pid, "since": since, **facts, "log": str(log_file(settings, name))}


def print_status(described: dict[str, Any], *, as_json: bool) -> ExitCode:
    if as_json:
        print_json(described)
    else:
        stdout().print(_table(described["parts"]))
        for name, key in (("Temporal", "temporal"), ("Temporal UI", "temporal_ui")):
            if described[key]:
                say(f"{name:<12} {described[key]}")
        say(f"Kept below   {described['home']}")
        if not described["running"]:
            left = any(part["running"] for part in described["parts"].values())
            say(NOBODY_KEEPS_THEM if left else "The stack is down. `mission up` starts it.")
    return ExitCode.OK if described["running"] else ExitCode.UNREACHABLE


def _table(parts: dict[str, dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 1))
    now = datetime.now(UTC)
    for name, part in parts.items():
        if not part["running"]:
            table.add_row(Text("–", "dim"), Text(name, "dim"), Text("not running", "dim"), "", "")
            continue
        where = part.get("address") or part.get("url") or part.get("queue") or ""
        version = part.get("version", "")
        since = clock(now - part["since"])
        table.add_row(Text("✔", "green"), name, f"process {part['pid']}", since, f"{where} {version}".strip())
    return table
