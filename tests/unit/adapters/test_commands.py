"""Commands that decide: bounded, and gone afterwards."""

import asyncio
import hashlib
import os
import resource
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from adapters.commands import CommandError, CommandResult, clean_environment, run_command


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "check.log"


async def run(command: str, log: Path, *, seconds: float = 30, limit: int = 20 * 1024 * 1024) -> CommandResult:
    return await run_command(
        command, cwd=log.parent.parent, time_limit=timedelta(seconds=seconds), log=log, output_limit=limit
    )


def running(marker: Path) -> list[int]:
    """Processes whose command line holds the marker."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if str(marker) in " ".join(process.info["cmdline"] or ()) and process.info["status"] != "zombie"
    ]


def sleeper(marker: Path) -> str:
    return f"{sys.executable} -c 'import time; time.sleep(600)' {marker}"


async def test_a_green_and_a_red_command_tell_their_code_output_and_hash(log: Path) -> None:
    green = await run("echo out; echo err >&2", log)
    assert (green.exit_code, green.ended, green.tail) == (0, "", "out\nerr")
    assert green.sha256 == hashlib.sha256(log.read_bytes()).hexdigest()
    assert (await run("exit 7", log)).exit_code == 7
    assert (await run("kill -9 $$", log)).exit_code == 137


async def test_a_command_runs_in_its_folder_without_input(log: Path) -> None:
    assert (await run("pwd; cat", log)).tail == str(log.parent.parent)


async def test_a_check_that_hangs_is_ended_with_its_children(log: Path, tmp_path: Path) -> None:
    child = sleeper(tmp_path)
    result = await run(f"trap '' TERM; ({child} & {child}) & setsid {child} & {child}", log, seconds=0.7)
    assert result.ended == "time limit of 0.7 s"
    assert result.exit_code > 128
    assert running(tmp_path) == []


async def test_children_left_behind_by_a_green_check_are_ended(log: Path, tmp_path: Path) -> None:
    result = await run(f"{sleeper(tmp_path)} & echo done", log)
    assert (result.exit_code, result.ended, result.tail) == (0, "", "done")
    assert result.seconds < 10
    assert running(tmp_path) == []


async def test_a_check_that_closes_its_output_still_has_to_end(log: Path) -> None:
    result = await run("exec >&- 2>&-; sleep 600", log, seconds=0.3)
    assert result.ended == "time limit of 0.3 s"


async def test_a_printer_without_end_is_ended_and_takes_no_memory(log: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await run("yes | head -c 100000000; echo never", log, limit=2 * 1024 * 1024)
    assert result.ended == "printed more than 2 MB"
    assert log.stat().st_size == 2 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


async def test_cancelling_ends_the_command_and_its_children(log: Path, tmp_path: Path) -> None:
    task = asyncio.create_task(run(f"{sleeper(tmp_path)} & {sleeper(tmp_path)}", log))
    while len(running(tmp_path)) < 2:  # noqa: ASYNC110 - a condition of the system's
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running(tmp_path) == []


async def test_the_tail_is_short_and_plain(log: Path) -> None:
    printed = "printf '\\033[31mred\\033[0m\\a\\n 10%%\\r100%%\\r\\n\\377\\n'"
    assert (await run(printed, log)).tail == "red\n100%\n�"
    numbers = (await run("seq 1000", log)).tail.splitlines()
    assert numbers == [str(number) for number in range(981, 1001)]
    assert len((await run("head -c 9000 /dev/zero | tr '\\0' x", log)).tail) == 2_000


async def test_a_full_disk_is_an_error_and_not_a_green_check(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"/dev/full of `echo x` cannot be written: No space left on device"):
        await run_command("echo x", cwd=tmp_path, time_limit=timedelta(seconds=9), log=Path("/dev/full"))


async def test_what_cannot_be_run_is_told(tmp_path: Path, log: Path) -> None:
    for command, cwd, why in (
        ("true", tmp_path / "gone", "the folder does not exist"),
        ("true " + "x" * 3_000_000, tmp_path, "too long for this system"),
        ("true \0", tmp_path, "null byte"),
    ):
        with pytest.raises(CommandError, match=why):
            await run_command(command, cwd=cwd, time_limit=timedelta(seconds=9), log=log)


async def test_many_commands_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    logs = [tmp_path / "evidence" / f"{number}.log" for number in range(8)]
    results = await asyncio.gather(*(run(f"echo {number}; exit {number}", log) for number, log in enumerate(logs)))
    assert [(result.tail, result.exit_code) for result in results] == [(str(n), n) for n in range(8)]


def test_secrets_and_our_own_settings_are_not_passed_on() -> None:
    secret = ("OPENAI_API_KEY", "GH_TOKEN", "TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "PGPASSWORD", "X_SECRET")
    ours = ("OPENCODE_CONFIG", "MISSION_HOME", "TEMPORAL_ADDRESS", "GIT_DIR", "GIT_INDEX_FILE")
    kept = {"HOME": "/h", "LANG": "de_DE.UTF-8", "TOKENIZERS_PARALLELISM": "1", "MONKEY": "1"}
    assert clean_environment({**dict.fromkeys((*secret, *ours), "x"), **kept, "PATH": "/bin"}) == {
        **kept,
        "PATH": "/bin",
    }


def test_our_own_python_is_not_the_projects() -> None:
    inside = {"PATH": f"/first:{sys.prefix}/bin:/last", "VIRTUAL_ENV": sys.prefix, "PYTHONPATH": f"{sys.prefix}/x"}
    assert clean_environment({**inside, "PYTHONUTF8": "1"}) == {"PATH": "/first:/last", "PYTHONUTF8": "1"}
    theirs = {"PATH": "/theirs/bin:/bin", "VIRTUAL_ENV": "/theirs"}
    assert clean_environment(theirs) == theirs


async def test_a_command_gets_what_it_is_given(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "secret")
    given = {"CI": "1"}
    result = await run_command(
        'echo "$CI-$MY_API_KEY-"', cwd=tmp_path, time_limit=timedelta(seconds=9), log=log, env=given
    )
    assert result.tail == "1--"
    assert os.environ["MY_API_KEY"] == "secret"
