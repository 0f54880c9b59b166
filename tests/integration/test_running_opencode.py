"""A mission on an OpenCode that somebody else started: their configuration, their password, none of our agents."""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mission.report import MissionStatus
from tests.integration.stacks import MISSION, PROJECT, SCENARIOS, Stack, requests

OPENCODE = PROJECT / "tools/node_modules/.bin/opencode"


@contextmanager
def process(*command: str | Path, environment: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        command, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(3)
        except subprocess.TimeoutExpired:
            os.kill(started.pid, signal.SIGKILL)
            started.wait(3)
        assert started.stdout
        started.stdout.close()


@pytest.fixture
def home(tmp_path: Path) -> Stack:
    return Stack(tmp_path / "stack")


@pytest.fixture
def model(home: Stack, tmp_path: Path) -> Iterator[str]:
    """`mission model` alone; its address."""
    command: list[str | Path] = [
        MISSION,
        "model",
        "--scenario",
        SCENARIOS / "six-files.yaml",
        "--log",
        tmp_path / "model.jsonl",
    ]
    with process(*command, environment=home.environment, cwd=tmp_path) as started:
        assert started.stdout
        said = started.stdout.readline()
        yield "http" + said.rpartition("http")[2].split()[0]


@pytest.fixture
def opencode(home: Stack, model: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and password."""
    entry = {"tool_call": True, "limit": {"context": 128_000, "output": 8_000}}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": model, "apiKey": "k"},
        "models": {"m": entry},
    }
    password = secrets.token_hex(8)
    config = json.dumps({"provider": {"theirs": provider}, "model": "theirs/m", "agent": {"title": {"disable": True}}})
    environment = {**home.environment, "OPENCODE_CONFIG_CONTENT": config, "OPENCODE_SERVER_PASSWORD": password}
    with process(OPENCODE, "serve", "--port", "0", environment=environment, cwd=tmp_path) as started:
        assert started.stdout
        address = next(line for line in started.stdout if "listening on" in line).split()[-1]
        yield address, password


def test_a_mission_runs_on_an_opencode_that_is_there_already(
    home: Stack, opencode: tuple[str, str], project: Path, tmp_path: Path
) -> None:
    address, password = opencode
    home.environment["MISSION_OPENCODE_PASSWORD"] = password
    home.mission("run", "Six files", "--dir", project, "--model", "theirs/m", "--opencode-url", address)
    (folder,) = (project / ".opencode/missions").iterdir()
    report = home.report(folder.name)
    home.down()
    assert report.status is MissionStatus.SEALED
    tools = {request["role"]: request["tools"] for request in requests(tmp_path / "model.jsonl")}
    assert tools == {"planner": 3, "worker": 6, "reviewer": 3}
    assert httpx.get(f"{address}/global/health", auth=("opencode", password), timeout=5).is_success  # still theirs


def test_a_wrong_password_is_said_so(home: Stack, opencode: tuple[str, str], project: Path) -> None:
    home.environment["MISSION_OPENCODE_PASSWORD"] = "wrong"
    began = time.monotonic()
    refused = home.mission("run", "x", "--dir", project, "--opencode-url", opencode[0], check=5)
    assert "password" in refused.stderr
    assert time.monotonic() - began < 60
