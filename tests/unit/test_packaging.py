"""What is shipped and what is installed: no address, no surprise, nothing missing."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OURS = ("activities", "adapters", "client", "mission", "runtime", "worker", "workflows")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = (ROOT / "requirements.txt").read_text()
NPM_LOCK = (ROOT / "tools" / "package-lock.json").read_text()

ADDRESS = re.compile(r"\b(?:https?|file|git\+\w+)://|--(?:extra-)?index-url|--find-links|\"resolved\"")


def pinned() -> dict[str, tuple[Requirement, int]]:
    """Every pin of requirements.txt with the number of its hashes."""
    entries = REQUIREMENTS.replace("\\\n", " ").splitlines()
    lines = [line for line in entries if line.strip() and not line.startswith("#")]
    pins = [(Requirement(line.split(" --hash=")[0]), line.count("--hash=sha256:")) for line in lines]
    return {canonicalize_name(pin.name): (pin, hashes) for pin, hashes in pins}


def asked_for() -> list[Requirement]:
    return [Requirement(line) for line in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file).namelist()


def test_no_dependency_ships_one_of_our_top_level_names() -> None:
    providers = packages_distributions()
    clashes = {name: set(providers.get(name, [])) - {PROJECT["project"]["name"]} for name in OURS}

    assert {name: who for name, who in clashes.items() if who} == {}


def test_the_wheel_holds_every_part(wheel: list[str]) -> None:
    sources = [path for part in OURS for path in ROOT.glob(f"{part}/**/*.py")]

    assert {str(path.relative_to(ROOT)) for path in sources} | {"worker.py"} <= set(wheel)


def test_the_wheel_holds_the_roles(wheel: list[str]) -> None:
    roles = {str(path.relative_to(ROOT)) for path in (ROOT / "activities" / "roles").glob("*.md")}

    assert {f"activities/roles/{name}.md" for name in ("planner", "worker", "reviewer")} <= roles <= set(wheel)


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    tops = {name.split("/")[0].removesuffix(".py") for name in wheel}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(OURS)


def test_every_pin_is_exact_and_has_hashes() -> None:
    loose = [name for name, (pin, hashes) in pinned().items() if not str(pin.specifier).startswith("==") or not hashes]

    assert loose == []


@pytest.mark.parametrize("text", [REQUIREMENTS, NPM_LOCK], ids=["requirements.txt", "package-lock.json"])
def test_no_lock_holds_an_address(text: str) -> None:
    assert ADDRESS.findall(text) == []


def test_what_the_project_asks_for_is_pinned_within_its_limits() -> None:
    pins = {name: next(iter(pin.specifier)).version for name, (pin, _) in pinned().items()}
    wrong = [str(one) for one in asked_for() if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"))]

    assert wrong == []


def test_opencode_is_locked_for_every_platform_it_exists_for() -> None:
    packages = json.loads(NPM_LOCK)["packages"]
    opencode = packages["node_modules/opencode-ai"]
    locked = {
        name: packages.get(f"node_modules/{name}", {}).get("version") for name in opencode["optionalDependencies"]
    }

    assert locked == opencode["optionalDependencies"]


def test_what_is_locked_for_this_kind_of_machine_has_a_hash() -> None:
    packages = json.loads(NPM_LOCK)["packages"]
    ours = ("opencode-ai", "opencode-linux-x64", "opencode-linux-x64-baseline")

    assert all(packages[f"node_modules/{name}"]["integrity"].startswith("sha512-") for name in ours)


def test_the_opencode_that_is_installed_is_the_one_that_is_locked() -> None:
    wanted = json.loads((ROOT / "tools" / "package.json").read_text())["dependencies"]["opencode-ai"]

    assert json.loads(NPM_LOCK)["packages"]["node_modules/opencode-ai"]["version"] == wanted


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert newest is not None
    assert newest[1] == PROJECT["project"]["version"]
