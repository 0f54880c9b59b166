"""MissionClient on a real Temporal server, with missions whose activities are replaced by name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from adapters.files import write_atomically
from client.cli.watching import Look, follow
from client.errors import UnknownMission
from client.mission_folders import mission_folder
from client.mission_ids import new_mission_id
from client.missions import MissionClient, ui_link
from client.new_mission import NewMission
from client.visibility import MissionRow
from mission.messages import WorkTurn
from mission.options import MissionOptions
from mission.report import MissionReport, MissionStatus, Stage, TodoState, report_to_json
from runtime.settings import Settings
from tests.workflows.missions import serving, todo, world
from tests.workflows.stand_ins import World


@pytest.fixture
def settings(tmp_path: Path, task_queue: str) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    (home / "host").write_text("host\n")
    return Settings(home=home, task_queue=task_queue)


@pytest.fixture
def missions(client: Client, settings: Settings) -> MissionClient:
    return MissionClient(client, settings, patience=timedelta(seconds=1))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


async def started(missions: MissionClient, project: Path) -> str:
    mission = NewMission(new_mission_id("Do it"), "Do it", project, MissionOptions())
    await missions.start(mission)
    return mission.mission_id


async def until(missions: MissionClient, mission_id: str, condition: Callable[[MissionReport], bool]) -> MissionReport:
    async with asyncio.timeout(20):
        while True:
            report = await missions.report(mission_id)
            if condition(report):
                return report
            await asyncio.sleep(0.05)


async def listed(missions: MissionClient, mission_id: str, status: str) -> MissionRow:
    """The list is a second behind."""
    async with asyncio.timeout(20):
        while True:
            for row in await missions.list():
                if row.id == mission_id and row.status == status:
                    return row
            await asyncio.sleep(0.1)


def busy() -> World:
    """One TODO that is never finished."""
    made = world((todo("T1"),))
    made.during_work = lambda turn: beating()
    return made


async def beating() -> None:
    """A cancellation arrives with a heartbeat."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.1)


def at_work(report: MissionReport) -> bool:
    return any(one.state is TodoState.WORKING for one in report.todos)


async def test_a_mission_is_started_watched_and_read_without_a_worker(
    client: Client, missions: MissionClient, settings: Settings, project: Path
) -> None:
    async with serving(client, settings.task_queue, world((todo("T1"), todo("T2", "T1")))):
        mission_id = await started(missions, project)
        looks = [look async for look in follow(settings, missions, mission_id)]
    last = looks[-1].report
    assert last is not None
    assert (last.status, last.done) == (MissionStatus.SEALED, 2)
    assert await missions.report(mission_id) == last == await missions.wait(mission_id)


async def test_a_failed_missions_report_is_its_failure(
    client: Client, missions: MissionClient, settings: Settings, project: Path
) -> None:
    refusing = world((todo("T1"),))
    refusing.refused = "this is no project"
    async with serving(client, settings.task_queue, refusing):
        mission_id = await started(missions, project)
        await missions.wait(mission_id)
    report = await missions.report(mission_id)
    assert (report.status, report.reason) == (MissionStatus.FAILED, "this is no project")


async def test_a_running_attempt_is_shown_at_its_stage(
    client: Client, missions: MissionClient, settings: Settings, project: Path
) -> None:
    reviewing, go_on = world((todo("T1"),)), asyncio.Event()

    async def wait(turn: WorkTurn) -> None:
        await go_on.wait()

    reviewing.during_work = wait
    async with serving(client, settings.task_queue, reviewing):
        mission_id = await started(missions, project)
        report = await until(missions, mission_id, at_work)
        assert report.todos[0].attempts[-1].stage is Stage.WORKING
        assert report.todos[0].attempts[-1].number == 1
        go_on.set()
        await missions.wait(mission_id)


async def test_a_cancelled_mission_says_so_and_can_only_be_cancelled_once(
    client: Client, missions: MissionClient, settings: Settings, project: Path
) -> None:
    async with serving(client, settings.task_queue, busy()):
        mission_id = await started(missions, project)
        await until(missions, mission_id, at_work)
        assert await missions.cancel(mission_id)
        report = await missions.wait(mission_id)
        assert report.status is MissionStatus.CANCELLED
        assert not await missions.cancel(mission_id)
        assert (await listed(missions, mission_id, "cancelled")).ended is not None


async def test_a_terminated_mission_is_not_shown_as_running(
    client: Client, missions: MissionClient, settings: Settings, project: Path
) -> None:
    async with serving(client, settings.task_queue, busy()):
        mission_id = await started(missions, project)
        await until(missions, mission_id, at_work)
        await client.get_workflow_handle(mission_id).terminate("by hand")
        report = await missions.wait(mission_id)
        assert report.status is MissionStatus.FAILED
        assert report.reason.startswith("ended by Temporal: terminated")
        await listed(missions, mission_id, "terminated")


async def test_without_a_worker_the_last_written_report_is_shown_and_says_so(
    missions: MissionClient, project: Path
) -> None:
    mission_id = await started(missions, project)
    bare = await missions.report(mission_id)
    assert (bare.objective, bare.status, bare.directory) == ("Do it", MissionStatus.PREPARING, str(project))
    written = replace(bare, status=MissionStatus.RUNNING, notes=())
    write_atomically(mission_folder(project, mission_id) / "mission.json", report_to_json(written))
    report = await missions.report(mission_id)
    assert report.status is MissionStatus.RUNNING
    assert report.notes == ("no worker answers: this is what was last written",)


async def test_a_mission_is_listed_with_what_it_is_about(missions: MissionClient, project: Path) -> None:
    mission_id = await started(missions, project)
    row = await listed(missions, mission_id, "preparing")
    assert (row.objective, row.project, row.progress, row.running) == ("Do it", str(project), 0, True)


async def test_a_mission_is_found_by_its_hex_and_an_unknown_one_is_not(missions: MissionClient, project: Path) -> None:
    mission_id = await started(missions, project)
    assert await missions.find(mission_id) == mission_id
    assert await missions.find(mission_id[-6:]) == mission_id
    with pytest.raises(UnknownMission, match="no mission has the id 'xyzzy'"):
        await missions.find("xyzzy")
    with pytest.raises(UnknownMission, match="no mission has the id 'mission-xyzzy-000000'"):
        await missions.report("mission-xyzzy-000000")


async def test_watching_survives_a_server_that_does_not_answer(settings: Settings) -> None:
    looks: AsyncIterator[Look] = follow(settings, None, "mission-do-it-000000")
    look = await anext(looks)
    assert (look.report, look.trouble) == (None, "Temporal does not answer; reconnecting …")
    with suppress(RuntimeError):
        await looks.aclose()  # type: ignore[attr-defined]


def test_a_link_to_the_ui_has_no_plain_slash_in_the_id() -> None:
    link = ui_link("http://127.0.0.1:8233", "default", "mission-x/T1/worker-1")
    assert link == "http://127.0.0.1:8233/namespaces/default/workflows/mission-x%2FT1%2Fworker-1"
