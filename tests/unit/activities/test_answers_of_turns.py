"""What an agent said becomes an answer, or a reason that can be quoted to it."""

from typing import Any

import pytest

from activities.agent_sessions import Reply, read_answer
from activities.planning import fits
from mission.answers import Verdict
from mission.messages import MissionFacts, PlanOrder
from mission.options import MissionOptions
from mission.plan import Plan, PlanAnswer, Todo
from mission.report import Usage

FACTS = MissionFacts("mission-a-1", "Do it", "somewhere", "host", MissionOptions())
MADE = Plan(todos=(Todo(id="T1", title="one"), Todo(id="T2", title="two", depends_on=("T1",))))


def order(**changes: Any) -> PlanOrder:
    return PlanOrder(**{"mission": FACTS, "round": 1, "commit": "a" * 40, **changes})


def test_an_answer_is_read_from_what_the_agent_said() -> None:
    reply = Reply('Here it is: {"approved": false, "issues": ["too short"]}', Usage())
    assert read_answer(reply, Verdict) == (Verdict(approved=False, issues=("too short",)), "")


def test_an_invalid_answer_comes_with_what_is_wrong() -> None:
    answer, problem = read_answer(Reply('{"approved": "perhaps"}', Usage()), Verdict)
    assert answer is None
    assert "approved" in problem


def test_a_turn_that_failed_has_no_answer_even_if_its_text_looks_like_one() -> None:
    cut = Reply('{"approved": true}', Usage(), failure="cut off at the limit")
    assert read_answer(cut, Verdict) == (None, "cut off at the limit")


def test_a_first_plan_needs_a_todo() -> None:
    assert fits(PlanAnswer(todos=()), order()) == "the plan has no TODO"
    assert fits(PlanAnswer(todos=(Todo(id="T1", title="one"),)), order()) == ""


@pytest.mark.parametrize(
    ("todos", "problem"),
    [
        pytest.param((Todo(id="T3", title="three", depends_on=("T1",)),), "", id="builds on what is done"),
        pytest.param((Todo(id="T1", title="another"),), "", id="what is done stays as it is"),
        pytest.param((Todo(id="T3", title="three", depends_on=("T9",)),), "T9", id="depends on nothing there is"),
    ],
)
def test_a_later_plan_has_to_fit_what_is_there(todos: tuple[Todo, ...], problem: str) -> None:
    found = fits(PlanAnswer(todos=todos), order(round=2, plan=MADE, done=("T1",)))
    assert problem in found
    assert bool(found) == bool(problem)
