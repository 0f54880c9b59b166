"""Missions at several moments, as screens are given them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mission.answers import Verdict
from mission.report import (
    AttemptView,
    Evidence,
    MissionReport,
    MissionStatus,
    Stage,
    TodoState,
    TodoView,
    Usage,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW = START + timedelta(seconds=47)

GREEN = Evidence("python3 -m unittest tests.test_tokens", 0, 0.4, "4fae1230", "0" * 64, "evidence/T2-1.log", "OK")
RED = replace(GREEN, exit_code=1, tail="FAILED (failures=1)")
REJECTED = Verdict(approved=False, issues=("signatures are compared with ==, which leaks time",))
APPROVED = Verdict(approved=True)


def attempt(
    number: int, stage: Stage, start: int = 5, end: int | None = None, verdict: Verdict | None = None, outcome: str = ""
) -> AttemptView:
    return AttemptView(
        number=number,
        stage=stage,
        started=START + timedelta(seconds=start),
        ended=None if end is None else START + timedelta(seconds=end),
        outcome=outcome,
        checks=(RED,) if stage is Stage.RED else (GREEN,) if stage is not Stage.WORKING else (),
        verdict=verdict,
    )


def done(todo_id: str, title: str, *depends_on: str) -> TodoView:
    first = attempt(1, Stage.APPROVED, 3, 9, APPROVED)
    return TodoView(todo_id, title, TodoState.DONE, depends_on=depends_on, attempts=(first,), merged="4fae1230aa")


def open_(todo_id: str, title: str, *depends_on: str) -> TodoView:
    return TodoView(todo_id, title, TodoState.OPEN, depends_on=depends_on)


TODOS = (
    done("T1", "Lay the foundation"),
    TodoView("T2", "Authentication", TodoState.WORKING, heading=True, depends_on=("T1",)),
    done("T2.1", "Keep passwords as salted scrypt hashes"),
    TodoView(
        "T2.2",
        "Issue signed tokens that expire, with a title that is much longer than any terminal is wide, as some are",
        TodoState.WORKING,
        attempts=(attempt(1, Stage.REJECTED, 5, 21, REJECTED), attempt(2, Stage.REVIEWING, 22)),
    ),
    TodoView(
        "T2.3",
        "Limit how often a login can be tried",
        TodoState.WORKING,
        attempts=(attempt(1, Stage.RED, 5, 25, outcome="a check failed"), attempt(2, Stage.WORKING, 26)),
    ),
    open_("T2.4", "Register, log in and recognise users", "T2.1", "T2.2", "T2.3", "T3.1"),
    TodoView("T3", "Users and notes", TodoState.MERGING, heading=True, depends_on=("T1",)),
    TodoView(
        "T3.1", "Store users and notes in SQLite", TodoState.MERGING, attempts=(attempt(1, Stage.APPROVED, 5, 40),)
    ),
    TodoView("T3.2", "Check what clients send", TodoState.REWORK, attempts=(attempt(1, Stage.CONFLICT, 5, 40),)),
    open_("T4", "Route requests", "T2", "T3"),
    open_("T5", "Tell how to use it", "T4"),
)

MID_WAY = MissionReport(
    mission_id="mission-build-rest-api-3f9a1c",
    objective="Build a REST API with authentication",
    directory="/home/me/notes",
    status=MissionStatus.RUNNING,
    started=START,
    level="L3",
    round=1,
    branch="mission/build-rest-api-3f9a1c",
    started_from="main",
    base_commit="1" * 40,
    head_commit="4fae1230" + "0" * 32,
    todos=TODOS,
    usage=Usage(12, 120_000, 8_000, 0.31),
    notes=("no test command was found: only the TODOs' own checks seal the mission",),
)

PREPARING = replace(MID_WAY, status=MissionStatus.PREPARING, todos=(), round=0, base_commit="", notes=())


def _finished(todo: TodoView) -> TodoView:
    if todo.heading:
        return replace(todo, state=TodoState.DONE)
    attempts = tuple(one for one in todo.attempts if one.ended and one.stage is not Stage.APPROVED)
    last = attempt(len(attempts) + 1, Stage.APPROVED, 26, 40, APPROVED)
    return replace(todo, state=TodoState.DONE, attempts=(*attempts, last), merged="4fae1230aa")


SEALED = replace(
    MID_WAY,
    status=MissionStatus.SEALED,
    reason="9 TODOs done, checked, merged and sealed",
    ended=NOW,
    todos=tuple(_finished(todo) for todo in TODOS),
    seal=(GREEN, GREEN),
    final_verdict=APPROVED,
)

FAILED = replace(MID_WAY, status=MissionStatus.FAILED, reason="the planner saw no way on: T2.3 was given up", ended=NOW)
