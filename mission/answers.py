"""What agents answer: JSON in the last message, validated here."""

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)


class WorkReport(BaseModel):
    """A worker's account of its turn. It informs; only checks and the reviewer decide."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    summary: str = Field(min_length=1, max_length=4_000)
    #: Decisions and findings that later TODOs should know.
    decisions: tuple[str, ...] = Field(default=(), max_length=20)


class Verdict(BaseModel):
    """The reviewer's structured yes or no."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    approved: bool
    issues: tuple[str, ...] = Field(default=(), max_length=50)
    summary: str = Field(default="", max_length=4_000)


class InvalidAnswer(ValueError):
    """The text holds no JSON object, or one that does not fit. The message is meant for the agent."""


def parse_answer(text: str, shape: type[Answer]) -> Answer:
    """The last JSON object in `text` as a `shape`; `InvalidAnswer` says what to mend."""
    found = last_json_object(text)
    if found is None:
        raise InvalidAnswer("the answer holds no JSON object")
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'answer'}: {problem['msg']}"
            for problem in error.errors()[:5]
        )
        raise InvalidAnswer(problems) from error


def last_json_object(text: str) -> dict[str, object] | None:
    """The last top-level JSON object in a text, fenced or bare."""
    decoder = json.JSONDecoder()
    found, end = None, 0
    for brace in re.finditer(r"\{", text):
        if brace.start() < end:
            continue  # inside the object found before
        try:
            value, end = decoder.raw_decode(text, brace.start())
        except ValueError:
            continue
        found = value if isinstance(value, dict) else found
    return found
