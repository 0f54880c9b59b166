"""A scenario: what a scripted model plans, does, answers and breaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from adapters.files import write_atomically
from adapters.scripted_model.actions import Action, Actions, Answer
from adapters.scripted_model.errors import ScenarioError
from adapters.scripted_model.faults import Fault
from adapters.scripted_model.header import Role
from adapters.scripted_model.reading import read_strictly
from adapters.scripted_model.strict import Strict, nearest, problem_at

__all__ = ["Action", "Fault", "Scenario", "ScenarioError", "ScenarioFile", "load_scenario", "save_scenario"]

Each = TypeVar("Each")


def _plan(value: object) -> object:
    if isinstance(value, dict) or (isinstance(value, list) and all(isinstance(todo, dict) for todo in value)):
        return value
    raise ValueError("must be a list of TODOs (mappings), or one mapping that is the whole answer")


def _attempts(value: object) -> object:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        raise ValueError("is a list of attempts, each a list of actions: write `- - write: …` for the first one")
    return value


def _verdicts(value: object) -> object:
    return value if isinstance(value, list) else [value]


PlanAnswer = Annotated[Any, BeforeValidator(_plan)]
"""Not checked further: a scenario may play a planner that makes invalid plans."""

Attempts = Annotated[list[Actions], Field(min_length=1), BeforeValidator(_attempts)]


class Scenario(Strict):
    """One mission's model. Only what matters needs to be there: the rest is done and approved."""

    name: str = "scenario"
    #: Seconds a reply takes, by role.
    latency: dict[Role, Annotated[float, Field(ge=0, le=3600)]] = Field(default_factory=dict)
    plan: PlanAnswer = Field(default_factory=list)
    #: Default: one TODO is L1, dotted ids are L3, else L2.
    level: Literal["L1", "L2", "L3"] | None = None
    work: dict[str, Attempts] = Field(default_factory=dict)
    #: What resolves a merge conflict of this TODO.
    resolve: dict[str, Actions] = Field(default_factory=dict)
    #: Answers of the planner in round 2, 3, …
    replan: list[PlanAnswer] = Field(default_factory=list)
    review: dict[str, Annotated[list[Answer], Field(min_length=1)]] = Field(default_factory=dict)
    final: Annotated[list[Answer], Field(min_length=1), BeforeValidator(_verdicts)] = Field(
        default_factory=lambda: [{"approved": True}]
    )
    #: Commands that seal the mission; part of the planner's answer.
    checks: list[str] = Field(default_factory=list)
    faults: list[Fault] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_todos_that_exist(self) -> Self:
        # Without a plan a scenario plays single turns: then any id may come.
        planned = {str(todo["id"]) for todo in self.todos() if "id" in todo}
        for section in ("work", "resolve", "review") if planned else ():
            for todo_id in getattr(self, section):
                if todo_id not in planned:
                    hint = nearest(todo_id, sorted(planned))
                    raise problem_at(f"{section} has {todo_id!r}, which no plan has{hint}", section, todo_id)
        return self

    def todos(self) -> Iterator[dict[str, Any]]:
        """Every TODO of every plan."""
        for plan in (self.plan, *self.replan):
            todos = plan.get("todos") if isinstance(plan, dict) else plan
            yield from (todo for todo in todos or () if isinstance(todo, dict))

    def plan_answer(self, round_: int) -> dict[str, Any]:
        """What the planner answers in this round; a round without a plan of its own changes nothing."""
        plans = [self.plan, *self.replan]
        plan = plans[round_ - 1] if round_ <= len(plans) else []
        checks = {"checks": self.checks} if self.checks else {}
        if isinstance(plan, dict):
            return {**checks, **plan}
        return {"level": self.level or _level(plan), "todos": plan, **checks}

    def verdict(self, todo: str, attempt: int) -> Any:
        """What the reviewer answers; `todo` is `final` for the whole."""
        verdicts = self.final if todo == "final" else self.review.get(todo, [{"approved": True}])
        return nth(verdicts, attempt)

    def files(self, todo_id: str) -> list[str]:
        """The files this TODO is to touch, by plan or else by what its agent writes."""
        planned = (todo.get("files") for todo in self.todos() if todo.get("id") == todo_id)
        named = next((files for files in planned if isinstance(files, list) and files), None)
        if named is not None:
            return [str(file) for file in named]
        actions = [action for attempt in self.work.get(todo_id, []) for action in attempt]
        return [action.write.path for action in actions if action.write]


def nth(items: list[Each], attempt: int) -> Each:
    """The item of this attempt, counting from 1; the last one repeats."""
    return items[min(max(attempt, 1), len(items)) - 1]


def _level(todos: list[dict[str, Any]]) -> str:
    if any("." in str(todo.get("id", "")) for todo in todos):
        return "L3"
    return "L1" if len(todos) == 1 else "L2"


class ScenarioFile(Strict):
    """What lies in the model's folder, one file a mission."""

    scenario: Scenario
    #: Where requests of this mission are logged.
    log: Path | None = None


def load_scenario(file: Path) -> Scenario:
    """A scenario from YAML, or from JSON if the name ends so; `ScenarioError` names file and line."""
    return read_strictly(file, Scenario)


def save_scenario(folder: Path, name: str, scenario: Scenario, log: Path | None = None) -> None:
    """Have the model that serves `folder` play this for the mission `name` (`default`: for all others)."""
    content = ScenarioFile(scenario=scenario, log=log.absolute() if log else None)
    write_atomically(folder / f"{name}.json", content.model_dump_json(exclude_unset=True))
