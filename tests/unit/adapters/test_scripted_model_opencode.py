"""The scripted model must speak so that the real OpenCode does what a scenario says."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from adapters.scripted_model.header import render_header
from adapters.scripted_model.scenario import Scenario
from adapters.scripted_model.server import listening
from adapters.scripted_model.stage import OneScenario

PROJECT = Path(__file__).parents[3]
INSTALLED = PROJECT / "tools/node_modules/.bin/opencode"
OPENCODE = str(INSTALLED) if INSTALLED.exists() else shutil.which("opencode")

SCENARIO = {
    "work": {
        "T1": [
            [
                {"write": {"path": "a/one.txt", "content": "one\n"}},
                {"read": "a/one.txt"},
                {"edit": {"path": "a/one.txt", "old": "one", "new": "two"}},
                {"bash": "cat a/one.txt > copy.txt"},
                {"say": {"summary": "wrote two files"}},
            ]
        ]
    },
    "faults": [
        {"kind": "malformed_json", "index": 0},
        {"kind": "context_overflow", "index": 1},
        {"kind": "unknown_tool", "index": 2},
    ],
}


@asynccontextmanager
async def opencode(model_url: str, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    model = {"tool_call": True, "limit": {"context": 128_000, "output": 8_000}}
    options = {"baseURL": model_url, "apiKey": "none"}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"model": model}}
    config = {"provider": {"scripted": provider}, "model": "scripted/model", "snapshot": False, "lsp": False}
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "OPENCODE_CONFIG_CONTENT": json.dumps(config)}
    environment |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "STATE", "CACHE")}
    environment |= {f"OPENCODE_DISABLE_{what}": "1" for what in ("MODELS_FETCH", "AUTOUPDATE", "LSP_DOWNLOAD")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(OPENCODE), "serve", "--port", str(port), "--hostname", "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            await healthy(client)
            yield client
    finally:
        process.kill()
        await process.wait()


async def healthy(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await client.get("/global/health", timeout=1)).is_success:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)


async def test_the_real_opencode_does_the_work_of_a_turn_whatever_the_model_breaks(tmp_path: Path) -> None:
    home, project, log = tmp_path / "home", tmp_path / "project", tmp_path / "log"
    home.mkdir()
    project.mkdir()
    header = render_header(mission="m1", role="worker", todo="T1", attempt=1, step="work")
    stage = OneScenario(Scenario.model_validate(SCENARIO), log)
    async with listening(stage) as model_url, opencode(model_url, home) as client:
        where = {"directory": str(project)}
        session = (await client.post("/session", params=where, json={"title": "T1"})).json()["id"]
        parts = [{"type": "text", "text": f"{header}\nWrite two files."}]
        answer = (await client.post(f"/session/{session}/message", json={"parts": parts})).json()
    assert [part["text"] for part in answer["parts"] if part["type"] == "text"] == ['{"summary": "wrote two files"}']
    assert [(project / file).read_text() for file in ("a/one.txt", "copy.txt")] == ["two\n", "two\n"]
    requests = [json.loads(line) for line in log.read_text().splitlines()]
    assert [request["index"] for request in requests if request["status"] == 200 and not request["fault"]] == [
        *(0, 1, 1, 2, 3, 4)  # the second one is the compaction
    ]
    assert {request["session"] for request in requests} == {session}
