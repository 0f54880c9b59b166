"""A mission on real code: a package as it was released, judged by the test suite it came with."""

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission.report import MissionReport, MissionStatus, Stage
from tests.integration.stacks import PROJECT, SCENARIOS, Stack, git
from tests.unit.real_package import unpack_real_package

CACHE = PROJECT / ".cache"


def python_of_the_package(folder: Path) -> Path:
    """Programs of a Python with pytest that is not the product's own: checks never see that one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    within = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    Path(within, "pytest.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_real_package(tmp_path_factory.mktemp("package"), CACHE)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Checks find their `python3` where the worker's PATH says."""
    home = tmp_path_factory.mktemp("stack")
    running = Stack(home)
    running.environment["PATH"] = f"{python_of_the_package(home / 'python')}:{running.environment['PATH']}"
    running.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    running.up()
    yield running
    running.down()


@pytest.fixture(scope="module")
def report(stack: Stack, package: Path) -> MissionReport:
    return stack.run(package, SCENARIOS / "real-package.yaml")[0]


def test_three_todos_change_a_real_package_and_are_sealed(report: MissionReport) -> None:
    assert report.status is MissionStatus.SEALED
    assert [one.id for one in report.todos] == ["T1", "T2", "T3"]
    assert all(one.merged for one in report.todos)


def test_what_breaks_the_packages_own_suite_is_sent_back(report: MissionReport) -> None:
    broken, mended = next(one for one in report.todos if one.id == "T2").attempts
    assert (broken.stage, mended.stage) == (Stage.RED, Stage.APPROVED)
    assert "test_format.py::TestOutputFormat::test_sql" in broken.checks[0].tail


def test_the_packages_own_suite_is_green_on_the_merged_commit(report: MissionReport, package: Path) -> None:
    merged = git(package, "rev-parse", report.branch)
    suite = next(check for check in report.seal if check.command == "python3 -m pytest -q -p no:cacheprovider")
    assert (suite.commit, suite.exit_code) == (merged, 0)
    assert "472 passed" in suite.tail


def test_the_evidence_tells_the_same_as_the_report(report: MissionReport, package: Path) -> None:
    log = package / ".opencode/missions" / report.mission_id / report.seal[0].log
    assert log.read_text().strip().endswith(report.seal[0].tail.strip().splitlines()[-1])


def test_the_checkout_stays_as_it_was_released(report: MissionReport, package: Path) -> None:
    assert git(package, "status", "--porcelain") == ""
    assert not (package / "sqlparse/fingerprints.py").exists()
