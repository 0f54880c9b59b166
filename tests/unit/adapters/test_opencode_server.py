"""Real servers that are killed, orphaned, adopted and refused."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.errors import OpenCodeRejected, OpenCodeUnreachable, OpenCodeUnsupported
from adapters.opencode.executable import Search
from adapters.opencode.external import ExternalOpenCode
from adapters.opencode.server import OpenCodeServer
from adapters.opencode.turns import Turn, TurnAnswer, TurnState
from adapters.processes import ProcessRecord
from tests.unit.adapters.opencode_fixtures import Place, Step, place, take_turn, until


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as here:
        yield here


@pytest.fixture
async def server(here: Place) -> AsyncIterator[OpenCodeServer]:
    server = here.server()
    yield server
    await server.stop()


@contextlib.asynccontextmanager
async def supervised(server: OpenCodeServer) -> AsyncIterator[None]:
    watching = asyncio.create_task(server.supervise())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def persist(server: OpenCodeServer, turn: Turn) -> TurnAnswer:
    """What a caller with retries does."""
    while True:
        try:
            return await take_turn(await server.client(), turn)
        except OpenCodeUnreachable:
            await asyncio.sleep(0.05)


def recorded(here: Place) -> ProcessRecord:
    record = ProcessRecord.read(here.record)
    assert record is not None
    return record


async def test_a_turn_goes_on_after_its_server_was_killed(here: Place, server: OpenCodeServer) -> None:
    write = Step(call="bash", arguments={"command": "echo once >> log.txt", "description": "writes"})
    gate = threading.Event()
    async with supervised(server):
        turn = here.turn("killed", write, Step(say="finished", gate=gate))
        call = asyncio.create_task(persist(server, turn))
        await until(lambda: len(here.model.asked(turn.session_id)) == 2)
        os.kill(recorded(here).pid, signal.SIGKILL)
        await until(lambda: len(here.model.asked(turn.session_id)) == 3, within=40)
        gate.set()
        answer = await call
    assert (answer.text, answer.state_found) == ("finished", TurnState.CUT_OFF)
    assert (here.project / "log.txt").read_text() == "once\n"
    assert [request.step for request in here.model.asked(turn.session_id)] == [0, 1, 1]


async def test_a_killed_servers_commands_are_ended_before_the_next_one_starts(
    here: Place, server: OpenCodeServer
) -> None:
    sleep = Step(
        call="bash", arguments={"command": "echo $$ > pid; sleep 60; echo late > late", "description": "sleeps"}
    )
    turn = here.turn("orphan", sleep, Step(say="went on"))
    pid, late = here.project / "pid", here.project / "late"
    async with supervised(server):
        call = asyncio.create_task(persist(server, turn))
        await until(lambda: pid.exists() and pid.read_text().strip())
        command = ProcessRecord.of(int(pid.read_text()))
        os.kill(recorded(here).pid, signal.SIGKILL)
        assert (await call).text == "went on"
    assert not command.alive
    assert not late.exists()


async def test_the_next_worker_adopts_the_server_of_one_that_died(here: Place, server: OpenCodeServer) -> None:
    await server.start()
    first = recorded(here)
    await server.aclose()  # all that a killed worker leaves is the record
    follower = here.server()
    await follower.start()
    assert recorded(here) == first
    assert follower.record == first
    assert (await take_turn(await follower.client(), here.turn("after", Step(say="hi")))).text == "hi"
    await follower.aclose()


async def test_two_workers_that_start_at_once_share_one_server(here: Place, server: OpenCodeServer) -> None:
    other = here.server()
    await asyncio.gather(server.start(), other.start())
    assert server.record == other.record
    await other.aclose()


async def test_a_server_with_another_configuration_is_replaced(here: Place, server: OpenCodeServer) -> None:
    await server.start()
    first = recorded(here)
    changed = here.server(config={"snapshot": True})
    await changed.start()
    assert recorded(here).pid != first.pid
    assert not first.alive
    await changed.aclose()


async def test_the_record_is_the_owners_alone_and_goes_with_the_server(here: Place, server: OpenCodeServer) -> None:
    await server.start()
    record = recorded(here)
    assert here.record.stat().st_mode & 0o777 == 0o600
    assert {"url", "password", "version", "fingerprint"} <= set(record.facts)
    await server.stop()
    assert not record.alive
    assert not here.record.exists()


async def test_a_server_that_runs_already_is_used_if_its_password_is_right(here: Place, server: OpenCodeServer) -> None:
    await server.start()
    facts = recorded(here).facts
    external = ExternalOpenCode(str(facts["url"]), str(facts["password"]))
    assert isinstance(await external.client(), OpenCodeClient)
    await external.aclose()
    with pytest.raises(OpenCodeRejected, match="refuses our password"):
        await ExternalOpenCode(str(facts["url"]), "wrong").client()


async def test_an_address_where_nothing_listens_is_named() -> None:
    with pytest.raises(OpenCodeUnreachable, match=r"OpenCode at http://127\.0\.0\.1:9 does not answer"):
        await ExternalOpenCode("http://127.0.0.1:9").client()


async def test_a_server_that_ends_while_it_starts_is_told_with_its_last_words(here: Place) -> None:
    broken = program(here.root / "broken", '[ "$1" = --version ] && echo 1.18.99 || echo the disk is full')
    with pytest.raises(OpenCodeUnreachable, match=r"ended while it was starting; .* ends with: the disk is full"):
        await here.server(executable=broken).start()


async def test_a_broken_configuration_of_the_project_is_named(here: Place, server: OpenCodeServer) -> None:
    (here.project / "opencode.json").write_text('{"model": 7}')
    await server.start()
    with pytest.raises(OpenCodeRejected, match=r"opencode\.json"):
        await take_turn(await server.client(), here.turn("broken"))


async def test_no_opencode_at_all_says_how_to_get_one(here: Place) -> None:
    search = Search({"PATH": str(here.project)})
    with pytest.raises(OpenCodeUnsupported, match="not found on PATH; `npm install -g opencode-ai@"):
        await search.find()


async def test_an_opencode_that_is_too_old_says_what_was_found(here: Place) -> None:
    old = program(here.project / "opencode", "echo 1.2.3")
    with pytest.raises(OpenCodeUnsupported, match=r"opencode is OpenCode 1\.2\.3, but 1\.18\.x or 1\.19\.x is needed"):
        await Search({"PATH": os.environ["PATH"]}, explicit=old).find()


async def test_an_unsupported_one_on_path_does_not_hide_the_one_the_set_up_made(here: Place) -> None:
    program(here.root / "bin" / "opencode", "echo 0.9.0")
    installed = program(here.root / "tools" / "node_modules" / ".bin" / "opencode", "echo 1.18.99")
    found = await Search({"PATH": f"{here.root / 'bin'}:{os.environ['PATH']}"}, project=here.root).find()
    assert (found.path, found.version) == (installed, "1.18.99")


async def test_a_client_is_told_at_once_when_there_is_no_opencode(here: Place) -> None:
    server = here.server(executable=here.root / "nowhere")
    async with supervised(server):
        await until(lambda: server.trouble is not None)
        with pytest.raises(OpenCodeUnsupported, match="nowhere is not a program"):
            await server.client()


def program(file: Path, body: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file
