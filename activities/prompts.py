"""What an agent is told in each turn: facts in, text out. The role's own words are in `roles/*.md`."""

import json
from collections.abc import Iterable

from adapters.scripted_model.header import render_header
from mission import commander
from mission.messages import PlanOrder, ReviewOrder, Step, WorkOrder
from mission.options import Role
from mission.plan import Plan, Todo
from mission.report import Evidence

MOST_DIFF = 60_000
"""Bytes of diff shown to a reviewer; more it reads itself."""


def plan_prompt(order: PlanOrder) -> str:
    step: Step = "replan" if order.plan else "plan"
    parts = [
        _header(order.mission.mission_id, "planner", "plan", order.round, step),
        _objective(order.mission.objective),
    ]
    if order.checks:
        parts.append("The whole will be checked with:\n" + _list(f"`{command}`" for command in order.checks))
    if order.plan is None:
        parts.append("Write the plan.")
    else:
        parts += [
            "The plan so far:\n" + _plan(order.plan, order.done),
            "It does not go on by itself:\n" + _list(order.feedback),
            "Say how it goes on. Give only the TODOs that are new or changed (a changed one keeps its id and starts "
            "anew; finished ones stay as they are). "
            "Change the approach where it failed: split, reorder, do it otherwise.",
        ]
    return "\n\n".join(parts)


def work_prompt(order: WorkOrder, *, brief: bool) -> str:
    """`brief`: the session is new, so everything must be said; else only what is new since the last turn."""
    todo = order.todo
    parts = [_header(order.mission.mission_id, "worker", todo.id, order.attempt, order.step)]
    if brief:
        parts += [_objective(order.mission.objective), "Your TODO:\n" + _todo(todo)]
        if order.context:
            parts.append("What earlier TODOs decided:\n" + _list(order.context))
    if order.step == "rework":
        parts.append(
            "Your work was sent back. The folder holds what the last attempt left. Mend this:\n" + _list(order.feedback)
        )
    elif order.step == "resolve":
        parts.append(
            "Your work is good, but it conflicts with what others merged meanwhile. The folder holds both, with git's "
            "conflict markers. Make one that keeps the intent of both, and leave no marker:\n" + _list(order.feedback)
        )
    elif brief and order.feedback:
        parts.append("Earlier attempts failed because:\n" + _list(order.feedback))
    return "\n\n".join(parts)


def review_prompt(order: ReviewOrder, diff: str, truncated: bool) -> str:
    todo_id = order.todo.id if order.todo else "final"
    step: Step = "review" if order.todo else "final"
    parts = [
        _header(order.mission.mission_id, "reviewer", todo_id, order.attempt, step),
        _objective(order.mission.objective),
    ]
    if order.todo:
        parts += ["The TODO:\n" + _todo(order.todo), "The worker says: " + order.report]
    elif order.plan:
        parts.append("All TODOs are done and merged. Judge the whole:\n" + _plan(order.plan, ()))
    parts.append("Our checks:\n" + (_list(_evidence(check) for check in order.checks) or "(none)"))
    shown = diff or "(nothing was changed)"
    parts.append("The diff" + (", cut; read the files for the rest" if truncated else "") + f":\n```diff\n{shown}\n```")
    return "\n\n".join(parts)


def repair_prompt(mission_id: str, role: Role, todo: str, attempt: int, problem: str) -> str:
    return (
        f"{_header(mission_id, role, todo, attempt, 'repair')}\n\n"
        f"Your answer cannot be used: {problem[:1_000]}\n\n"
        "Answer again with the one JSON object you were asked for, and nothing after it. Do no further work."
    )


def _header(mission_id: str, role: Role, todo: str, attempt: int, step: Step) -> str:
    return render_header(mission=mission_id, role=role, todo=todo, attempt=attempt, step=step)


def _objective(objective: str) -> str:
    return f"The objective of the mission:\n{objective}"


def _todo(todo: Todo) -> str:
    lines = [f"{todo.id}: {todo.title}"]
    if todo.detail:
        lines.append(todo.detail)
    if todo.files:
        lines.append("Files: " + ", ".join(todo.files))
    if todo.checks:
        lines.append("Done when these end with 0:\n" + _list(f"`{command}`" for command in todo.checks))
    return "\n".join(lines)


def _plan(plan: Plan, done: tuple[str, ...]) -> str:
    return "\n".join(
        json.dumps(
            {
                "id": todo.id,
                "title": todo.title,
                "depends_on": todo.depends_on,
                **({"finished": True} if todo.id in done else {}),
            },
            ensure_ascii=False,
        )
        for todo in plan.todos
    )


def _evidence(check: Evidence) -> str:
    if check.green:
        return f"green: `{check.command}`"
    return "red: " + commander.red((check,))[0]


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
