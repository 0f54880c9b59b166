import errno
from pathlib import Path

import pytest
import typer

from adapters.git.errors import MergeRefused, NotAWorkspace
from client.cli.running import command
from client.errors import BadInput, Interrupted
from client.exit_codes import ExitCode, exit_code_of
from mission.report import MissionStatus
from runtime.temporal import TemporalUnreachable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def ends_with(problem: BaseException | int | None) -> int:
    @command
    async def body() -> object:
        if isinstance(problem, BaseException):
            raise problem
        return problem

    with pytest.raises(typer.Exit) as ended:
        body()
    return ended.value.exit_code


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (None, ExitCode.OK),
        (ExitCode.CANCELLED, ExitCode.CANCELLED),
        (BadInput("that"), ExitCode.BAD_INPUT),
        (NotAWorkspace("that"), ExitCode.BAD_INPUT),
        (MergeRefused("that"), ExitCode.FAILED),
        (TemporalUnreachable("that"), ExitCode.UNREACHABLE),
        (Interrupted("that"), ExitCode.INTERRUPTED),
        (OSError(errno.ENOSPC, "No space left on device", "/home/x"), ExitCode.FAILED),
        (ZeroDivisionError("that"), ExitCode.FAILED),
    ],
)
def test_every_end_has_its_exit_code(problem: BaseException | int | None, code: ExitCode) -> None:
    assert ends_with(problem) == code


def test_a_full_disk_is_told_with_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(OSError(errno.ENOSPC, "No space left on device", "/home/x/todo.md"))
    assert capsys.readouterr().err == "Error: /home/x/todo.md: No space left on device\n"


def test_what_nobody_foresaw_is_one_line_and_a_log(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(ZeroDivisionError("by nothing"))
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("Error: something unexpected happened: ZeroDivisionError: by nothing")
    log = home / "logs" / "cli.log"
    assert str(log) in said
    assert "Traceback" in log.read_text()


def test_a_markup_in_an_error_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(BadInput("unknown key 'x' in [models]"))
    assert "in [models]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (MissionStatus.SEALED, 0),
        (MissionStatus.FAILED, 1),
        (MissionStatus.CANCELLED, 3),
        (MissionStatus.EXHAUSTED, 4),
        (MissionStatus.RUNNING, 0),
    ],
)
def test_a_missions_end_is_an_exit_code(status: MissionStatus, code: int) -> None:
    assert exit_code_of(status) == code
