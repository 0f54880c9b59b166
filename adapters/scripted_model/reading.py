"""Reads a scenario's text, and says in which line it is wrong."""

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from adapters.scripted_model.errors import ScenarioError
from adapters.scripted_model.strict import nearest

Shape = TypeVar("Shape", bound=BaseModel)

_MOST_BYTES = 8_000_000
_MOST_PROBLEMS = 5
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_strictly(file: Path, shape: type[Shape]) -> Shape:
    """The file as a `shape`; `ScenarioError` names file and line of everything that does not fit."""
    text = _text(file)
    try:
        return shape.model_validate(_parsed(file, text))
    except ValidationError as error:
        places = _composed(file, text)
        problems = [_described(file, places, dict(problem)) for problem in error.errors()[:_MOST_PROBLEMS]]
        raise ScenarioError("\n".join(problems)) from error


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ScenarioError(f"{file}: {file.stat().st_size} bytes, the limit is {_MOST_BYTES}")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ScenarioError(f"{file}: cannot be read: {reason}") from error


def _parsed(file: Path, text: str) -> object:
    if file.suffix == ".json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ScenarioError(f"{file}:{error.lineno}: not JSON: {error.msg}") from error
    root = _composed(file, text)
    if root is None:
        raise ScenarioError(f"{file}: is empty")
    _refuse_doubles(file, root)
    try:
        return yaml.load(text, _Loader)  # noqa: S506  (a safe loader, the C one where there is one)
    except (yaml.YAMLError, ValueError) as error:
        raise ScenarioError(f"{file}: not YAML: {error}") from error


def _composed(file: Path, text: str) -> yaml.Node | None:
    """The document as nodes that know their lines; JSON is YAML enough for that."""
    try:
        node: yaml.Node | None = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{file}:{line}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{file}: not YAML: {error}") from error
    return node


def _refuse_doubles(file: Path, node: yaml.Node) -> None:
    """YAML lets the last of two equal keys win in silence: a TODO's work would vanish."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubles(file, item)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ScenarioError(f"{file}:{key.start_mark.line + 1}: the key {key.value!r} is there twice")
            seen.add(str(key.value))
            _refuse_doubles(file, value)


def _described(file: Path, root: yaml.Node | None, problem: dict[str, Any]) -> str:
    context = problem.get("ctx") or {}
    place = (*problem["loc"], *context.get("path", ()))
    message = problem["msg"].removeprefix("Value error, ")
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "literal_error":
        known = re.findall(r"'([^']+)'", context["expected"])
        message = f"{problem['input']!r} is not known{nearest(str(problem['input']), known)}"
    return f"{file}:{_line(root, place)}: {path + ': ' if path else ''}{message}"


def _line(node: yaml.Node | None, place: tuple[object, ...]) -> int:
    """Line of the innermost part of `place` that is written down."""
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            step = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            step = (node.value[part], node.value[part])
        else:
            step = None
        if step is None:
            break
        line, node = step[0].start_mark.line + 1, step[1]
    return line
