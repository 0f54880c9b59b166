"""Plays what a scenario's agents do, with neither model nor OpenCode: the files they write, the commands they run."""

import os
import subprocess
import sys
from pathlib import Path

from adapters.scripted_model.actions import Action
from adapters.scripted_model.scenario import Scenario
from mission.plan import Plan

SCENARIOS = Path(__file__).parents[2] / "scenarios"
LONGEST_COMMAND = 60
"""Seconds."""


class CannotPlayError(Exception):
    """A real agent's tool call would fail here: no such file, or not exactly one place to edit."""


def plan_of(scenario: Scenario) -> Plan:
    return Plan.model_validate(scenario.plan_answer(1))


def needed_for(plan: Plan, todo_id: str) -> list[str]:
    """Everything that is merged when this TODO starts, in the order of the plan."""
    needed: set[str] = set()
    wanted = set(plan.needs(plan.todo(todo_id)))
    while wanted - needed:
        needed |= wanted
        wanted = {wish for need in needed for wish in plan.needs(plan.todo(need))}
    return [todo.id for todo in plan.work if todo.id in needed]


def build(scenario: Scenario, todo_ids: list[str], folder: Path) -> None:
    """Leave `folder` as it is when these TODOs are merged: only what they change is played."""
    for todo_id in todo_ids:
        for attempt in scenario.work[todo_id]:
            for action in attempt:
                if action.write or action.edit:
                    play(action, folder)


def play_attempt(scenario: Scenario, todo_id: str, attempt: int, folder: Path) -> None:
    for action in scenario.work[todo_id][attempt - 1]:
        play(action, folder)


def play(action: Action, folder: Path) -> None:
    if action.write:
        file = folder / action.write.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(action.write.content)
    elif action.edit:
        _edit(folder / action.edit.path, action.edit.old, action.edit.new)
    elif action.read and not (folder / action.read).is_file():
        raise CannotPlayError(f"there is no {action.read} to read")
    elif action.bash:
        done = run(action.bash.command, folder)
        if done.returncode:
            raise CannotPlayError(f"{action.bash.command}: exit code {done.returncode}\n{done.stdout}")


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text() if file.is_file() else ""
    if text.count(old) != 1:
        raise CannotPlayError(f"{file.name} holds {text.count(old)} times what is to be edited:\n{old}")
    file.write_text(text.replace(old, new))


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a check is run: in a shell, with the `python3` that runs the tests, no folder but its own to import from."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**environment, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_COMMAND,
        check=False,
    )


def assert_passes(command: str, folder: Path) -> None:
    done = run(command, folder)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
