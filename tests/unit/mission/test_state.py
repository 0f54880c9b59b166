from datetime import UTC, datetime

from pydantic import TypeAdapter

from mission.plan import Plan, PlanAnswer
from mission.report import MissionStatus, Stage, TodoState
from mission.state import KEPT_EVENTS, MissionState
from tests.unit.mission.plans import plan, todo

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def begun() -> MissionState:
    state = MissionState(started=NOW, head_commit="c0")
    state.adopt(plan(todo("T1", checks=("one",)), todo("T2", "T1", checks=("one", "two"))))
    return state


def finish(state: MissionState, todo_id: str) -> None:
    assert state.plan
    state.begin_attempt(state.plan.todo(todo_id), NOW)
    state.end_attempt(todo_id, stage=Stage.APPROVED, ended=NOW)
    state.progress[todo_id].state = TodoState.DONE


def test_attempts_are_numbered_and_start_from_the_missions_head() -> None:
    state = begun()
    assert state.begin_attempt(todo("T1"), NOW) == 1
    assert state.progress["T1"].commit == "c0"
    assert state.begin_attempt(todo("T1"), NOW) == 2


def test_a_running_todo_is_not_ready_again() -> None:
    state = begun()
    state.begin_attempt(todo("T1"), NOW)
    assert state.ready(running=["T1"]) == ()


def test_a_finished_todo_lets_the_next_one_start() -> None:
    state = begun()
    finish(state, "T1")
    assert [one.id for one in state.ready(running=[])] == ["T2"]


def test_a_todo_given_up_holds_back_only_what_needs_it() -> None:
    state = begun()
    state.adopt(plan(todo("T3")))
    state.progress["T1"].state = TodoState.FAILED
    assert [one.id for one in state.ready(running=[])] == ["T3"]


def test_a_later_plan_cannot_rewrite_what_is_done() -> None:
    state = begun()
    finish(state, "T1")
    changed = state.adopt(plan(todo("T1", files=("other",)), todo("T3")))
    assert changed == ("T3",)
    assert state.is_done("T1")


def test_a_later_plan_may_build_on_what_is_there() -> None:
    state = begun()
    assert state.adopt(PlanAnswer(todos=(todo("T9", "T1"),))) == ("T9",)


def test_a_changed_todo_starts_anew_but_its_attempts_stay_counted() -> None:
    state = begun()
    state.begin_attempt(todo("T1"), NOW)
    state.progress["T1"].state, state.progress["T1"].misses = TodoState.FAILED, 3
    assert state.adopt(plan(todo("T1", files=("new",)))) == ("T1",)
    known = state.progress["T1"]
    assert (known.state, known.misses, known.number, known.commit) == (TodoState.OPEN, 0, 1, "")


def test_the_seal_runs_every_command_once() -> None:
    state = begun()
    state.checks = ("three", "one")
    assert state.seal_commands() == ("one", "two", "three")


def test_a_todo_learns_what_those_before_it_decided() -> None:
    state = begun()
    state.progress["T1"].decisions = ("tokens live an hour",)
    assert state.plan
    assert state.context_for(state.plan.todo("T2")) == ("T1: tokens live an hour",)


def test_events_are_bounded() -> None:
    state = MissionState()
    for number in range(KEPT_EVENTS + 5):
        state.note(NOW, str(number))
    assert len(state.events) == KEPT_EVENTS
    assert state.events[-1] == f"03:04:00 {KEPT_EVENTS + 4}"


def test_a_heading_shows_the_state_of_its_children() -> None:
    state = MissionState(started=NOW, head_commit="c0")
    state.adopt(Plan(level="L3", todos=(todo("T1"), todo("T1.1"), todo("T1.2"))))
    finish(state, "T1.1")
    state.begin_attempt(todo("T1.2"), NOW)
    report = state.report("mission-x", "objective", "mission/x", 20)
    assert [(view.id, view.heading, view.state) for view in report.todos] == [
        ("T1", True, TodoState.WORKING),
        ("T1.1", False, TodoState.DONE),
        ("T1.2", False, TodoState.WORKING),
    ]
    assert (report.done, report.progress, report.status) == (1, 50, MissionStatus.PREPARING)


def test_the_state_survives_the_way_through_json() -> None:
    state = begun()
    finish(state, "T1")
    adapter = TypeAdapter(MissionState)
    assert adapter.validate_json(adapter.dump_json(state)) == state
