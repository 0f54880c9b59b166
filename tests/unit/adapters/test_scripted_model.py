import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.scripted_model.header import Role, Step, TurnHeader
from adapters.scripted_model.scenario import Scenario, save_scenario
from adapters.scripted_model.server import listening
from adapters.scripted_model.stage import OneScenario, ScenarioFolder, Stage

WORK = {"T1": [[{"write": {"path": "f.txt", "content": "one\n"}}, {"say": {"summary": "wrote f.txt"}}]]}
CALLED = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "write", "arguments": "{}"}}]}


def prompt(
    role: Role = "worker", todo: str = "T1", attempt: int = 1, step: Step = "work", mission: str = "m1"
) -> dict[str, Any]:
    return {"role": "user", "content": f"{TurnHeader(mission, role, todo, attempt, step)}\nPlease."}


def asked(*messages: dict[str, Any], stream: bool = True) -> dict[str, Any]:
    return {"model": "model", "stream": stream, "messages": list(messages)}


class Said:
    """What a client understood of a streamed answer."""

    def __init__(self, events: list[str]) -> None:
        self.ended = bool(events) and events[-1] == "[DONE]"
        chunks = [json.loads(event) for event in events if event != "[DONE]"]
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        calls = [call["function"] for choice in choices for call in choice["delta"].get("tool_calls", [])]
        self.text = "".join(choice["delta"].get("content") or "" for choice in choices)
        self.tool = next((call["name"] for call in calls if "name" in call), None)
        self.arguments = "".join(call["arguments"] for call in calls)
        self.finish = next((choice["finish_reason"] for choice in choices if choice["finish_reason"]), None)
        self.usage = next((chunk["usage"] for chunk in chunks if "usage" in chunk), None)


@asynccontextmanager
async def model(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        listening(stage) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
    ):
        yield client


@asynccontextmanager
async def playing(log: Path | None = None, **scenario: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with model(OneScenario(Scenario.model_validate(scenario), log)) as client:
        yield client


async def said(client: httpx.AsyncClient, *messages: dict[str, Any]) -> Said:
    async with client.stream("POST", "/chat/completions", json=asked(*messages)) as response:
        assert response.status_code == 200
        return Said([line[6:] async for line in response.aiter_lines() if line])


def logged(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  (a file that the server writes: nothing to wait on)
            await asyncio.sleep(0.01)


async def test_a_worker_turn_calls_its_tools_and_then_answers() -> None:
    async with playing(work=WORK) as client:
        first = await said(client, prompt())
        second = await said(client, prompt(), CALLED)
    assert (first.tool, first.finish, first.ended) == ("write", "tool_calls", True)
    assert json.loads(first.arguments) == {"filePath": "f.txt", "content": "one\n"}
    assert (json.loads(second.text), second.finish) == ({"summary": "wrote f.txt"}, "stop")


async def test_a_client_that_does_not_stream_gets_one_object() -> None:
    async with playing(work=WORK) as client:
        answer = (await client.post("/chat/completions", json=asked(prompt(), stream=False))).json()
    call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    assert (call["name"], answer["choices"][0]["finish_reason"]) == ("write", "tool_calls")


async def test_usage_is_a_quarter_of_the_bytes() -> None:
    async with playing(work=WORK) as client:
        body = json.dumps(asked(prompt(), CALLED)).encode()
        answer = await client.post("/chat/completions", content=body)
    usage = Said([line[6:] for line in answer.text.splitlines() if line]).usage
    assert usage is not None
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (
        len(body) // 4,
        len('{"summary": "wrote f.txt"}') // 4,
    )


async def test_broken_and_interrupted_calls_are_made_again() -> None:
    broken = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "invalid"}}]}
    cut = {"role": "tool", "tool_call_id": "c1", "content": "[Tool execution was interrupted]"}
    async with playing(work=WORK) as client:
        assert (await said(client, prompt(), broken)).tool == "write"
        assert (await said(client, prompt(), CALLED, cut)).tool == "write"


async def test_the_last_prompt_with_a_header_is_the_one_that_is_answered() -> None:
    async with playing(work=WORK, review={"T1": [{"approved": False}]}) as client:
        review = prompt("reviewer", step="review")
        assert (await said(client, prompt(), CALLED, review)).text == '{"approved": false}'


