"""The worker process: what it serves, what it says when it cannot begin, what it leaves when it ends."""

import asyncio
import inspect
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import cast, get_type_hints

import pytest
from temporalio.client import Client

import worker
from activities.agent_sessions import OpenCode
from activities.publishing import Publisher
from adapters.processes import ProcessRecord
from runtime.settings import Settings
from tests.integration.stacks import PROJECT, private_environment
from tests.workflows.missions import world

WORKER = [sys.executable, str(PROJECT / "worker.py")]


def environment(home: Path, address: str, **more: str) -> dict[str, str]:
    (home / "user").mkdir(exist_ok=True)
    return {**private_environment(home), "TEMPORAL_ADDRESS": address, **more}


def ended_by_itself(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(WORKER, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.asyncio(loop_scope="session")
async def test_it_serves_every_activity_with_what_the_stand_ins_promise(client: Client, tmp_path: Path) -> None:
    """So workflow tests, which replace the activities by name, speak about the real ones."""
    nothing = cast(OpenCode, None)
    host = worker.host_worker(client, Settings(tmp_path), nothing, Publisher(client))
    served = {activity.__name__: get_type_hints(activity) for activity in host.config()["activities"]}
    replaced = {activity.__name__: get_type_hints(activity) for activity in world().activities}
    assert {name: list(hints.values()) for name, hints in served.items()} == {
        name: list(hints.values()) for name, hints in replaced.items()
    }


@pytest.mark.asyncio(loop_scope="session")
async def test_it_serves_every_workflow(client: Client, tmp_path: Path) -> None:
    served = set(worker.workflow_worker(client, Settings(tmp_path)).config()["workflows"])
    folder = PROJECT / "workflows"
    named = {
        name for file in folder.glob("*.py") for name in re.findall(r"^class (\w+Workflow)", file.read_text(), re.M)
    }
    assert {one.__name__ for one in served if inspect.isclass(one)} == named


def test_without_temporal_it_says_so_and_how_to_get_one(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        done = ended_by_itself(environment(tmp_path, address))
    assert done.returncode == worker.MISSING_PART
    assert f"Error: no Temporal answers at {address}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.asyncio(loop_scope="session")
async def test_an_opencode_that_is_too_old_is_refused_by_name(client: Client, tmp_path: Path) -> None:
    old = tmp_path / "opencode"
    old.write_text("#!/bin/sh\necho 1.2.3\n")
    old.chmod(stat.S_IRWXU)
    env = environment(tmp_path, client.service_client.config.target_host, MISSION_OPENCODE=str(old))
    done = await asyncio.to_thread(ended_by_itself, env)
    assert done.returncode == worker.MISSING_PART
    assert "1.2.3" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_leaves_opencode_to_the_next_worker(
    client: Client, tmp_path: Path, how: signal.Signals
) -> None:
    env = environment(tmp_path, client.service_client.config.target_host, TEMPORAL_NAMESPACE=client.namespace)
    process = await asyncio.create_subprocess_exec(*WORKER, env=env, stderr=asyncio.subprocess.PIPE)
    record = None
    try:
        assert process.stderr is not None
        said = (await asyncio.wait_for(process.stderr.readuntil(b" serving "), 60)).decode()
        process.send_signal(how)
        rest = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
        record = ProcessRecord.read(Settings(tmp_path / "missions").processes / "opencode.json")
        assert await process.wait() == 0
        assert "Traceback" not in said + rest
        assert record is not None
        assert record.alive
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        if record is not None:
            await asyncio.to_thread(record.end)
