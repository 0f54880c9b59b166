"""Models that refuse what they do not know, and name the key that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """Part of a scenario: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows_every_key(cls, value: object) -> object:
        # `extra="forbid"` alone would not say which key was meant.
        for key in value if isinstance(value, dict) else ():
            if key not in cls.model_fields:
                raise problem_at(f"unknown key {key!r}{nearest(str(key), cls.model_fields)}", key)
        return value


def nearest(wrong: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or the list of what there is."""
    known = list(known)
    close = get_close_matches(wrong, known, n=1)
    return f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def problem_at(message: str, *path: object) -> PydanticCustomError:
    """An error about a place below the value being validated; the reader turns it into a line number."""
    return PydanticCustomError("problem_at", "{message}", {"message": message, "path": path})
