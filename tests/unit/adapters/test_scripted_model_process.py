import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

PROJECT = Path(__file__).parents[3]
PROMPT = '<turn mission="m1" role="worker" todo="T1" attempt="1" step="work"/>'
ASKED = {"model": "model", "stream": True, "messages": [{"role": "user", "content": PROMPT}]}


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "adapters.scripted_model", *arguments]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, re.sub(r"^scripted model: |\n", "", process.stdout.readline())
        finally:
            process.kill()


def refused(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "adapters.scripted_model", *arguments]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


def test_sigterm_ends_it_at_once_and_what_was_open_is_logged_as_cut(tmp_path: Path) -> None:
    scenario, log = tmp_path / "s.yaml", tmp_path / "log"
    scenario.write_text("faults: [{kind: hang, after: first_byte}]")
    with (
        started("--scenario", str(scenario), "--log", str(log)) as (process, url),
        httpx.stream("POST", f"{url}/chat/completions", json=ASKED, trust_env=False),
    ):
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == ["cut"]


async def test_a_hundred_answers_at_once_stay_small_and_on_time(tmp_path: Path) -> None:
    scenario, log = tmp_path / "s.yaml", tmp_path / "log"
    scenario.write_text("latency: {worker: 1}")
    with started("--scenario", str(scenario), "--log", str(log)) as (process, url):
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(trust_env=False, timeout=20, limits=limits) as client:
            asked = [client.post(f"{url}/chat/completions", json=ASKED) for _ in range(100)]
            answers = await asyncio.gather(*asked)
        megabytes = psutil.Process(process.pid).memory_info().rss / 1e6
    assert {answer.text.endswith("data: [DONE]\n\n") for answer in answers} == {True}
    assert max(json.loads(line)["seconds"] for line in log.read_text().splitlines()) < 3
    assert megabytes < 60


def test_a_broken_scenario_is_told_with_its_line_and_no_traceback(tmp_path: Path) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text("name: x\nplann: []\n")
    problem = f"{scenario}:2: unknown key 'plann', did you mean 'plan'?\n"
    assert refused("--scenario", str(scenario)) == (2, problem)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with started("--scenarios", str(tmp_path)) as (_, url):
        port = url.removesuffix("/v1").rpartition(":")[2]
        code, problem = refused("--scenarios", str(tmp_path), "--port", port)
    assert (code, f"cannot listen on 127.0.0.1:{port}" in problem) == (1, True)


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with started("--scenarios", str(tmp_path)) as (process, _):
        listening = psutil.Process(process.pid).net_connections(kind="inet")
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
