"""The local stack as real processes: Temporal, the worker and OpenCode, killed and ended in every way."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.stacks import MISSION, private_environment

SCENARIO = """\
latency: {planner: 0.3, worker: 2.0}
plan: [{id: T1, title: Write one, files: [one.txt], checks: [test -s one.txt]}]
work: {T1: [[{write: {path: one.txt, content: "one\\n"}}]]}
"""


@dataclass(frozen=True)
class Machine:
    """A user of their own, whose stack may be killed: other tests share theirs."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "missions"

    @property
    def environment(self) -> dict[str, str]:
        return {**private_environment(self.folder), "COLUMNS": "80"}

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [MISSION, *command],
            env={**self.environment, **environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def mission(self, *command: str, **environment: str) -> tuple[int, str]:
        process = self.start(*command, **environment)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.mission("status", "--json")[1])
        return status

    def record(self, part: str) -> dict[str, Any] | None:
        with suppress(OSError, ValueError):
            record: dict[str, Any] = json.loads((self.home / "processes" / f"{part}.json").read_text())
            return record
        return None

    def runs(self, word: str) -> bool:
        """True while one of its processes has this word on its command line."""
        for process in self.processes():
            with suppress(psutil.Error):
                if word in process.cmdline():
                    return True
        return False

    def processes(self) -> list[psutil.Process]:
        """All that were started for this home, by whomever."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return process.environ().get("MISSION_HOME") == str(self.home)
        return False


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.mission("down")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which two `mission up` were called at once."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    both = [machine.start("up", "--detach") for _ in range(2)]
    output = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], output
    yield machine
    machine.mission("down")
    assert machine.processes() == []


def killed(machine: Machine, part: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The part's records before it was killed, and after it was started again."""
    before = machine.record(part)
    assert before is not None
    os.kill(before["pid"], signal.SIGKILL)
    after = until(lambda: (new := machine.record(part)) and new["pid"] != before["pid"] and new)
    return before, after


def test_two_ups_at_once_make_one_stack(running: Machine) -> None:
    servers = [one for one in running.processes() if "start-dev" in one.cmdline()]
    supervisors = [one for one in running.processes() if "client.stack" in one.cmdline()]
    assert (len(servers), len(supervisors)) == (1, 1)


def test_status_tells_what_runs_and_keeps_passwords_to_itself(running: Machine) -> None:
    status = running.status()
    assert status["ready"]
    assert all(status["parts"][part]["running"] for part in ("supervisor", "temporal", "worker", "opencode"))
    opencode = running.record("opencode")
    assert opencode is not None
    assert opencode["facts"]["password"] not in json.dumps(status)


def test_a_killed_temporal_comes_back_on_its_port(running: Machine) -> None:
    before, after = killed(running, "temporal")
    assert after["facts"] == before["facts"]
    assert running.mission("list")[0] == 0  # a command that comes too early waits for it


def test_a_killed_worker_comes_back(running: Machine) -> None:
    _, after = killed(running, "worker")
    assert psutil.pid_exists(after["pid"])


def test_the_next_up_adopts_what_a_killed_supervisor_left(running: Machine) -> None:
    until(lambda: running.status()["ready"])
    parts = {name: part["pid"] for name, part in running.status()["parts"].items()}
    os.kill(parts.pop("supervisor"), signal.SIGKILL)
    assert running.mission("up", "--detach")[0] == 0
    status = running.status()
    assert {name: status["parts"][name]["pid"] for name in parts} == parts


def test_a_run_that_is_interrupted_goes_on_and_can_be_watched(running: Machine, tmp_path: Path) -> None:
    scenario, project = tmp_path / "one.yaml", tmp_path / "project"
    scenario.write_text(SCENARIO)
    project.mkdir()
    process = running.start("run", "Write one", "--dir", str(project), "--scenario", str(scenario))
    assert process.stdout is not None
    mission_id = next(line.split()[1] for line in process.stdout if line.startswith("Mission "))
    until(lambda: "working" in (process.stdout.readline() if process.stdout else ""))
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"mission watch {mission_id}" in rest
    assert "Traceback" not in rest
    code, output = running.mission("watch", mission_id)
    assert (code, "✔ Sealed" in output) == (0, True), output
    assert running.mission("land", mission_id)[0] == 0
    assert (project / "one.txt").read_text() == "one\n"


