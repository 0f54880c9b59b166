"""The commands, with an example each: a table of contents."""

from importlib.metadata import version
from typing import Annotated

import typer

from client.cli.cancel import cancel
from client.cli.demo import demo
from client.cli.diff import diff
from client.cli.doctor import doctor
from client.cli.down import down
from client.cli.land import land
from client.cli.list import list_missions
from client.cli.logs import logs
from client.cli.model import model
from client.cli.run import run
from client.cli.show import show
from client.cli.start import start
from client.cli.status import status
from client.cli.up import up
from client.cli.watch import watch
from client.cli.worker import worker
from client.exit_codes import MEANINGS

EXIT_CODES = "Exit codes: " + ", ".join(f"{int(code)} {meaning}" for code, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    name="mission",
    help="Durable missions for OpenCode: plan, work in parallel, check, review, merge, seal.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("opencode-orchestrator"))
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Durable missions for OpenCode: plan, work in parallel, check, review, merge, seal."""


def _add(name: str, body: object, example: str, panel: str) -> None:
    app.command(name, epilog=f"Example: {example}", rich_help_panel=panel)(body)  # type: ignore[type-var]


MISSIONS, STACK, ALONE = "Missions", "The local stack", "Single parts"

_add("run", run, 'mission run "Add a login page" --dir shop --check "pytest -q"', MISSIONS)
_add("start", start, 'id=$(mission start "Add a login page" --dir shop)', MISSIONS)
_add("demo", demo, "mission demo", MISSIONS)
_add("list", list_missions, "mission list --running", MISSIONS)
_add("show", show, "mission show add-login --json", MISSIONS)
_add("watch", watch, "mission watch add-login", MISSIONS)
_add("cancel", cancel, "mission cancel add-login", MISSIONS)
_add("diff", diff, "mission diff add-login | less", MISSIONS)
_add("land", land, "mission land add-login", MISSIONS)
_add("logs", logs, "mission logs add-login --todo T2", MISSIONS)
_add("up", up, "mission up --detach", STACK)
_add("down", down, "mission down", STACK)
_add("status", status, "mission status --json", STACK)
_add("doctor", doctor, "mission doctor", STACK)
_add("worker", worker, "TEMPORAL_ADDRESS=temporal.example:7233 mission worker", ALONE)
_add("model", model, "mission model --scenario scenarios/six-files.yaml --log requests.jsonl", ALONE)
