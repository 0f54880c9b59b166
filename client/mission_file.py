"""The project's `mission.toml`: the options of a mission, so that nobody has to type them."""

import difflib
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from client.errors import BadInput, MissionFileError
from mission.options import MissionOptions, Role

NAME = "mission.toml"

_PLACES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (): tuple(MissionOptions.model_fields),
    ("models",): get_args(Role),
}
"""Keys that may stand in each table."""

MODEL = re.compile(r"[^\s/]+/\S+")


def read_mission_file(directory: Path) -> tuple[Path | None, dict[str, Any]]:
    """The nearest `mission.toml` of the project and what it chooses; `MissionFileError` says what is wrong."""
    file = find_mission_file(directory)
    return file, {} if file is None else _read(file)


def find_mission_file(directory: Path) -> Path | None:
    """In the folder, or above it up to the top of its repository."""
    for folder in (directory, *directory.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        if (folder / ".git").exists():
            return None
    return None


def make_options(chosen: Mapping[str, Any]) -> MissionOptions:
    """Options from the command line over those of the file; `BadInput` names the option."""
    try:
        options = MissionOptions.model_validate(chosen)
    except ValidationError as error:
        raise BadInput("; ".join(_in_words(problem) for problem in error.errors()[:5])) from error
    for model in filter(None, (options.model, *options.models.values())):
        if not MODEL.fullmatch(model):
            raise BadInput(f"the model {model!r} is not of the form provider/model, like anthropic/claude-sonnet-4-5")
    return options


def schema() -> str:
    """JSON schema for editors, as published in `docs/mission.schema.json`."""
    described = MissionOptions.model_json_schema()
    described["title"] = NAME
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **described}, indent=2) + "\n"


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text()
        chosen = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise MissionFileError(f"{file}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise MissionFileError(f"{file}: is not valid TOML: {error}") from error
    except OSError as error:
        raise MissionFileError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        make_options(chosen)
    except BadInput as error:
        cause = error.__cause__
        problems = cause.errors()[:5] if isinstance(cause, ValidationError) else []
        lines = [f"{file}{_line(text, problem['loc'])}: {_in_words(problem)}" for problem in problems]
        raise MissionFileError("\n".join(lines) or f"{file}: {error}") from error
    return chosen


def _in_words(problem: ErrorDetails) -> str:
    names = [str(part) for part in problem["loc"] if part != "[key]"]
    where, key = tuple(names[:-1]), names[-1] if names else ""
    place = f" in [{'.'.join(where)}]" if where else ""
    if problem["type"] == "extra_forbidden" or (where == ("models",) and problem["type"] == "literal_error"):
        return f"unknown key {key!r}{place}{_nearest(key, _PLACES.get(where, ()))}"
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{'.'.join(names)} = {_short(problem['input'])}: {message}"


def _nearest(key: str, known: Iterable[str]) -> str:
    known = tuple(known)
    near = difflib.get_close_matches(key.replace("-", "_"), known, n=1, cutoff=0.5)
    return f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _line(text: str, location: tuple[int | str, ...]) -> str:
    """`:3` for the line that sets the key, where it can be told."""
    names = [str(part) for part in location if isinstance(part, str) and part != "[key]"]
    lines = text.splitlines()
    for name in reversed(names):
        for number, line in enumerate(lines, 1):
            if re.match(rf"""\s*(\[\s*)?["']?{re.escape(name)}["']?\s*[=.\]]""", line):
                return f":{number}"
    return ""


if __name__ == "__main__":
    sys.stdout.write(schema())  # `python -m client.mission_file > docs/mission.schema.json`