def test_a_watch_outlives_temporal(running: Machine, tmp_path: Path) -> None:
    scenario = tmp_path / "one.yaml"
    scenario.write_text(SCENARIO)
    (tmp_path / "project").mkdir()
    start = running.start("run", "Write one", "--dir", str(tmp_path / "project"), "--scenario", str(scenario))
    until(lambda: "working" in (start.stdout.readline() if start.stdout else ""))
    killed(running, "temporal")
    output, _ = start.communicate(timeout=60)
    assert start.returncode == 0, output
    assert "✔ Sealed" in output


def test_two_homes_live_side_by_side_and_down_ends_only_its_own(running: Machine, machine: Machine) -> None:
    assert machine.mission("up", "--detach")[0] == 0
    ours, theirs = machine.record("temporal"), running.record("temporal")
    assert ours is not None
    assert theirs is not None
    assert ours["facts"]["address"] != theirs["facts"]["address"]
    assert machine.mission("down")[0] == 0
    assert machine.processes() == []
    assert list((machine.home / "processes").glob("*")) == []
    assert running.status()["ready"]


def test_an_up_that_meets_a_down_waits_for_its_end_and_starts_anew(machine: Machine) -> None:
    assert machine.mission("up", "--detach")[0] == 0
    before = machine.record("supervisor")
    down = machine.start("down")
    until(lambda: (record := machine.record("supervisor")) is None or record["facts"]["doing"] == "stopping")
    code, output = machine.mission("up", "--detach")
    down.communicate(timeout=60)
    assert (code, down.returncode) == (0, 0), output
    after = machine.record("supervisor")
    assert before is not None
    assert after is not None
    assert after["pid"] != before["pid"]


@pytest.mark.parametrize("moment", ["supervisor", "temporal", "worker"])
def test_sigterm_ends_up_whatever_it_is_at(machine: Machine, moment: str) -> None:
    process = machine.start("up")
    until(lambda: machine.record(moment))
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert machine.processes() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["start-dev", "client.stack"])
def test_a_run_that_is_interrupted_while_the_stack_starts_leaves_nothing(
    machine: Machine, moment: str, how: signal.Signals
) -> None:
    process = machine.start("run", "Write one")
    until(lambda: machine.runs(moment))
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert machine.processes() == []


def test_a_temporal_that_does_not_answer_is_named_and_none_of_ours_is_started(machine: Machine) -> None:
    for command in (("list",), ("run", "Write one"), ("up", "--detach"), ("start", "Write one")):
        code, output = machine.mission(*command, TEMPORAL_ADDRESS="127.0.0.1:1", TEMPORAL_NAMESPACE="shop")
        assert code == 5, output
        assert "no Temporal answers at 127.0.0.1:1 (namespace 'shop')" in output
    assert machine.record("temporal") is None


def test_without_a_stack_commands_say_how_to_get_one(machine: Machine) -> None:
    code, output = machine.mission("list")
    assert code == 5
    assert "start one with `mission up`" in " ".join(output.split())
    assert machine.mission("status")[0] == 5
    assert machine.mission("down") == (0, "Nothing was running.\n")


def test_a_wrong_namespace_is_named(running: Machine) -> None:
    code, output = running.mission("list", TEMPORAL_NAMESPACE="shop")
    assert code == 5
    assert "has no namespace 'shop'" in output


def test_a_worker_that_cannot_start_is_told_in_its_own_words(machine: Machine) -> None:
    code, output = machine.mission("up", "--detach", MISSION_OPENCODE=str(machine.folder / "nothing"))
    assert code == 5
    assert str(machine.folder / "nothing") in output
    assert "Traceback" not in output
    assert machine.processes() == []