async def test_a_compaction_keeps_what_the_turn_needs_to_go_on() -> None:
    transcript = f"[User]: {prompt()['content']}\n\n[Assistant tool call]: write({{}})\n[Tool result]: ok"
    order = {"role": "user", "content": f"<conversation>\n{transcript}\n</conversation>\nCreate a new summary"}
    async with playing(work=WORK) as client:
        summary = (await said(client, order)).text
        went_on = await said(client, {"role": "assistant", "content": summary}, {"role": "user", "content": "Continue"})
    assert went_on.text == '{"summary": "wrote f.txt"}'


async def test_a_title_and_small_talk_are_answered_shortly() -> None:
    async with playing(work=WORK) as client:
        title = await said(client, {"role": "system", "content": "You are a title generator."}, prompt())
        talk = await said(client, {"role": "user", "content": "hello"})
    assert (title.text, "scripted model" in talk.text) == ("A scripted mission", True)


async def test_latency_is_how_long_a_reply_takes() -> None:
    async with playing(latency={"worker": 0.3}) as client:
        began = time.monotonic()
        await said(client, prompt())
        assert 0.3 <= time.monotonic() - began < 2


async def test_every_request_is_one_line_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "model.log"
    async with playing(log, work=WORK) as client:
        body = json.dumps(asked(prompt(attempt=2, step="rework"))).encode()
        await client.post("/chat/completions", content=body, headers={"x-session-id": "ses_1"})
        await client.post("/chat/completions", content=b"no JSON")
    entry, refused = logged(log)
    wanted = {"session": "ses_1", "mission": "m1", "role": "worker", "todo": "T1", "attempt": 2, "step": "rework"}
    wanted |= {"index": 0, "bytes": len(body), "tools": 0, "model": "model", "fault": None, "status": 200}
    assert {name: entry[name] for name in wanted} == wanted
    assert refused["status"] == 400


async def test_a_request_whose_client_leaves_is_logged_as_cut(tmp_path: Path) -> None:
    log = tmp_path / "model.log"
    async with playing(log, faults=[{"kind": "hang"}]) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/chat/completions", json=asked(prompt()), timeout=0.1)
        await until(lambda: logged(log))
    assert [(entry["status"], entry["fault"]) for entry in logged(log)] == [("cut", "hang")]


