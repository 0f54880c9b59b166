"""The heart: whatever is killed in the middle of a turn, the model is not asked for the same thing twice."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.processes import ProcessRecord
from mission.report import MissionReport, MissionStatus
from tests.integration.stacks import Stack, git, requests, turns
from tests.integration.test_missions import say, scenario, todo, write


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its parts are killed, so it is nobody else's."""
    running = Stack(tmp_path_factory.mktemp("own"))
    running.up()
    yield running
    running.down()


def slow_work(folder: Path) -> Path:
    """Three TODOs side by side; a worker's reply takes longer than a cold start, so a kill meets all in the middle."""
    names = ["T1", "T2", "T3"]
    return scenario(
        folder,
        latency={"worker": 4.0},
        plan=[todo(name, f"{name}.txt") for name in names],
        work={name: [[write(f"{name}.txt", f"{name}\n"), say(name)]] for name in names},
    )


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def writing_has_begun(log: Path) -> Callable[[], bool]:
    """All three have been told what to write; their second request is on its way."""
    return lambda: sum(turn[0] == "worker" and turn[4] == 0 for turn in turns(log)) == 3


def kill(stack: Stack, part: str) -> None:
    record = ProcessRecord.read(stack.processes / f"{part}.json")
    assert record
    assert record.alive
    os.kill(record.pid, signal.SIGKILL)


def finished(stack: Stack, mission_id: str) -> MissionReport:
    stack.mission("watch", mission_id)
    return stack.report(mission_id)


def test_a_killed_worker_pays_for_nothing_twice(own_stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    mission_id = own_stack.start(project, slow_work(tmp_path), log=log)
    until(writing_has_begun(log))
    kill(own_stack, "worker")
    report = finished(own_stack, mission_id)
    assert report.status is MissionStatus.SEALED
    assert set(Counter(turns(log)).values()) == {1}
    assert [len(view.attempts) for view in report.todos] == [1, 1, 1]
    assert git(project, "show", f"{report.branch}:T3.txt") == "T3"


def test_a_killed_opencode_repeats_only_the_request_that_was_cut(
    own_stack: Stack, project: Path, tmp_path: Path
) -> None:
    log = tmp_path / "model.jsonl"
    mission_id = own_stack.start(project, slow_work(tmp_path), log=log)
    until(writing_has_begun(log))
    kill(own_stack, "opencode")
    report = finished(own_stack, mission_id)
    assert report.status is MissionStatus.SEALED
    cut = [request for request in requests(log) if request["status"] == "cut"]
    answered = Counter(turn for turn, request in zip(turns(log), requests(log), strict=True) if request not in cut)
    assert set(answered.values()) == {1}
    assert [len(view.attempts) for view in report.todos] == [1, 1, 1]


def test_a_killed_temporal_is_only_a_pause(own_stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    mission_id = own_stack.start(project, slow_work(tmp_path), log=log)
    until(writing_has_begun(log))
    kill(own_stack, "temporal")
    until(lambda: "temporal" in own_stack.mission("status", check=None).stdout)
    report = finished(own_stack, mission_id)
    assert report.status is MissionStatus.SEALED
    assert set(Counter(turns(log)).values()) == {1}


def test_a_stack_that_is_taken_down_goes_on_where_it_was(own_stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    mission_id = own_stack.start(project, slow_work(tmp_path), log=log)
    until(writing_has_begun(log))
    own_stack.down()
    assert not list(own_stack.processes.glob("opencode.json"))
    own_stack.up()
    assert finished(own_stack, mission_id).status is MissionStatus.SEALED


def test_cancelling_keeps_the_work_and_frees_the_agents(own_stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    mission_id = own_stack.start(project, slow_work(tmp_path), log=log)
    until(writing_has_begun(log))
    own_stack.mission("cancel", mission_id)
    own_stack.mission("watch", mission_id, check=3)
    asked = len(requests(log))
    branches = git(project, "branch", "--list", "mission*", "--format", "%(refname:short)").split()
    kept = [branch for branch in branches if branch.startswith("mission-work/")]
    assert {git(project, "show", "--format=", "--name-only", branch) for branch in kept} == {
        "T1.txt",
        "T2.txt",
        "T3.txt",
    }
    assert "cancelled" in (project / ".opencode/missions" / mission_id / "todo.md").read_text()
    assert len(requests(log)) == asked
