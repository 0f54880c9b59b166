import pytest
from pydantic import ValidationError

from mission.plan import MOST_TODOS, Plan, Todo
from tests.unit.mission.plans import plan, todo

BAD_PLANS = [
    pytest.param([{"id": "T1", "title": "a"}, {"id": "T1", "title": "b"}], "'T1' is used twice", id="same id twice"),
    pytest.param([{"id": "T1", "title": "a", "depends_on": ["T9"]}], "'T9', which is not in the plan", id="unknown"),
    pytest.param(
        [{"id": "T1", "title": "a", "depends_on": ["T2"]}, {"id": "T2", "title": "b", "depends_on": ["T1"]}],
        "form a cycle: T",
        id="cycle",
    ),
    pytest.param([{"id": "T1", "title": "a", "depends_on": ["T1"]}], "which contains it", id="itself"),
    pytest.param(
        [{"id": "T1", "title": "a", "depends_on": ["T1.1"]}, {"id": "T1.1", "title": "b"}],
        "form a cycle",
        id="heading waits for its own child",
    ),
    pytest.param(
        [
            {"id": "T1", "title": "heading", "depends_on": ["T2"]},
            {"id": "T1.1", "title": "child"},
            {"id": "T2", "title": "other", "depends_on": ["T1.1"]},
        ],
        "form a cycle",
        id="cycle through a heading",
    ),
    pytest.param([{"id": "T1.2.3.4", "title": "a"}], "not of the form T1, T1.2 or T1.2.3", id="four levels"),
    pytest.param([{"id": "one", "title": "a"}], "not of the form", id="unreadable id"),
    pytest.param(
        [{"id": f"T{n}", "title": "a"} for n in range(200)],
        f"200 TODOs, the limit is {MOST_TODOS}",
        id="200 TODOs",
    ),
    pytest.param([{"id": "T1"}], "title", id="no title"),
]


@pytest.mark.parametrize(("todos", "complaint"), BAD_PLANS)
def test_a_plan_that_cannot_be_done_is_refused_with_its_reason(todos: list[object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Plan.model_validate({"todos": todos})


def test_what_has_no_open_dependency_is_ready() -> None:
    graph = plan(todo("T1"), todo("T2", "T1"), todo("T3"))
    assert [one.id for one in graph.ready(done=[], started=[])] == ["T1", "T3"]
    assert [one.id for one in graph.ready(done=["T1"], started=["T1", "T3"])] == ["T2"]


def test_todos_that_touch_the_same_file_do_not_run_side_by_side() -> None:
    graph = plan(todo("T1", files=("a", "b")), todo("T2", files=("b",)), todo("T3", files=("c",)))
    assert [one.id for one in graph.ready(done=[], started=[])] == ["T1", "T3"]
    assert [one.id for one in graph.ready(done=["T1"], started=["T1"])] == ["T2", "T3"]


def test_a_heading_is_not_worked_on_and_stands_for_its_children() -> None:
    graph = plan(todo("T1"), todo("T1.1"), todo("T1.2", "T1.1"), todo("T2", "T1"))
    assert [one.id for one in graph.work] == ["T1.1", "T1.2", "T2"]
    assert graph.needs(graph.todo("T2")) == {"T1.1", "T1.2"}


def test_children_wait_for_what_their_heading_waits_for() -> None:
    graph = plan(todo("T1"), todo("T2", "T1"), todo("T2.1"))
    assert graph.needs(graph.todo("T2.1")) == {"T1"}


def test_an_id_that_only_begins_alike_is_another_todo() -> None:
    graph = plan(todo("T1"), todo("T10", "T1"))
    assert [one.id for one in graph.work] == ["T1", "T10"]


def test_a_revision_changes_what_it_names_and_keeps_the_rest() -> None:
    before = Plan(todos=(todo("T1"), todo("T2")), checks=("make test",))
    changed = Todo(id="T2", title="differently")
    after = before.revised(Plan(todos=(changed, todo("T3", "T2")), checks=("make lint",)))
    assert after.todos == (todo("T1"), changed, todo("T3", "T2"))
    assert after.checks == ("make test", "make lint")


def test_unknown_keys_of_a_model_do_no_harm() -> None:
    assert Plan.model_validate({"todos": [{"id": "T1", "title": "a", "mood": "good"}], "thoughts": "…"}).todos
