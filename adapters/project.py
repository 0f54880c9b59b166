"""How a project tests itself, found in its files."""

import configparser
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.commands import clean_environment

_PATIENCE = 2.0
"""Seconds the project's Python gets to say whether it has pytest."""


@dataclass(frozen=True)
class FoundChecks:
    commands: tuple[str, ...]
    #: One sentence for a person: what was found and why it is used, or why nothing is.
    found: str


@dataclass(frozen=True)
class _Way:
    """One way in which a project may test itself."""

    command: str
    #: What tells us so.
    because: str
    #: Why it cannot be used here; empty if it can.
    but: str = ""


def find_checks(directory: Path) -> FoundChecks:
    """The project's own test command. A command that cannot run here is not used: it would be red for ever."""
    ways = list(_ways(directory))
    usable = [way for way in ways if not way.but]
    unusable = [f"`{way.command}` ({way.because}) is not used: {way.but}" for way in ways if way.but]
    if not usable:
        nothing = "no test command of the project was found (pytest, unittest, npm, cargo, go, make)"
        why = "; ".join(unusable) or nothing
        return FoundChecks((), f"{why}; the whole is checked with the TODOs' own checks, --check adds yours")
    first, *others = usable
    found = f"the whole is checked with `{first.command}`: {first.because}"
    if others:
        found += f"; {' and '.join(f'`{way.command}`' for way in others)} would be possible too (--check)"
    return FoundChecks((first.command,), "; ".join([found, *unusable]))


def _ways(directory: Path) -> Iterator[_Way]:
    yield from _python(directory)
    if (script := _npm_test(directory)) and "no test specified" not in script:
        yield _with_program("npm", "npm test", "package.json has a test script")
    if (directory / "Cargo.toml").is_file():
        yield _with_program("cargo", "cargo test", "there is a Cargo.toml")
    if (directory / "go.mod").is_file():
        yield _with_program("go", "go test ./...", "there is a go.mod")
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if re.search(r"^test\s*:(?!=)", _text(directory / name), re.MULTILINE):
            yield _with_program("make", "make test", f"{name} has a target test")
            return


def _with_program(program: str, command: str, because: str) -> _Way:
    found = shutil.which(program, path=_path())
    return _Way(command, because, "" if found else f"{program} is not installed")


def _python(directory: Path) -> Iterator[_Way]:
    tests = _test_files(directory)
    configured = _pytest_configuration(directory)
    if not tests and not configured:
        return
    because = configured or f"there are tests in {_place(tests[0], directory)}"
    if not shutil.which("python3", path=_path()):
        yield _Way("python3 -m pytest -q", because, "python3 is not installed")
    elif _has_pytest(directory):
        yield _Way("python3 -m pytest -q", because)
    elif any(_is_unittest(file) for file in tests):
        yield _Way(_unittest(directory, tests), f"{because}, and python3 has no pytest")
    else:
        yield _Way("python3 -m pytest -q", because, "pytest is not installed for python3")


def _unittest(directory: Path, tests: list[Path]) -> str:
    """Discovery from the top finds only packages."""
    place = _place(tests[0], directory)
    inside = place != "." and not (directory / place / "__init__.py").is_file()
    return f"python3 -m unittest discover -s {place}" if inside else "python3 -m unittest"


def _place(test: Path, directory: Path) -> str:
    return test.relative_to(directory).parts[0] if test.parent != directory else "."


def _test_files(directory: Path) -> list[Path]:
    for folder in (directory / "tests", directory / "test", directory):
        pattern = "test_*.py" if folder == directory else "**/test_*.py"
        if found := sorted(folder.glob(pattern))[:50]:
            return found
    return []


def _is_unittest(file: Path) -> bool:
    text = _text(file)
    return "TestCase" in text and "import pytest" not in text


def _pytest_configuration(directory: Path) -> str:
    for name in ("pytest.ini", ".pytest.ini"):
        if (directory / name).is_file():
            return f"there is a {name}"
    if "pytest" in _toml(directory / "pyproject.toml").get("tool", {}):
        return "pyproject.toml configures pytest"
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if _has_section(directory / name, section):
            return f"{name} configures pytest"
    return ""


def _has_pytest(directory: Path) -> bool:
    """Whether the Python that checks will find has pytest. If it does not answer in time, it is believed to."""
    ask = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)"
    try:
        asked = subprocess.run(
            ["python3", "-c", ask],
            cwd=directory,
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return asked.returncode == 0


def _npm_test(directory: Path) -> str:
    try:
        script = json.loads(_text(directory / "package.json"))["scripts"]["test"]
    except (ValueError, KeyError, TypeError):
        return ""
    return script if isinstance(script, str) else ""


def _path() -> str:
    return clean_environment(os.environ).get("PATH", os.defpath)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError:
        return {}


def _has_section(file: Path, section: str) -> bool:
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(_text(file))
    except configparser.Error:
        return False
    return parser.has_section(section)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
