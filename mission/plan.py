"""The graph of work: TODOs, what they depend on, and what may run next."""

import re
from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_TODOS = 100
"""A plan with more TODOs than this is refused: it is a sign of a model that enumerates instead of planning."""

TODO_ID = re.compile(r"T\d+(\.\d+){0,2}")
"""`T1`, `T1.2`, `T1.2.3`: at most three levels."""

Level = Literal["L1", "L2", "L3"]


class Todo(BaseModel):
    """One piece of work as the planner describes it. The workflow, not the agent, keeps its state."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(max_length=16)
    title: str = Field(min_length=1, max_length=200)
    detail: str = Field(default="", max_length=8_000)
    depends_on: tuple[str, ...] = ()
    #: Paths it expects to touch, relative to the project; TODOs that share one do not run side by side.
    files: tuple[str, ...] = Field(default=(), max_length=200)
    #: Shell commands; exit code 0 of each one is what "done" means.
    checks: tuple[str, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _id_is_readable(self) -> Self:
        if not TODO_ID.fullmatch(self.id):
            raise ValueError(f"TODO id {self.id!r} is not of the form T1, T1.2 or T1.2.3")
        return self

    @property
    def parent(self) -> str | None:
        return self.id.rpartition(".")[0] or None


class PlanAnswer(BaseModel):
    """What the planner answers: a whole plan in the first round, later only what is new or changed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: L1: one TODO, one worker. L2: a flat list. L3: a tree of up to three levels.
    level: Level = "L2"
    todos: tuple[Todo, ...] = ()
    #: Commands that must pass on the merged whole.
    checks: tuple[str, ...] = Field(default=(), max_length=20)
    note: str = Field(default="", max_length=4_000)

    def as_plan(self) -> "Plan":
        """Raises `ValueError` when it is not a usable graph by itself."""
        return Plan.model_validate(self.model_dump())


class Plan(PlanAnswer):
    """Valid by construction: unique ids, known dependencies, no cycle, a size in bounds."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        check_graph(self.todos)
        return self

    @property
    def work(self) -> tuple[Todo, ...]:
        """The TODOs that agents do. A TODO with children is a heading: it is done when its children are."""
        return _work(self.todos)

    def todo(self, todo_id: str) -> Todo:
        return next(todo for todo in self.todos if todo.id == todo_id)

    def needs(self, todo: Todo) -> frozenset[str]:
        """Ids of the work that must be merged first: own and inherited dependencies, headings resolved."""
        return _needs(self.todos, todo)

    def ready(self, done: Collection[str], started: Collection[str]) -> tuple[Todo, ...]:
        """What may start now: not started, every dependency done, no file shared with running work."""
        by_id = {todo.id: todo for todo in self.work}
        running = [by_id[todo_id] for todo_id in started if todo_id in by_id and todo_id not in done]
        claimed = {path for todo in running for path in todo.files}
        ready: list[Todo] = []
        for todo in self.work:
            if todo.id in started or todo.id in done or not self.needs(todo) <= set(done):
                continue
            if claimed.isdisjoint(todo.files):
                ready.append(todo)
                claimed.update(todo.files)
        return tuple(ready)

    def revised(self, revision: PlanAnswer) -> "Plan":
        """The plan with the new and changed TODOs of a later round. Raises `ValueError` if that is no usable graph."""
        changed = {todo.id: todo for todo in revision.todos}
        kept = [changed.pop(todo.id, todo) for todo in self.todos]
        return Plan(
            level=self.level if not changed else max(self.level, revision.level),
            todos=(*kept, *changed.values()),
            checks=tuple(dict.fromkeys((*self.checks, *revision.checks))),
            note=revision.note or self.note,
        )


def check_graph(todos: Iterable[Todo]) -> None:
    """Raise `ValueError` naming the TODO and the rule when the TODOs are not a usable graph."""
    todos = tuple(todos)
    ids = [todo.id for todo in todos]
    if len(todos) > MOST_TODOS:
        raise ValueError(f"the plan has {len(todos)} TODOs, the limit is {MOST_TODOS}: plan fewer, larger ones")
    if twice := next((todo_id for todo_id in ids if ids.count(todo_id) > 1), None):
        raise ValueError(f"TODO id {twice!r} is used twice")
    for todo in todos:
        for wish in todo.depends_on:
            if wish not in ids:
                raise ValueError(f"TODO {todo.id} depends on {wish!r}, which is not in the plan")
            if _is_within(todo.id, wish):
                raise ValueError(f"TODO {todo.id} depends on {wish!r}, which contains it")
    _refuse_cycles(todos)


def _refuse_cycles(todos: tuple[Todo, ...]) -> None:
    graph = {todo.id: _needs(todos, todo) for todo in _work(todos)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise ValueError(f"the dependencies form a cycle: {' -> '.join(error.args[1])}") from error


def _work(todos: tuple[Todo, ...]) -> tuple[Todo, ...]:
    headings = {todo.parent for todo in todos}
    return tuple(todo for todo in todos if todo.id not in headings)


def _needs(todos: tuple[Todo, ...], todo: Todo) -> frozenset[str]:
    wanted = {wish for one in todos if _is_within(todo.id, one.id) for wish in one.depends_on}
    return frozenset(work.id for work in _work(todos) if any(_is_within(work.id, wish) for wish in wanted))


def _is_within(todo_id: str, heading: str) -> bool:
    return todo_id == heading or todo_id.startswith(heading + ".")
