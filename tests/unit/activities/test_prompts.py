"""The prompts as agents read them: a change of words is a change of product, so it shows here."""

from activities import prompts
from adapters.scripted_model.header import parse_header
from mission.messages import MissionFacts, PlanOrder, ReviewOrder, WorkOrder
from mission.options import MissionOptions
from mission.plan import Plan, Todo
from mission.report import Evidence

MISSION = MissionFacts("mission-add-login-3f9a1c", "Add a login", "somewhere", "queue", MissionOptions())
TODO = Todo(id="T2", title="Write the form", detail="In forms.py.", files=("forms.py",), checks=("pytest -q",))
GREEN = Evidence("pytest -q", 0, 1.0, "c", "sha", "log", "3 passed")
RED = Evidence("pytest -q", 1, 1.0, "c", "sha", "log", "1 failed")


def work(**changes: object) -> WorkOrder:
    order = {"mission": MISSION, "todo": TODO, "attempt": 1, "step": "work", "commit": "c1", "base": "c0", **changes}
    return WorkOrder(**order)  # type: ignore[arg-type]


def test_the_first_prompt_of_a_worker_says_everything() -> None:
    assert prompts.work_prompt(work(context=("T1: tokens live an hour",)), brief=True) == (
        '<turn mission="mission-add-login-3f9a1c" role="worker" todo="T2" attempt="1" step="work"/>\n'
        "\n"
        "The objective of the mission:\n"
        "Add a login\n"
        "\n"
        "Your TODO:\n"
        "T2: Write the form\n"
        "In forms.py.\n"
        "Files: forms.py\n"
        "Done when these end with 0:\n"
        "- `pytest -q`\n"
        "\n"
        "What earlier TODOs decided:\n"
        "- T1: tokens live an hour"
    )


def test_a_rework_in_the_same_session_says_only_what_is_new() -> None:
    assert prompts.work_prompt(work(attempt=2, step="rework", feedback=("no CSRF token",)), brief=False) == (
        '<turn mission="mission-add-login-3f9a1c" role="worker" todo="T2" attempt="2" step="rework"/>\n'
        "\n"
        "Your work was sent back. The folder holds what the last attempt left. Mend this:\n"
        "- no CSRF token"
    )


def test_a_rework_in_a_new_session_is_briefed() -> None:
    text = prompts.work_prompt(work(attempt=2, step="rework", feedback=("no CSRF token",)), brief=True)
    assert "T2: Write the form" in text
    assert "- no CSRF token" in text


def test_a_reviewer_sees_objective_todo_evidence_and_diff() -> None:
    order = ReviewOrder(MISSION, 1, "c1", "c0", TODO, checks=(GREEN, RED), report="wrote it")
    text = prompts.review_prompt(order, "+def form(): …", truncated=False)
    assert parse_header(text)
    for piece in ("Add a login", "T2: Write the form", "wrote it", "- green: `pytest -q`", "1 failed", "+def form"):
        assert piece in text


def test_a_diff_that_was_cut_says_so() -> None:
    order = ReviewOrder(MISSION, 1, "c1", "c0", plan=Plan(todos=(TODO,)))
    assert "The diff, cut; read the files for the rest" in prompts.review_prompt(order, "+", truncated=True)


def test_the_planner_is_told_why_it_is_asked_again() -> None:
    order = PlanOrder(MISSION, 2, "c1", plan=Plan(todos=(TODO,)), done=("T2",), feedback=("the seal is red",))
    text = prompts.plan_prompt(order)
    assert 'step="replan"' in text
    assert '{"id": "T2", "title": "Write the form", "depends_on": [], "finished": true}' in text
    assert "- the seal is red" in text


def test_a_repair_quotes_what_was_wrong() -> None:
    text = prompts.repair_prompt("mission-x", "planner", "plan", 1, "todos: Field required")
    assert "Your answer cannot be used: todos: Field required" in text
