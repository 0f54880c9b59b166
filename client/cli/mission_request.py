"""What `run` and `start` are told: the objective and the options, over those of the project's `mission.toml`."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.scripted_model.scenario import Scenario, save_scenario
from client.cli.arguments import read_objective, read_scenario
from client.errors import BadInput
from client.mission_file import make_options, read_mission_file
from client.mission_ids import new_mission_id
from client.new_mission import NewMission
from runtime.settings import Settings

SCRIPTED = "scripted/model"


class Review(StrEnum):
    EVERY = "every"
    FINAL = "final"
    NONE = "none"


Objective = Annotated[
    str, typer.Argument(metavar="OBJECTIVE", help="What is to be done; - reads it from standard input.")
]
Dir = Annotated[Path, typer.Option("--dir", "-d", metavar="DIR", help="The project; default: this folder.")]
Model = Annotated[str | None, typer.Option("--model", "-m", metavar="PROVIDER/MODEL", help="For every role.")]
PlannerModel = Annotated[str | None, typer.Option("--planner-model", metavar="PROVIDER/MODEL")]
WorkerModel = Annotated[str | None, typer.Option("--worker-model", metavar="PROVIDER/MODEL")]
ReviewerModel = Annotated[str | None, typer.Option("--reviewer-model", metavar="PROVIDER/MODEL")]
Parallel = Annotated[int | None, typer.Option("--parallel", "-p", metavar="N", help="TODOs at the same time, at most.")]
Checks = Annotated[
    list[str] | None,
    typer.Option("--check", "-c", metavar="CMD", help="Must pass on the merged whole. Repeatable."),
]
MaxRounds = Annotated[int | None, typer.Option("--max-rounds", metavar="N", help="Rounds of planning, at most.")]
ReviewWhat = Annotated[Review | None, typer.Option("--review", help="Review every TODO, the whole, or nothing.")]
IncludeChanges = Annotated[
    bool | None, typer.Option("--include-changes", help="Start from the files with their uncommitted changes.")
]


@dataclass(frozen=True)
class Request:
    """A mission that is asked for, found valid."""

    mission: NewMission
    scenario: Scenario | None
    model_log: Path | None
    #: The `mission.toml` that was used.
    file: Path | None

    def hand_scenario_over(self, settings: Settings) -> None:
        """To the scripted model, which looks it up by the mission's id."""
        if self.scenario is not None:
            save_scenario(settings.scenarios, self.mission.mission_id, self.scenario, self.model_log)


def make_request(
    settings: Settings, objective: str, directory: Path, scenario: Path | None, model_log: Path | None, **chosen: Any
) -> Request:
    """`BadInput` before anything is started. What is None was not chosen and is left to the file."""
    text, project = read_objective(objective), usable_folder(directory)
    script = read_scenario(scenario, model_log)
    file, of_file = read_mission_file(project)
    roles = ("planner", "worker", "reviewer")
    models = {role: model for role in roles if (model := chosen.pop(f"{role}_model", None))}
    wanted = {key: value for key, value in chosen.items() if value is not None and value != []}
    if script is not None or plays_for_all(settings):
        of_file = {key: value for key, value in of_file.items() if key not in ("model", "models")}
        wanted.setdefault("model", SCRIPTED)
    elif "model" in wanted:
        of_file.pop("models", None)  # a model for all roles that is typed now is meant for all roles
    options = make_options({**of_file, **wanted, "models": {**of_file.get("models", {}), **models}})
    mission = NewMission(new_mission_id(text), text, project, options)
    return Request(mission, script, model_log, file)


def plays_for_all(settings: Settings) -> bool:
    """True after `mission up --scenario`: the stack's missions are the scripted model's."""
    return (settings.scenarios / "default.json").exists()


def usable_folder(directory: Path) -> Path:
    folder = directory.expanduser().absolute()
    if not folder.exists():
        raise BadInput(f"the folder {folder} does not exist: create it, or give another with --dir")
    if not folder.is_dir():
        raise BadInput(f"{folder} is a file: --dir wants the project's folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {folder} cannot be written: missions keep their plan and evidence in it")
    return folder.resolve()
