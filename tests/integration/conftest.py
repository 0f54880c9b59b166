from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stacks import Stack, repository


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack a test process: its OpenCode takes seconds to start and serves any number of missions."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    running.up()
    yield running
    running.down()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path / "project")
