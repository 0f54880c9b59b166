"""Processes are known by id and start time: ours are ended whatever they ignore, others never."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from adapters.processes import ProcessRecord

WAITS = "import signal\nprint('ready', flush=True)\nwhile True: signal.pause()"
IGNORES = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS
SWALLOWS_THE_FIRST = (
    "import signal, sys\nasked = []\n"
    "signal.signal(signal.SIGTERM, lambda *_: asked.append(1) if not asked else sys.exit(0))\n" + WAITS
)

Start = Callable[[str], ProcessRecord]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program and waits until it has said that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def begin(program: str) -> ProcessRecord:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return ProcessRecord.of(process.pid)

    yield begin
    for process in started:
        with process:
            process.kill()


def test_a_process_that_ends_when_asked_is_not_waited_for_longer(start: Start) -> None:
    record, began = start(WAITS), time.monotonic()
    assert record.end(grace=30)
    assert not record.alive
    assert time.monotonic() - began < 10


def test_a_process_that_ignores_sigterm_is_ended_all_the_same(start: Start) -> None:
    record = start(IGNORES)
    assert record.end(grace=0.2)
    assert not record.alive


def test_a_process_that_swallows_the_first_sigterm_is_asked_again(start: Start) -> None:
    record, began = start(SWALLOWS_THE_FIRST), time.monotonic()
    assert record.end(grace=30)
    assert time.monotonic() - began < 10


def test_another_process_with_a_reused_id_is_never_ended(start: Start) -> None:
    record = start(WAITS)
    before_it = replace(record, started=record.started - 60)
    assert not before_it.alive
    assert not before_it.end(grace=0.2)
    assert record.alive


def test_a_process_that_has_ended_is_not_alive_even_if_nobody_has_collected_it(start: Start) -> None:
    record = start(WAITS)
    os.kill(record.pid, signal.SIGKILL)
    os.waitid(os.P_PID, record.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(record.pid).status() == psutil.STATUS_ZOMBIE
    assert not record.alive
    assert not record.end()


def test_a_process_that_is_gone_has_no_record() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(psutil.NoSuchProcess):
        ProcessRecord.of(process.pid)


def test_a_record_is_read_as_it_was_written_by_its_owner_only(tmp_path: Path) -> None:
    record = ProcessRecord.of(os.getpid(), port=4096, url="http://127.0.0.1:4096")
    file = tmp_path / "processes/opencode.json"
    record.write(file)
    assert ProcessRecord.read(file) == record
    assert file.stat().st_mode & 0o777 == 0o600
    assert record.alive


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1, "started": 2, "unknown": 3}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "opencode.json"
    file.write_text(text)
    assert ProcessRecord.read(file) is None
    assert ProcessRecord.read(tmp_path / "missing.json") is None
