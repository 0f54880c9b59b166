"""What a scripted agent does: one action is one step of model output."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from adapters.scripted_model.strict import Strict


def _answer(value: object) -> object:
    if not isinstance(value, dict | str):
        raise ValueError("must be a mapping (answered as JSON) or a text (answered as it is)")
    return value


Answer = Annotated[Any, BeforeValidator(_answer)]
"""A mapping is answered as JSON, a string as it is (so that wrong answers can be played)."""

DONE: dict[str, Any] = {"summary": "done"}


class Write(Strict):
    path: str = Field(min_length=1)
    content: str


class Edit(Strict):
    path: str = Field(min_length=1)
    old: str
    new: str


class Bash(Strict):
    command: str = Field(min_length=1)
    description: str = "Run a command"
    #: Milliseconds, as OpenCode's bash tool takes them.
    timeout: int | None = Field(default=None, gt=0)


def _command(value: object) -> object:
    return {"command": value} if isinstance(value, str) else value


class Action(Strict):
    """Exactly one of these."""

    write: Write | None = None
    edit: Edit | None = None
    bash: Annotated[Bash | None, BeforeValidator(_command)] = None
    read: str | None = None
    #: Ends the turn.
    say: Answer | None = None
    #: Seconds the model thinks before its next step.
    sleep: float | None = Field(default=None, ge=0, le=3600)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"an action is exactly one of {names}; this one has {', '.join(given) or 'none'}")
        return self


def _say_ends_the_list(actions: list[Action]) -> list[Action]:
    for place, action in enumerate(actions[:-1], start=1):
        if action.say is not None:
            raise ValueError(f"action {place} is `say`, which ends the turn: nothing after it can be played")
    return actions


def _is_list_of_actions(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError("must be a list of actions (a TODO has a list of attempts, an attempt a list of actions)")
    return value


Actions = Annotated[
    list[Action],
    Field(min_length=1),
    BeforeValidator(_is_list_of_actions),
    AfterValidator(_say_ends_the_list),
]
"""One attempt. Without a final `say` the model says that it is done."""
