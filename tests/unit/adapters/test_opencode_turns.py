"""Turns on a real OpenCode, whose model writes down every request: what is paid, and what never is paid twice."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.opencode.client import NewSession, OpenCodeClient
from adapters.opencode.config import only
from adapters.opencode.errors import ModelFailed, OpenCodeRejected, TurnAborted, TurnSuperseded, TurnTimedOut
from adapters.opencode.sessions import SessionBook
from adapters.opencode.turns import TurnState, find_turn
from adapters.opencode.turns import take_turn as take_turn_in_session
from tests.unit.adapters.opencode_fixtures import Place, Step, running, take_turn, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, str, str]]:
    with running(tmp_path_factory.mktemp("opencode")) as server:
        yield server


@pytest.fixture
def place(server: tuple[Place, str, str]) -> Place:
    return server[0]


@pytest.fixture
async def client(server: tuple[Place, str, str]) -> AsyncIterator[OpenCodeClient]:
    client = OpenCodeClient(server[1], server[2])
    yield client
    await client.aclose()


def write(file: str) -> Step:
    return Step(call="bash", arguments={"command": f"echo once >> {file}", "description": "writes"})


async def test_the_same_turn_twice_runs_the_model_once(client: OpenCodeClient, place: Place) -> None:
    turn = place.turn("twice", Step(say="hello"))
    first, second = await take_turn(client, turn), await take_turn(client, turn)
    assert (first.text, first.finish, first.model, first.resumed) == ("hello", "stop", "fake/m1", False)
    assert (second.text, second.state_found, second.resumed) == ("hello", TurnState.DONE, True)
    assert len(place.model.asked(turn.session_id)) == 1


async def test_tokens_and_cost_are_of_all_steps(client: OpenCodeClient, place: Place) -> None:
    answer = await take_turn(client, place.turn("sums", write("sums.txt"), Step(say="done")))
    assert (answer.input_tokens, answer.output_tokens) == (200, 20)
    assert answer.cost == pytest.approx((200 * 1 + 20 * 2) / 1e6)


async def test_two_callers_of_a_running_turn_get_one_run(client: OpenCodeClient, place: Place) -> None:
    gate = threading.Event()
    turn = place.turn("joined", Step(say="both", gate=gate))
    first = asyncio.create_task(take_turn(client, turn))
    await until(lambda: place.model.asked(turn.session_id))
    second = asyncio.create_task(take_turn(client, turn))
    asyncio.get_running_loop().call_later(0.3, gate.set)
    one, two = await asyncio.gather(first, second)
    assert (one.text, two.text, two.state_found) == ("both", "both", TurnState.RUNNING)
    assert len(place.model.asked(turn.session_id)) == 1


async def test_a_cancelled_call_leaves_the_turn_to_the_next_one(client: OpenCodeClient, place: Place) -> None:
    gate = threading.Event()
    turn = place.turn("left", Step(say="later", gate=gate))
    call = asyncio.create_task(take_turn(client, turn))
    await until(lambda: place.model.asked(turn.session_id))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await client.status(turn.session_id, turn.directory) is not None
    gate.set()
    assert (await take_turn(client, turn)).text == "later"
    assert len(place.model.asked(turn.session_id)) == 1


async def test_a_turn_over_its_limit_is_aborted_before_it_is_given_up(client: OpenCodeClient, place: Place) -> None:
    sleep = Step(call="bash", arguments={"command": "sleep 30", "description": "sleeps"})
    turn = place.turn("slow", sleep, time_limit=timedelta(seconds=1))
    with pytest.raises(TurnTimedOut, match="slow: no answer within 0:00:01"):
        await take_turn(client, turn)
    assert await client.status(turn.session_id, turn.directory) is None
    with pytest.raises(TurnAborted):
        await take_turn(client, turn)
    assert len(place.model.asked(turn.session_id)) == 1


async def test_an_old_turn_without_an_answer_is_not_brought_up_again(client: OpenCodeClient, place: Place) -> None:
    place.turn("old", Step(status=400))
    old, new = place.turn("old"), place.turn("old", number=2)
    with pytest.raises(ModelFailed):
        await take_turn(client, old)
    place.turn("old", Step(say="newer"))
    assert (await take_turn(client, new)).text == "newer"
    with pytest.raises(TurnSuperseded):
        await take_turn(client, old)
    assert len(place.model.asked(old.session_id)) == 2


async def test_an_old_turn_with_an_answer_still_costs_nothing(client: OpenCodeClient, place: Place) -> None:
    place.turn("kept", Step(say="first"))
    await take_turn(client, place.turn("kept"))
    place.turn("kept", Step(say="second"))
    await take_turn(client, place.turn("kept", number=2))
    assert (await take_turn(client, place.turn("kept"))).text == "first"
    assert len(place.model.asked(place.turn("kept").session_id)) == 2


async def test_a_failure_of_the_model_says_what_the_provider_said(client: OpenCodeClient, place: Place) -> None:
    turn = place.turn("refused", Step(status=401))
    with pytest.raises(ModelFailed, match="APIError: scripted 401") as caught:
        await take_turn(client, turn)
    assert (caught.value.status_code, caught.value.retryable) == (401, False)
    place.turn("refused", Step(say="now"))
    assert (await take_turn(client, turn)).state_found is TurnState.FAILED


@pytest.mark.parametrize(("finish", "told"), [("length", "length"), ("content_filter", "content-filter")])
async def test_a_cut_answer_is_an_answer_that_says_so(
    client: OpenCodeClient, place: Place, finish: str, told: str
) -> None:
    answer = await take_turn(client, place.turn(finish, Step(say="half", finish=finish)))
    assert (answer.text, answer.finish) == ("half", told)


async def test_an_empty_answer_is_empty(client: OpenCodeClient, place: Place) -> None:
    assert (await take_turn(client, place.turn("empty", Step(say="")))).text == ""


async def test_a_compaction_in_the_middle_does_not_hide_the_answer(client: OpenCodeClient, place: Place) -> None:
    full = Step(call="bash", arguments={"command": "true", "description": "fills"}, tokens=125_000)
    turn = place.turn("full", full, Step(say="after it"))
    first, second = await take_turn(client, turn), await take_turn(client, turn)
    assert (first.text, second.text, second.state_found) == ("after it", "after it", TurnState.DONE)
    assert first.input_tokens == 125_000 + 100 + 100
    assert len(place.model.asked(turn.session_id)) == 3


async def test_find_turn_tells_without_running(client: OpenCodeClient, place: Place) -> None:
    turn = place.turn("found", Step(say="x"))
    key = (turn.session_id, turn.message_id, turn.directory)
    assert await find_turn(client, *key) is TurnState.ABSENT
    await take_turn(client, turn)
    assert await find_turn(client, *key) is TurnState.DONE


async def test_a_session_is_opened_once_and_has_its_rules(client: OpenCodeClient, place: Place, tmp_path: Path) -> None:
    book, new = SessionBook(tmp_path / "book"), NewSession(str(place.project), "once", only("read"))
    first, again = await book.open(client, "key", new), await book.open(client, "key", new)
    assert (first.fresh, again.fresh, again.id) == (True, False, first.id)
    session = await client.session(first.id)
    assert (session.title, session.permission) == ("once", only("read"))


async def test_a_fresh_session_takes_its_turn_without_looking(
    client: OpenCodeClient, place: Place, tmp_path: Path
) -> None:
    new = NewSession(str(place.project), "fresh", only("read", "bash"))
    opened = await SessionBook(tmp_path).open(client, "key", new)
    turn = place.turn("fresh", session_id=opened.id, fresh=True)
    assert (await take_turn_in_session(client, turn)).text == "done"
    (request,) = place.model.asked(opened.id)
    assert request.tools == {"read", "bash"}


async def test_a_session_that_is_gone_can_be_opened_anew(client: OpenCodeClient, place: Place, tmp_path: Path) -> None:
    book, new = SessionBook(tmp_path), NewSession(str(place.project), "gone")
    first = await book.open(client, "key", new)
    book.forget("key")
    assert (await book.open(client, "key", new)).id != first.id


@pytest.mark.parametrize(
    ("agent", "size", "tools"),
    [
        ("mission-worker", 13_000, {"read", "edit", "write", "grep", "glob", "bash"}),
        ("mission-reviewer", 4_800, {"read", "grep", "glob"}),
        ("mission-planner", 4_800, {"read", "grep", "glob"}),
    ],
)
async def test_a_request_carries_the_tools_of_its_role_and_little_else(
    client: OpenCodeClient, place: Place, agent: str, size: int, tools: set[str]
) -> None:
    turn = place.turn(agent, Step(say="x"), agent=agent, system="THE ROLE")
    await take_turn(client, turn)
    (request,) = place.model.asked(turn.session_id)
    assert request.tools == tools
    assert request.size < size
    assert "THE ROLE" in request.body["messages"][0]["content"]


async def test_agents_commands_do_not_see_the_password(
    client: OpenCodeClient, place: Place, server: tuple[Place, str, str]
) -> None:
    look = Step(call="bash", arguments={"command": "env; echo end", "description": "looks"})
    turn = place.turn("env", look, Step(say="x"))
    await take_turn(client, turn)
    seen = str(place.model.asked(turn.session_id)[1].body["messages"][-1])
    assert "end" in seen
    assert server[2] not in seen
    assert "OPENCODE_CONFIG_CONTENT" not in seen
    assert "OPENCODE_SERVER" not in seen


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "fake/m2"}, "provider 'fake' has no model 'm2'; did you mean 'm1'"),
        ({"model": "fakes/m1"}, "knows no provider 'fakes' .* did you mean 'fake'?"),
        ({"model": "anthropic/claude"}, "has no credentials: run `opencode auth login` or set ANTHROPIC_API_KEY"),
        ({"agent": "mission-poet"}, "has no agent 'mission-poet'"),
    ],
)
async def test_what_opencode_does_not_have_is_named(
    client: OpenCodeClient, place: Place, change: dict[str, str], said: str
) -> None:
    with pytest.raises(OpenCodeRejected, match=said):
        await take_turn(client, place.turn(str(change), **change))  # type: ignore[arg-type]


async def test_aborting_what_does_not_run_is_fine(client: OpenCodeClient, place: Place) -> None:
    await client.abort("ses_never", str(place.project))
    await client.delete_session("ses_never")


async def test_a_question_can_be_seen_and_answered(client: OpenCodeClient, place: Place) -> None:
    ask = only("read")[0].model_copy(update={"permission": "bash", "action": "ask"})
    turn = place.turn("asks", write("asked.txt"), Step(say="asked"))
    call = asyncio.create_task(take_turn(client, turn, permission=(ask,)))
    await until(lambda: place.model.asked(turn.session_id))
    while not (waiting := await client.permissions(turn.directory)):  # noqa: ASYNC110 (it is remote)
        await asyncio.sleep(0.05)
    assert waiting[0].session_id == turn.session_id
    await client.reply_permission(waiting[0].id, "once", turn.directory)
    assert (await call).text == "asked"
    assert (Path(turn.directory) / "asked.txt").exists()
