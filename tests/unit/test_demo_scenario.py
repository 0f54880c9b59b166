"""What the demo builds is real: every step can be played, every check passes, and the API answers over HTTP."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.scripted_model.scenario import load_scenario
from tests.unit.scenario_player import SCENARIOS, assert_passes, build, needed_for, plan_of, play_attempt, run

SCENARIO = load_scenario(SCENARIOS / "demo.yaml")
PLAN = plan_of(SCENARIO)
TODO_IDS = [todo.id for todo in PLAN.work]
REVIEWED, BROKEN = "T2.2", "T2.3"
"""The TODO whose reviewer finds a flaw at first, and the one whose check does."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text("# A new project\n")
    return tmp_path


def walk_through(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCENARIOS / "try_notes_api.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_plan_is_a_tree_that_shows_what_a_mission_can_do() -> None:
    assert PLAN.level == "L3"
    assert len(PLAN.work) >= 8
    assert len(PLAN.todos) > len(PLAN.work), "there should be headings"
    assert all(todo.checks for todo in PLAN.work)
    assert set(SCENARIO.work) == set(TODO_IDS)


def test_after_the_foundation_most_todos_can_run_side_by_side() -> None:
    assert [todo.id for todo in PLAN.ready(done=(), started=())] == ["T1"]
    assert len(PLAN.ready(done=("T1",), started=("T1",))) >= len(PLAN.work) / 2


def test_no_merge_can_conflict_because_no_file_is_written_by_two_todos() -> None:
    written = {
        (todo_id, change.path)
        for todo_id, attempts in SCENARIO.work.items()
        for attempt in attempts
        for action in attempt
        if (change := action.write or action.edit)
    }
    assert written == {(todo.id, file) for todo in PLAN.work for file in todo.files}
    assert len({path for _, path in written}) == len(written)


@pytest.mark.parametrize("todo_id", TODO_IDS)
def test_a_todo_passes_its_checks_with_nothing_but_what_it_depends_on(todo_id: str, repository: Path) -> None:
    build(SCENARIO, needed_for(PLAN, todo_id), repository)
    for attempt in range(1, len(SCENARIO.work[todo_id]) + 1):
        play_attempt(SCENARIO, todo_id, attempt, repository)
    for check in PLAN.todo(todo_id).checks:
        assert_passes(check, repository)


def test_the_first_limiter_lets_one_too_many_through_and_its_tests_catch_it(repository: Path) -> None:
    build(SCENARIO, needed_for(PLAN, BROKEN), repository)
    play_attempt(SCENARIO, BROKEN, 1, repository)
    done = run(PLAN.todo(BROKEN).checks[0], repository)
    assert done.returncode == 1
    assert "test_refuses_the_next_one_and_says_how_long_to_wait" in done.stdout


def test_the_flaw_of_the_first_tokens_passes_their_tests_but_not_the_review(repository: Path) -> None:
    build(SCENARIO, needed_for(PLAN, REVIEWED), repository)
    play_attempt(SCENARIO, REVIEWED, 1, repository)
    assert_passes(PLAN.todo(REVIEWED).checks[0], repository)
    verdict = SCENARIO.verdict(REVIEWED, 1)
    assert not verdict["approved"]
    assert "hmac.compare_digest" in verdict["issues"][0]
    assert "compare_digest" not in (repository / "notes_api/tokens.py").read_text()


def test_the_second_tokens_mend_what_the_review_found(repository: Path) -> None:
    build(SCENARIO, [REVIEWED], repository)
    assert "hmac.compare_digest" in (repository / "notes_api/tokens.py").read_text()
    assert SCENARIO.verdict(REVIEWED, 2)["approved"]


def test_the_whole_passes_the_mission_checks_and_answers_over_http(repository: Path) -> None:
    build(SCENARIO, TODO_IDS, repository)
    for check in PLAN.checks:
        assert_passes(check, repository)
    walked = walk_through(repository)
    assert walked.returncode == 0, walked.stderr
    statuses = [int(word) for line in walked.stdout.splitlines() for word in line.split() if word.isdecimal()]
    assert statuses[:7] == [200, 201, 401, 401, 200, 201, 200]


def test_a_walk_through_an_api_that_misbehaves_says_so(repository: Path) -> None:
    build(SCENARIO, TODO_IDS, repository)
    accounts = repository / "notes_api/accounts.py"
    accounts.write_text(accounts.read_text().replace("if user is None or not right:", "if user is None:"))
    walked = walk_through(repository)
    assert walked.returncode == 1
    assert walked.stderr == "not as expected: POST /login should be 401 Unauthorized\n"


def test_a_walk_through_an_api_that_does_not_start_says_why(repository: Path) -> None:
    build(SCENARIO, TODO_IDS, repository)
    (repository / "notes_api/limiter.py").unlink()
    walked = walk_through(repository)
    assert walked.returncode == 1
    assert "did not start: ModuleNotFoundError: No module named 'notes_api.limiter'" in walked.stderr


def test_a_walk_through_a_folder_without_an_api_says_what_to_do(tmp_path: Path) -> None:
    walked = walk_through(tmp_path)
    assert walked.returncode == 2
    assert "run the demo first" in walked.stderr
