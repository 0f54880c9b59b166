"""Arguments and options that several commands share, and what becomes of them."""

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from adapters.scripted_model.scenario import Scenario, load_scenario
from client.errors import BadInput
from client.stack.records import look
from runtime.settings import Settings

LONGEST_OBJECTIVE = 20_000

MissionId = Annotated[str, typer.Argument(metavar="ID", help="The mission's id, its beginning, or the hex at its end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Plain = Annotated[bool, typer.Option("--plain", help="One line a change instead of the live view.")]
ScenarioFile = Annotated[
    Path | None,
    typer.Option("--scenario", metavar="FILE", help="Play this scenario on the scripted model: no provider, no key."),
]
ModelLog = Annotated[
    Path | None, typer.Option("--model-log", metavar="FILE", help="Log each request to the scripted model.")
]


def _use_opencode(url: str | None) -> str | None:
    """Put into the environment: every process we start reads it there, and no `ps` shows the password."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"{url!r} is no address: give one such as http://127.0.0.1:4096")
    if parts.username or parts.password:
        raise typer.BadParameter("others can read a password here: give it in MISSION_OPENCODE_PASSWORD")
    os.environ["MISSION_OPENCODE_URL"] = url
    if "MISSION_OPENCODE_PASSWORD" not in os.environ and sys.stdin.isatty():
        os.environ["MISSION_OPENCODE_PASSWORD"] = typer.prompt(
            "OpenCode's password", default="", hide_input=True, show_default=False, err=True
        )
    return url


OpenCodeUrl = Annotated[
    str | None,
    typer.Option(
        "--opencode-url",
        metavar="URL",
        callback=_use_opencode,
        help="Use this running OpenCode; its password comes from MISSION_OPENCODE_PASSWORD, or you are asked.",
    ),
]


def read_objective(text: str) -> str:
    """What is to be done; `-` reads it from standard input."""
    if text.strip() == "-":
        # A byte more than could be valid tells enough of a text that is too long.
        text = sys.stdin.buffer.read(LONGEST_OBJECTIVE * 4 + 1).decode(errors="replace")
    objective = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t").strip()
    if not objective:
        raise BadInput('the objective is empty: say what is to be done, e.g. mission run "Add a login page"')
    if len(objective) > LONGEST_OBJECTIVE:
        raise BadInput(
            f"the objective has more than {LONGEST_OBJECTIVE:,} characters: put the details into a file of the "
            "project and name it in the objective"
        )
    return objective


def read_scenario(file: Path | None, log: Path | None) -> Scenario | None:
    """Raises `ScenarioError` with file and line."""
    if file is None:
        if log is not None:
            raise BadInput("--model-log is for the scripted model: give a --scenario too")
        return None
    return load_scenario(file)


def refuse_another_opencode(settings: Settings, url: str | None) -> None:
    """A stack that is up keeps its OpenCode: an option without effect would only look like one."""
    if url is not None and look(settings).supervisor:
        raise BadInput("the stack is up and keeps its OpenCode: leave out --opencode-url, or `mission down` first")
