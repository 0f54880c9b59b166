"""How a project tests itself, found in its files."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FoundChecks:
    commands: tuple[str, ...]
    #: One sentence for a person: what was found and where.
    found: str


def find_checks(directory: Path) -> FoundChecks:
    """The project's own test command; the first of the ways it may have one."""
    for look in (_pytest, _npm, _cargo, _go, _make, _unittest):
        if found := look(directory):
            command, where = found
            return FoundChecks((command,), f"the whole is checked with `{command}`, found in {where}")
    return FoundChecks((), "no tests of the project were found: the whole is checked by the TODOs' own checks only")


Found = tuple[str, str] | None


def _pytest(directory: Path) -> Found:
    for name, section in (("pyproject.toml", "[tool.pytest"), ("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")):
        if section in _text(directory / name):
            return "python3 -m pytest -q", name
    if (directory / "pytest.ini").is_file():
        return "python3 -m pytest -q", "pytest.ini"
    if any("import pytest" in _text(file) for file in _test_files(directory)):
        return "python3 -m pytest -q", "tests/"
    return None


def _unittest(directory: Path) -> Found:
    if any("unittest" in _text(file) for file in _test_files(directory)):
        return "python3 -m unittest discover -s tests", "tests/"
    if any(_test_files(directory)):
        return "python3 -m pytest -q", "tests/"
    return None


def _test_files(directory: Path) -> list[Path]:
    return sorted((directory / "tests").glob("**/test_*.py"))[:50] or sorted(directory.glob("test_*.py"))[:50]


def _npm(directory: Path) -> Found:
    try:
        script = json.loads(_text(directory / "package.json")).get("scripts", {}).get("test", "")
    except (ValueError, AttributeError):
        return None
    return None if not script or "no test specified" in script else ("npm test", "package.json")


def _cargo(directory: Path) -> Found:
    try:
        tomllib.loads(_text(directory / "Cargo.toml"))
    except tomllib.TOMLDecodeError:
        return None
    return ("cargo test", "Cargo.toml") if (directory / "Cargo.toml").is_file() else None


def _go(directory: Path) -> Found:
    return ("go test ./...", "go.mod") if (directory / "go.mod").is_file() else None


def _make(directory: Path) -> Found:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if re.search(r"^test\s*:(?!=)", _text(directory / name), re.MULTILINE):
            return "make test", name
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
