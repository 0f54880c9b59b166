"""A host a test, and one real OpenCode with a scripted model a module."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from activities.agent_server import our_server
from activities.agent_sessions import AgentSessions
from adapters.opencode.server import OpenCodeServer
from adapters.opencode.sessions import SessionBook
from adapters.scripted_model.scenario import Scenario, save_scenario
from adapters.scripted_model.server import listening
from adapters.scripted_model.stage import ScenarioFolder
from runtime.settings import Settings
from tests.activities.hosts import Host
from tests.integration.stacks import private_environment, turns


@pytest.fixture(scope="module", autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the person who runs the tests is read or changed."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in private_environment(home).items():
            patch.setenv(name, value)
        (home / "user").mkdir()
        yield


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@dataclass(frozen=True)
class Agents:
    """OpenCode and the model behind it; a test writes down what the model does in its mission."""

    settings: Settings
    server: OpenCodeServer
    log: Path

    @property
    def sessions(self) -> AgentSessions:
        return AgentSessions(self.server, SessionBook(self.settings.opencode_home / "sessions"))

    def play(self, host: Host, **scenario: Any) -> None:
        log = self.log_of(host)
        save_scenario(self.settings.scenarios, host.mission.mission_id, Scenario.model_validate(scenario), log)

    def log_of(self, host: Host) -> Path:
        return host.home / "model.jsonl"

    def asked(self, host: Host) -> list[object]:
        """Which steps of its turns the model was asked for, in order."""
        return [turn[-1] for turn in turns(self.log_of(host))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agents(private_home: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agents]:
    home = tmp_path_factory.mktemp("agents")
    stage = ScenarioFolder(home / "scenarios")
    async with listening(stage) as url:
        settings = Settings(home, model_url=url)
        server = our_server(settings)
        await server.start()
        yield Agents(settings, server, home / "model.jsonl")
        await server.stop()
