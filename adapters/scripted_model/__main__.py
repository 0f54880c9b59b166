"""`python -m adapters.scripted_model`: the scripted model as a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

from adapters.scripted_model.errors import ScenarioError
from adapters.scripted_model.scenario import load_scenario
from adapters.scripted_model.server import HOST, serve
from adapters.scripted_model.stage import OneScenario, ScenarioFolder, Stage


def main() -> int:
    arguments = _arguments()
    try:
        stage = _stage(arguments)
        asyncio.run(serve(stage, arguments.port, _say))
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot listen on {HOST}:{arguments.port}: {error.strerror or error}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripted-model", description="An OpenAI-compatible model on loopback that plays a scenario."
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--scenario", type=Path, metavar="FILE", help="play this for every mission")
    which.add_argument("--scenarios", type=Path, metavar="FOLDER", help="<mission>.json, else default.json")
    parser.add_argument("--port", type=int, default=0, help="default: a free one, printed at the start")
    parser.add_argument("--log", type=Path, metavar="FILE", help="one JSON line for each request")
    arguments = parser.parse_args()
    if not 0 <= arguments.port <= 65_535:
        parser.error(f"--port {arguments.port} is not between 0 and 65535")
    return arguments


def _stage(arguments: argparse.Namespace) -> Stage:
    if arguments.scenario:
        return OneScenario(load_scenario(arguments.scenario), arguments.log)
    return ScenarioFolder(arguments.scenarios, arguments.log)


def _say(url: str) -> None:
    sys.stdout.write(f"scripted model: {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
