"""`mission up`: the local stack."""

from typing import Annotated

import typer

from adapters.scripted_model.scenario import save_scenario
from client.cli import arguments
from client.cli.arguments import read_scenario, refuse_another_opencode
from client.cli.output import say, steps
from client.cli.running import command
from client.cli.status import describe, print_status
from client.exit_codes import ExitCode
from client.stack.launch import ensure_model, ensure_stack
from client.stack.records import look
from client.stack.supervisor import Supervisor
from runtime.settings import Settings


@command
async def up(
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    scenario: arguments.ScenarioFile = None,
    model_log: arguments.ModelLog = None,
    opencode_url: arguments.OpenCodeUrl = None,
    as_json: arguments.AsJson = False,
) -> ExitCode | None:
    """Start the local stack and keep it up: Temporal, the worker, OpenCode. Open missions go on where they were."""
    settings = Settings.from_environment()
    refuse_another_opencode(settings, opencode_url)
    script = read_scenario(scenario, model_log)
    if script is not None:
        save_scenario(settings.scenarios, "default", script, model_log)
    elif not look(settings).supervisor:
        (settings.scenarios / "default.json").unlink(missing_ok=True)  # of an earlier `up`: this one is for real
    if not detach and not look(settings).supervisor and await Supervisor(settings, say).run():
        return ExitCode.OK
    with steps("starting") as progress:
        await ensure_stack(settings, progress.show)
        if script is not None:
            await ensure_model(settings)
    return print_status(describe(settings), as_json=as_json)
