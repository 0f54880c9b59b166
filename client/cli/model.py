"""`mission model`: the scripted model alone."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.scripted_model.scenario import load_scenario
from client.cli.running import command
from client.stack.parts import ROOT


@command
def model(
    scenario: Annotated[Path, typer.Option("--scenario", metavar="FILE", help="What it plays, for every mission.")],
    log: Annotated[Path | None, typer.Option("--log", metavar="FILE", help="One JSON line for each request.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0: a free one, printed at the start.")] = 0,
) -> None:
    """Serve the scripted model alone: an OpenAI-compatible API on loopback that plays a scenario."""
    load_scenario(scenario)  # its errors are for people, here and now
    arguments = ["--scenario", str(scenario.absolute()), "--port", str(port)]
    arguments += ["--log", str(log.absolute())] if log else []
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "adapters.scripted_model", *arguments])  # noqa: S606 - no shell is meant
