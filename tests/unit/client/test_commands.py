import json
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from client.cli.app import app
from client.stack.logs import log_file
from runtime.settings import Settings

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]
WITH_JSON = {"cancel", "demo", "diff", "doctor", "down", "land", "list", "logs", "run", "show", "start", "status", "up"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def mission(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100", "NO_COLOR": "1"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    result = mission(command, "--help")
    assert result.exit_code == 0
    assert "Example: " in result.stdout
    assert ("--json" in result.stdout) is (command in WITH_JSON | {"watch"})


def test_the_help_lists_the_exit_codes() -> None:
    shown = " ".join(mission("--help").stdout.split())
    assert "0 sealed, or done, 1 failed, 2 wrong option, file or id, 3 cancelled, 4 rounds used up, 5 Temporal" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", ""), "the objective is empty"),
        (("run", "x", "--dir", "/nowhere"), "/nowhere does not exist"),
        (("run", "x", "--parallel", "0"), "parallel = 0"),
        (("run", "x", "--model", "gpt"), "provider/model"),
        (("run", "x", "--scenario", "missing.yaml"), "missing.yaml"),
        (("run", "x", "--review", "some"), "'some' is not one of"),
        (("start", "x", "--model-log", "log"), "--model-log is for the scripted model"),
        (("logs",), "which log?"),
        (("logs", "--part", "kitchen"), "the stack has no part 'kitchen'"),
        (("model", "--scenario", "missing.yaml"), "missing.yaml"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_started(arguments: tuple[str, ...], said: str, home: Path) -> None:
    result = mission(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not (home / "processes").exists()


def test_a_broken_mission_file_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mission.toml").write_text("\n\nparalell = 3\n")
    result = mission("run", "x")
    assert result.exit_code == 2
    assert "mission.toml:3: unknown key 'paralell': did you mean 'parallel'?" in " ".join(result.output.split())


@pytest.mark.parametrize("command", [("list",), ("show", "x"), ("watch", "x"), ("cancel", "x"), ("start", "x")])
def test_without_temporal_commands_say_how_to_start_it(command: tuple[str, ...]) -> None:
    result = mission(*command)
    assert result.exit_code == 5
    assert "start one with `mission up`" in " ".join(result.output.split())


def test_the_status_of_nothing_is_told_to_scripts_as_well() -> None:
    result = mission("status", "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["running"] is False


def test_the_log_of_a_part_is_shown(home: Path) -> None:
    file = log_file(Settings(home=home), "worker")
    file.parent.mkdir(parents=True)
    file.write_text("one\ntwo\nthree\n")
    assert mission("logs", "--part", "worker", "--lines", "2").stdout == "two\nthree\n"


def test_the_version_is_told() -> None:
    assert mission("--version").stdout.strip().count(".") == 2
