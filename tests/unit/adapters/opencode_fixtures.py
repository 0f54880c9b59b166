"""A real OpenCode with a model on loopback whose every answer a test writes down beforehand."""

import asyncio
import inspect
import json
import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.config import server_config
from adapters.opencode.errors import OpenCodeUnreachable
from adapters.opencode.models import PermissionRule
from adapters.opencode.server import OpenCodeServer
from adapters.opencode.turns import Turn, TurnAnswer, message_id_for, part_id_for, session_key_for
from adapters.opencode.turns import take_turn as take_turn_in_session
from adapters.processes import ProcessRecord

REPOSITORY = Path(__file__).parents[3]
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Json = dict[str, Any]

SUMMARY = "summary of what was done"


@dataclass(frozen=True)
class Step:
    """One answer of the model: a text, or one call of a tool."""

    say: str = ""
    call: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    finish: str = ""
    status: int = 200
    tokens: int = 100
    #: The answer waits for it: how a test catches OpenCode in the middle of a turn.
    gate: threading.Event | None = None

    def chunks(self) -> Iterator[Json]:
        if self.call:
            function = {"name": self.call, "arguments": json.dumps(dict(self.arguments))}
            yield {"tool_calls": [{"index": 0, "id": f"call_{id(self)}", "type": "function", "function": function}]}
        else:
            yield {"role": "assistant", "content": self.say}


@dataclass(frozen=True)
class Request:
    session_id: str
    body: Json
    size: int

    @property
    def step(self) -> int:
        """How many tool results came since the last prompt: survives a restart of OpenCode."""
        roles = [message["role"] for message in self.body["messages"]]
        return roles[len(roles) - roles[::-1].index("user") :].count("tool")

    @property
    def tools(self) -> set[str]:
        return {tool["function"]["name"] for tool in self.body.get("tools", [])}


class FakeModel:
    """OpenAI-compatible and streaming; keeps every request it got."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.steps: dict[str, list[Step]] = defaultdict(lambda: [Step(say="done")])
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def provider(self) -> Json:
        model = {"tool_call": True, "limit": {"context": 128_000, "output": 8_000}, "cost": {"input": 1, "output": 2}}
        options = {"baseURL": self.url, "apiKey": "k"}
        return {"fake": {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"m1": model}}}

    def asked(self, session_id: str) -> list[Request]:
        return [request for request in self.requests if request.session_id == session_id]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Step:
        self.requests.append(request)
        if not request.tools:
            return Step(say=SUMMARY)  # a compaction: the only request without tools
        steps = self.steps[request.session_id]
        if SUMMARY in json.dumps(request.body["messages"]):
            return steps[-1]
        return steps[min(request.step, len(steps) - 1)]

    def _handler(model) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                body = json.loads(raw)
                step = model.answer(Request(self.headers.get("x-session-id", ""), body, len(raw)))
                if step.gate is not None:
                    step.gate.wait(60)
                with suppress(OSError):  # the client was killed or has hung up: what the test wanted
                    self._send(step)

            def _send(self, step: Step) -> None:
                self.send_response(step.status)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                if step.status != 200:
                    self.wfile.write(json.dumps({"error": {"message": f"scripted {step.status}"}}).encode())
                    return
                finish = step.finish or ("tool_calls" if step.call else "stop")
                for delta in step.chunks():
                    self._event({"index": 0, "delta": delta, "finish_reason": None})
                self._event({"index": 0, "delta": {}, "finish_reason": finish}, step.tokens)
                self.wfile.write(b"data: [DONE]\n\n")

            def _event(self, choice: Json, tokens: int = 0) -> None:
                event: Json = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
                if tokens:
                    event["usage"] = {
                        "prompt_tokens": tokens,
                        "completion_tokens": 10,
                        "total_tokens": tokens + 10,
                    }
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


@contextmanager
def fake_model() -> Iterator[FakeModel]:
    model = FakeModel()
    try:
        yield model
    finally:
        model.close()


@dataclass(frozen=True)
class Place:
    """A home for OpenCode that shares nothing with the user's, and a project with git."""

    root: Path
    model: FakeModel

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def home(self) -> Path:
        return self.root / "opencode"

    @property
    def record(self) -> Path:
        return self.root / "server.json"  # not opencode.json: OpenCode would take it for a configuration and edit it

    def environment(self) -> dict[str, str]:
        home = self.root / "user"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
        }

    def server(self, **changes: object) -> OpenCodeServer:
        options = {
            "home": self.home,
            "record": self.record,
            "log": self.root / "opencode.log",
            "config": server_config(providers=self.model.provider),
            "project": REPOSITORY,
            "environment": self.environment(),
        }
        return OpenCodeServer(**(options | changes))  # type: ignore[arg-type]

    def turn(self, name: str, *steps: Step, number: int = 1, **changes: object) -> Turn:
        """The turn `number` of the session `name`; the model will answer with these steps."""
        session = session_key_for(str(self.root), name)
        if steps:
            self.model.steps[session] = list(steps)
        turn = Turn(
            session_id=session,
            message_id=message_id_for(MOMENT, session, str(number)),
            part_id=part_id_for(MOMENT, session, str(number)),
            directory=str(self.project),
            title=name,
            agent="mission-worker",
            text="Do it.",
            time_limit=timedelta(seconds=60),
            model="fake/m1",
        )
        return replace(turn, **changes)  # type: ignore[arg-type]


async def take_turn(client: OpenCodeClient, turn: Turn, permission: Sequence[PermissionRule] = ()) -> TurnAnswer:
    """In a session whose id the test knows beforehand, made the slow way that takes an own id."""
    async with httpx.AsyncClient(base_url=client.base_url, auth=client.auth, timeout=15, trust_env=False) as http:
        location = {"directory": turn.directory}
        try:
            await http.post("/api/session", json={"id": turn.session_id, "location": location})
            await http.patch(f"/session/{turn.session_id}", json={"title": turn.title})
            if permission:
                rules = [rule.model_dump() for rule in permission]
                await http.patch(f"/session/{turn.session_id}", json={"permission": rules})
        except httpx.TransportError as error:
            raise OpenCodeUnreachable(str(error)) from error
    return await take_turn_in_session(client, turn)


@contextmanager
def place(root: Path) -> Iterator[Place]:
    with fake_model() as model:
        here = Place(root, model)
        here.project.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", here.project], check=True)
        yield here


@contextmanager
def running(root: Path) -> Iterator[tuple[Place, str, str]]:
    """A place whose OpenCode runs, with its address and password: clients belong to each test's own loop."""
    with place(root) as here:
        server = here.server()
        asyncio.run(_start(server))
        record = ProcessRecord.read(here.record)
        assert record is not None
        try:
            yield here, str(record.facts["url"]), str(record.facts["password"])
        finally:
            asyncio.run(here.server().stop())


async def _start(server: OpenCodeServer) -> None:
    await server.start()
    await server.aclose()


async def until(condition: Callable[[], object], within: float = 20.0) -> None:
    """Waits for a condition; the message of a failure shows it."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, inspect.getsource(condition)
        await asyncio.sleep(0.02)
