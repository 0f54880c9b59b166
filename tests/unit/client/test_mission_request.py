import io
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.scripted_model.errors import ScenarioError
from client.cli.arguments import LONGEST_OBJECTIVE, read_objective
from client.cli.mission_request import Request, make_request
from client.errors import BadInput
from runtime.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "six.yaml"
    file.write_text("plan: [{id: T1, title: Write}]\n")
    return file


def request(settings: Settings, project: Path, scenario: Path | None = None, **chosen: Any) -> Request:
    return make_request(settings, "Add auth", project, scenario, None, **chosen)


def test_what_is_typed_is_stronger_than_the_file(settings: Settings, project: Path) -> None:
    (project / "mission.toml").write_text('parallel = 2\nmax_rounds = 7\nchecks = ["make test"]\n')
    options = request(settings, project, parallel=4, checks=[], max_rounds=None).mission.options
    assert (options.parallel, options.max_rounds, options.checks) == (4, 7, ("make test",))


def test_a_model_typed_for_all_roles_is_meant_for_all_roles(settings: Settings, project: Path) -> None:
    (project / "mission.toml").write_text('[models]\nplanner = "a/big"\n')
    options = request(settings, project, model="a/small", worker_model="a/tiny").mission.options
    assert [options.model_for(role) for role in ("planner", "worker", "reviewer")] == ["a/small", "a/tiny", "a/small"]


def test_a_scenario_takes_the_place_of_every_model(settings: Settings, project: Path, scenario: Path) -> None:
    (project / "mission.toml").write_text('model = "a/b"\n[models]\nplanner = "a/big"\n')
    asked = request(settings, project, scenario)
    assert asked.mission.options.model_for("planner") == "scripted/model"
    asked.hand_scenario_over(settings)
    assert [file.stem for file in settings.scenarios.iterdir()] == [asked.mission.mission_id]


def test_after_up_with_a_scenario_all_missions_are_scripted(settings: Settings, project: Path) -> None:
    settings.scenarios.mkdir(parents=True)
    (settings.scenarios / "default.json").write_text("{}")
    assert request(settings, project).mission.options.model == "scripted/model"
    assert request(settings, project, model="a/b").mission.options.model == "a/b"


def test_a_broken_scenario_is_told_before_anything_starts(settings: Settings, project: Path, scenario: Path) -> None:
    scenario.write_text("plann: []\n")
    with pytest.raises(ScenarioError, match=r"six\.yaml:1.*plann"):
        request(settings, project, scenario)


def test_a_model_log_without_a_scenario_is_refused(settings: Settings, project: Path) -> None:
    with pytest.raises(BadInput, match="--model-log is for the scripted model"):
        make_request(settings, "Add auth", project, None, Path("log"))


def test_folders_that_cannot_be_projects_are_refused(settings: Settings, tmp_path: Path, scenario: Path) -> None:
    with pytest.raises(BadInput, match="does not exist: create it, or give another with --dir"):
        request(settings, tmp_path / "nowhere")
    with pytest.raises(BadInput, match="is a file"):
        request(settings, scenario)


@pytest.mark.parametrize("text", ["", "  \n\t ", "\x00\x1b"])
def test_an_empty_objective_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="the objective is empty"):
        read_objective(text)


def test_an_objective_of_a_megabyte_is_refused() -> None:
    with pytest.raises(BadInput, match=f"more than {LONGEST_OBJECTIVE:,} characters"):
        read_objective("x" * 1_000_000)
    assert len(read_objective("x" * LONGEST_OBJECTIVE)) == LONGEST_OBJECTIVE


def test_an_objective_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("  Füge Suche hinzu\n\nbald \n".encode())))
    assert read_objective("-") == "Füge Suche hinzu\n\nbald"
