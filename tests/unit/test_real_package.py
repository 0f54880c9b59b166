"""The scenario for the real package: it changes real code, and the package's own tests judge it."""

import subprocess
from pathlib import Path

import pytest

from adapters.scripted_model.scenario import load_scenario
from tests.unit.real_package import VERSION, unpack_real_package
from tests.unit.scenario_player import SCENARIOS, assert_passes, build, needed_for, plan_of, play_attempt, run

SCENARIO = load_scenario(SCENARIOS / "real-package.yaml")
PLAN = plan_of(SCENARIO)
TODO_IDS = [todo.id for todo in PLAN.work]
CACHE = SCENARIOS.parent / ".cache"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return unpack_real_package(tmp_path, CACHE)


def test_the_package_comes_as_a_clean_repository_with_one_commit(package: Path) -> None:
    log = ["git", "-C", str(package), "log", "--format=%s"]
    assert subprocess.check_output(log, text=True) == f"Release {VERSION}\n"
    assert subprocess.check_output(["git", "-C", str(package), "status", "--short"]) == b""
    assert_passes(PLAN.checks[0], package)


def test_three_todos_change_it_two_of_them_side_by_side() -> None:
    assert len(PLAN.work) == 3
    assert [todo.id for todo in PLAN.ready(done=(), started=())] == ["T1", "T2"]


@pytest.mark.parametrize("todo_id", TODO_IDS)
def test_a_todo_passes_its_checks_with_nothing_but_what_it_depends_on(todo_id: str, package: Path) -> None:
    build(SCENARIO, needed_for(PLAN, todo_id), package)
    for attempt in range(1, len(SCENARIO.work[todo_id]) + 1):
        play_attempt(SCENARIO, todo_id, attempt, package)
    for check in PLAN.todo(todo_id).checks:
        assert_passes(check, package)


def test_the_first_attempt_of_t2_breaks_a_test_of_the_package(package: Path) -> None:
    play_attempt(SCENARIO, "T2", 1, package)
    done = run(PLAN.todo("T2").checks[0], package)
    assert done.returncode == 1
    assert "FAILED tests/test_format.py::TestOutputFormat::test_sql" in done.stdout
    assert "1 failed" in done.stdout


def test_the_whole_passes_the_suite_of_the_package_with_more_tests_than_before(package: Path) -> None:
    build(SCENARIO, TODO_IDS, package)
    done = run(PLAN.checks[0], package)
    assert "472 passed" in done.stdout
    assert done.returncode == 0
