"""`todo.md` follows the mission, is whole whenever it is read, and is left alone while nothing changes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from activities import publishing
from activities.publishing import Publisher
from tests.unit.adapters.opencode_fixtures import until
from tests.workflows.missions import Handle, ended, serving, start, todo, world

pytestmark = pytest.mark.asyncio(loop_scope="session")


@contextlib.asynccontextmanager
async def a_mission_at_work(client: Client, task_queue: str, go_on: asyncio.Event) -> AsyncIterator[Handle]:
    """Its only agent works until `go_on`."""
    told = world((todo("T1"),))
    told.during_work = lambda turn: go_on.wait()
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        await until(lambda: told.calls)
        yield handle


@contextlib.asynccontextmanager
async def published(client: Client, mission_id: str, folder: Path) -> AsyncIterator[Publisher]:
    publisher = Publisher(client)
    publisher.moved(mission_id, folder)
    running = asyncio.create_task(publisher.run())
    yield publisher
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_the_file_is_written_when_the_mission_changes_and_only_then(
    client: Client, task_queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "EVERY_SECONDS", 0.05)
    go_on, file = asyncio.Event(), tmp_path / "todo.md"
    async with (
        a_mission_at_work(client, task_queue, go_on) as handle,
        published(client, handle.id, tmp_path) as publisher,
    ):
        await until(file.exists)
        before = file.stat()
        await until(lambda: publisher._followed[handle.id].looks == 0)
        assert "**T1**" in file.read_text()
        assert file.stat().st_ino == before.st_ino
        go_on.set()
        await ended(handle)


async def test_only_whole_files_are_left(client: Client, task_queue: str, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with a_mission_at_work(client, task_queue, go_on) as handle, published(client, handle.id, tmp_path):
        await until((tmp_path / "todo.md").exists)
        go_on.set()
        await ended(handle)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mission.json", "todo.md"]


async def test_a_late_look_at_an_ended_mission_writes_nothing(client: Client, task_queue: str, tmp_path: Path) -> None:
    """Its last activity has written the last view already."""
    go_on = asyncio.Event()
    async with a_mission_at_work(client, task_queue, go_on) as handle:
        go_on.set()
        await ended(handle)
        publisher = Publisher(client)
        publisher.moved(handle.id, tmp_path)
        await publisher._publish(handle.id, publisher._followed[handle.id])
    assert list(tmp_path.iterdir()) == []