@pytest.mark.parametrize(
    ("kind", "status", "code", "wait"),
    [
        ("rate_limit", 429, "rate_limit_exceeded", None),
        ("quota", 429, "insufficient_quota", "18000"),
        ("server_error", 500, "server_error", None),
        ("unauthorized", 401, "invalid_api_key", None),
        ("unknown_model", 404, "model_not_found", None),
        ("context_overflow", 400, "context_length_exceeded", None),
    ],
)
async def test_a_refusal_looks_like_a_providers_and_happens_once(
    kind: str, status: int, code: str, wait: str | None
) -> None:
    async with playing(faults=[{"kind": kind}]) as client:
        answer = await client.post("/chat/completions", json=asked(prompt()))
        again = await client.post("/chat/completions", json=asked(prompt()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (answer.headers.get("retry-after"), again.status_code) == (wait, 200)


async def test_a_rate_limit_says_when_to_come_back() -> None:
    async with playing(faults=[{"kind": "rate_limit", "retry_after": 1}]) as client:
        answer = await client.post("/chat/completions", json=asked(prompt()))
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("kind", "tool", "finish", "text"),
    [
        ("unknown_tool", "teleport", "tool_calls", ""),
        ("content_filter", None, "content_filter", ""),
        ("length", None, "length", '{"filePath": "f.txt'),
        ("empty", None, "stop", ""),
        ("false_done", None, "stop", '{"summary": "wrote f.txt"}'),
        ("wrong_work", "bash", "tool_calls", ""),
    ],
)
async def test_a_spoiled_step_comes_instead_of_the_due_one(kind: str, tool: str | None, finish: str, text: str) -> None:
    async with playing(work=WORK, faults=[{"kind": kind}]) as client:
        spoiled = await said(client, prompt())
        healed = await said(client, prompt())
    assert (spoiled.tool, spoiled.finish) == (tool, finish)
    assert spoiled.text.startswith(text)
    assert healed.tool == "write"


async def test_malformed_json_breaks_the_arguments_or_the_answer() -> None:
    async with playing(work=WORK, faults=[{"kind": "malformed_json", "times": 2}]) as client:
        for broken in ((await said(client, prompt())).arguments, (await said(client, prompt(), CALLED)).text):
            with pytest.raises(json.JSONDecodeError):
                json.loads(broken)


async def test_an_invalid_answer_is_json_of_another_shape() -> None:
    async with playing(faults=[{"kind": "invalid_answer"}]) as client:
        answer = json.loads((await said(client, prompt("reviewer", step="review"))).text)
    assert "approved" not in answer


@pytest.mark.parametrize("stream", [True, False])
async def test_a_dropped_answer_breaks_off_in_the_middle(stream: bool, tmp_path: Path) -> None:
    log = tmp_path / "model.log"
    async with playing(log, work=WORK, faults=[{"kind": "drop"}]) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/chat/completions", json=asked(prompt(), stream=stream))
        assert (await said(client, prompt())).tool == "write"
    assert [entry["status"] for entry in logged(log)] == ["cut", 200]


@pytest.mark.parametrize("after", [None, "first_byte"])
async def test_a_hang_is_silent_before_or_after_the_first_byte(after: str | None) -> None:
    async with playing(faults=[{"kind": "hang", "seconds": 0.7, "after": after}]) as client:
        began = time.monotonic()
        async with client.stream("POST", "/chat/completions", json=asked(prompt())) as response:
            first_byte = time.monotonic() - began
            events = [line[6:] async for line in response.aiter_lines() if line]
    assert (first_byte < 0.6) == (after == "first_byte")
    assert (time.monotonic() - began >= 0.7, Said(events).ended) == (True, True)


async def test_a_slow_answer_takes_its_time() -> None:
    async with playing(faults=[{"kind": "slow", "seconds": 0.3}]) as client:
        began = time.monotonic()
        assert (await said(client, prompt())).ended
        assert time.monotonic() - began >= 0.3


async def test_each_mission_plays_the_file_of_its_name_and_others_the_default(tmp_path: Path) -> None:
    for name in ("m1", "default"):
        log = tmp_path / f"{name}.log"
        save_scenario(tmp_path, name, Scenario.model_validate({"work": {"T1": [[{"say": name}]]}}), log)
    async with model(ScenarioFolder(tmp_path)) as client:
        assert (await said(client, prompt(mission="m1"))).text == "m1"
        assert (await said(client, prompt(mission="m2"))).text == "default"
    assert [len(logged(tmp_path / log)) for log in ("m1.log", "default.log")] == [1, 1]


async def test_a_changed_scenario_counts_from_the_next_request_on(tmp_path: Path) -> None:
    async with model(ScenarioFolder(tmp_path)) as client:
        for text in ("old", "new"):
            save_scenario(tmp_path, "m1", Scenario.model_validate({"work": {"T1": [[{"say": text}]]}}))
            assert (await said(client, prompt())).text == text


@pytest.mark.parametrize("mission", ["unknown", "../secret"])
async def test_a_mission_without_a_scenario_is_refused_by_name(mission: str, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"scenario": {}}')
    async with model(ScenarioFolder(tmp_path / "scenarios", tmp_path / "log")) as client:
        answer = await client.post("/chat/completions", json=asked(prompt(mission=mission)))
    assert answer.status_code == 400
    assert f"no scenario for mission {mission!r}" in answer.json()["error"]["message"]
    assert logged(tmp_path / "log")[0]["status"] == 400


async def test_who_does_not_speak_http_is_hung_up_on() -> None:
    async with playing() as client:
        url = client.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"hello\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert (await client.get("/models")).is_success


async def test_health_models_and_unknown_paths_are_answered() -> None:
    async with playing() as client:
        root = str(client.base_url).removesuffix("v1/")
        assert (await client.get(f"{root}health")).json() == {"healthy": True}
        assert (await client.get("/models")).json()["data"][0]["id"] == "model"
        assert (await client.get("/nothing")).status_code == 404
