from datetime import UTC, datetime

import pytest

from mission import commander
from mission.commander import DoWork, End, Finished, GiveUp, MakePlan, Merge, Resolve, Rework, Seal
from mission.messages import MergeResult, WorkResult
from mission.options import MissionOptions
from mission.report import Evidence, MissionStatus, Stage, TodoState
from mission.state import MissionState, TodoProgress
from tests.unit.mission.plans import plan, todo

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
OPTIONS = MissionOptions(max_rounds=2)


def state_with(**states: TodoState) -> MissionState:
    state = MissionState(started=NOW, round=1, head_commit="c0")
    state.adopt(plan(*(todo(todo_id) for todo_id in states)))
    for todo_id, now in states.items():
        state.progress[todo_id].state = now
    return state


def test_a_mission_begins_with_a_plan() -> None:
    assert commander.next_move(MissionState(), OPTIONS) == MakePlan(())


def test_it_works_while_something_is_ready() -> None:
    assert commander.next_move(state_with(T1=TodoState.DONE, T2=TodoState.OPEN), OPTIONS) == DoWork()


def test_it_seals_when_all_is_done() -> None:
    assert commander.next_move(state_with(T1=TodoState.DONE), OPTIONS) == Seal()


def test_it_plans_again_when_work_is_left_that_cannot_start() -> None:
    state = state_with(T1=TodoState.FAILED, T2=TodoState.DONE)
    state.begin_attempt(todo("T1"), NOW)
    state.progress["T1"].state, state.progress["T1"].feedback = TodoState.FAILED, ("tests red",)
    assert commander.next_move(state, OPTIONS) == MakePlan(("T1 was given up after 1 attempts: tests red",))


def test_it_ends_exhausted_when_the_rounds_are_used_up() -> None:
    state = state_with(T1=TodoState.DONE)
    state.round, state.replan_because = 2, ("the seal is red",)
    move = commander.next_move(state, OPTIONS)
    assert move == End(MissionStatus.EXHAUSTED, "all 2 rounds are used up: the seal is red")


def evidence(exit_code: int, ended: str = "") -> Evidence:
    return Evidence("pytest", exit_code, 1.0, "c1", "sha", "log", "1 failed", ended)


def result(stage: Stage) -> WorkResult:
    return WorkResult(stage, "c1", "…", feedback=("mend it",))


@pytest.mark.parametrize(
    ("stage", "misses", "decision"),
    [
        pytest.param(Stage.APPROVED, 0, Merge(), id="approved"),
        pytest.param(Stage.RED, 1, Rework(("mend it",)), id="red"),
        pytest.param(Stage.REJECTED, 2, Rework(("mend it",)), id="rejected"),
        pytest.param(Stage.FAILED, 1, Rework(("mend it",), new_session=True), id="failed: a new session"),
        pytest.param(Stage.RED, 3, GiveUp(("mend it",)), id="the third miss is the last"),
    ],
)
def test_what_follows_from_an_attempt(stage: Stage, misses: int, decision: object) -> None:
    assert commander.after_attempt(result(stage), TodoProgress(misses=misses), OPTIONS) == decision


def test_a_merged_todo_is_finished() -> None:
    assert commander.after_merge(MergeResult(commit="c2"), TodoProgress(), OPTIONS) == Finished()


def test_a_conflict_goes_back_to_the_agent_that_knows_the_work() -> None:
    decision = commander.after_merge(MergeResult(conflicts=("a.py",)), TodoProgress(conflicts=1), OPTIONS)
    assert isinstance(decision, Resolve)
    assert "a.py" in decision.feedback[0]


def test_conflicts_without_end_are_given_up() -> None:
    progress = TodoProgress(conflicts=commander.MOST_CONFLICTS + 1)
    assert isinstance(commander.after_merge(MergeResult(conflicts=("a",)), progress, OPTIONS), GiveUp)


def test_red_on_the_merged_commit_is_reworked_with_the_evidence() -> None:
    decision = commander.after_merge(MergeResult(checks=(evidence(1),)), TodoProgress(misses=1), OPTIONS)
    assert isinstance(decision, Rework)
    assert "`pytest` ended with exit code 1:\n1 failed" in decision.feedback


def test_a_check_that_was_ended_by_us_says_so() -> None:
    assert commander.red((evidence(0), evidence(-9, "time limit of 600 s"))) == (
        "`pytest` time limit of 600 s:\n1 failed",
    )


@pytest.mark.parametrize(
    ("changed", "checks", "reviewed", "nothing"),
    [
        (False, (), False, True),
        (True, (), False, False),
        (False, ("true",), False, False),
        (False, (), True, False),
    ],
)
def test_done_needs_a_proof(changed: bool, checks: tuple[str, ...], reviewed: bool, nothing: bool) -> None:
    assert commander.proves_nothing(changed, checks, reviewed) is nothing


@pytest.mark.parametrize(
    ("todos", "review", "needed"),
    [(1, "every", False), (2, "every", True), (1, "final", True), (2, "none", False)],
)
def test_one_review_is_enough_for_one_todo(todos: int, review: str, needed: bool) -> None:
    state = state_with(**{f"T{n}": TodoState.DONE for n in range(1, todos + 1)})
    options = MissionOptions.model_validate({"review": review})
    assert commander.needs_final_review(state, options) is needed


def test_a_mission_starts_with_few_lanes_unless_slots_are_warm() -> None:
    assert commander.first_lanes(warm_slots=0, parallel=10) == 3
    assert commander.first_lanes(warm_slots=8, parallel=6) == 6
    assert commander.more_lanes(3, parallel=5) == 5
