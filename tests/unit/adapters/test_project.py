"""Which command a project tests itself with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.project import find_checks

PYTEST, UNITTEST = (
    "def test_x(): pass\n",
    "import unittest\n\nclass X(unittest.TestCase):\n    def test_x(self): pass\n",
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which every tool is installed and python3 has pytest."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("npm", "cargo", "go", "make", "python3"):
        install(folder, name, "exit 0")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    return project


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


FOUND = [
    pytest.param({"pytest.ini": ""}, "python3 -m pytest -q", "there is a pytest.ini", id="pytest.ini"),
    pytest.param(
        {"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest -q", "pyproject.toml", id="toml"
    ),
    pytest.param({"tox.ini": "[pytest]\n"}, "python3 -m pytest -q", "tox.ini configures", id="tox.ini"),
    pytest.param({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest -q", "setup.cfg configures", id="setup.cfg"),
    pytest.param({"tests/unit/test_a.py": PYTEST}, "python3 -m pytest -q", "there are tests in tests", id="tests"),
    pytest.param({"test_a.py": PYTEST}, "python3 -m pytest -q", "there are tests in .", id="test file at the top"),
    pytest.param({"package.json": '{"scripts": {"test": "jest"}}'}, "npm test", "package.json has", id="npm"),
    pytest.param({"Cargo.toml": "[package]\n"}, "cargo test", "there is a Cargo.toml", id="cargo"),
    pytest.param({"go.mod": "module x\n"}, "go test ./...", "there is a go.mod", id="go"),
    pytest.param({"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, "make test", "Makefile has a target", id="make"),
]


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(("files", "command", "why"), FOUND)
def test_the_projects_own_command_is_found_and_explained(
    folder: Path, files: dict[str, str], command: str, why: str
) -> None:
    write(folder, files)
    found = find_checks(folder)
    assert found.commands == (command,)
    assert f"`{command}`" in found.found
    assert why in found.found


NOTHING = [
    pytest.param({}, id="empty"),
    pytest.param(
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, id="npm's"
    ),
    pytest.param({"package.json": "{broken", "pyproject.toml": "= broken", "setup.cfg": "broken"}, id="broken files"),
    pytest.param({"package.json": "[]"}, id="package.json is a list"),
    pytest.param({"Makefile": "test := 1\ntesting:\n\ttrue\n"}, id="make without a target"),
    pytest.param({"setup.py": "", "pyproject.toml": "[tool.ruff]\n"}, id="python without tests"),
]


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("files", NOTHING)
def test_nothing_is_found_where_there_is_nothing(folder: Path, files: dict[str, str]) -> None:
    write(folder, files)
    found = find_checks(folder)
    assert found.commands == ()
    assert "no test command of the project was found" in found.found


def test_unittests_are_run_without_pytest(folder: Path, programs: Path) -> None:
    install(programs, "python3", "exit 1")
    write(folder, {"tests/test_a.py": UNITTEST})
    assert find_checks(folder).commands == ("python3 -m unittest discover -s tests",)
    write(folder, {"tests/__init__.py": ""})
    assert find_checks(folder).commands == ("python3 -m unittest",)


@pytest.mark.parametrize("package", [True, False], ids=["package", "folder"])
def test_the_command_for_unittests_finds_them(folder: Path, package: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, {"tests/test_a.py": UNITTEST, **({"tests/__init__.py": ""} if package else {})})
    bare = folder.parent / "bin"
    bare.mkdir()
    install(bare, "python3", f'exec "{sys.executable}" -S "$@"')  # without site-packages
    monkeypatch.setenv("PATH", f"{bare}:{os.environ['PATH']}")
    command, *_ = find_checks(folder).commands
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True)
    assert "Ran 1 test" in done.stderr


def test_a_command_that_cannot_run_here_is_told_and_not_used(folder: Path, programs: Path) -> None:
    (programs / "cargo").unlink()
    install(programs, "python3", "exit 1")
    write(folder, {"Cargo.toml": "", "tests/test_a.py": PYTEST})
    found = find_checks(folder)
    assert found.commands == ()
    assert "pytest is not installed for python3" in found.found
    assert "cargo is not installed" in found.found


@pytest.mark.usefixtures("programs")
def test_the_first_of_several_is_used_and_the_others_are_named(folder: Path) -> None:
    write(folder, {"pytest.ini": "", "Makefile": "test:\n\ttrue\n"})
    found = find_checks(folder)
    assert found.commands == ("python3 -m pytest -q",)
    assert "`make test` would be possible too (--check)" in found.found
