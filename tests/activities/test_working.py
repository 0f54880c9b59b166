"""A worker's turn on the real OpenCode: repeated, cancelled, left behind by its worker process."""

import asyncio
from typing import Any

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.working import WorkActivities
from activities.workspaces import WorkspaceActivities
from adapters.opencode.models import SessionStatus
from mission.messages import MissionFacts, WorkTurnResult
from mission.options import MissionOptions
from tests.activities.conftest import Agents
from tests.activities.hosts import Host, environment, run
from tests.unit.adapters.opencode_fixtures import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITE = {"write": {"path": "a.txt", "content": "a\n"}}
SAY = {"say": {"summary": "wrote a"}}
UNTIL_GO = {"bash": "touch begun; until test -e go; do sleep 0.05; done"}


def work(agents: Agents, host: Host, *actions: dict[str, Any]) -> WorkActivities:
    agents.play(host, work={"T1": [list(actions)]})
    return WorkActivities(agents.sessions, host.workspaces)


async def caught_in_the_middle(
    activities: WorkActivities, host: Host
) -> tuple[ActivityEnvironment, asyncio.Task[WorkTurnResult]]:
    """The turn runs, its agent has written a file, and a command of it waits."""
    env, slot = environment(), await host.slot()
    turn = asyncio.ensure_future(env.run(activities.work_turn, host.work()))
    await until(lambda: (slot.path / "begun").exists() or turn.done())
    assert not turn.done(), turn.result()
    return env, turn


async def status(agents: Agents, activities: WorkActivities, host: Host) -> SessionStatus | None:
    """Of the host's only session; None when it rests."""
    client = await agents.server.client()
    slot = await host.slot()
    book = activities.sessions.book.folder
    session = max(book.iterdir(), key=lambda file: file.stat().st_mtime_ns).read_text()
    return await client.status(session, str(slot.path))


async def test_a_turn_that_is_asked_for_again_is_taken_once(agents: Agents, host: Host) -> None:
    activities = work(agents, host, WRITE, SAY)
    first = await run(activities.work_turn, host.work())
    again = await run(activities.work_turn, host.work(), attempt=2)
    assert host.repository.at(first.commit) == {"README.md": "# A project", "a.txt": "a"}
    assert (again.commit, again.session, again.report) == (first.commit, first.session, first.report)
    assert agents.asked(host) == [0, 1]


async def test_a_cancelled_turn_is_aborted_and_what_it_wrote_is_kept(agents: Agents, host: Host) -> None:
    activities = work(agents, host, WRITE, UNTIL_GO, SAY)
    env, turn = await caught_in_the_middle(activities, host)
    env.cancel(ActivityCancellationDetails(cancel_requested=True))
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert await status(agents, activities, host) is None
    assert host.repository.at(host.todo_branch())["a.txt"] == "a"


async def test_a_worker_that_stops_leaves_its_turn_to_the_next_one(agents: Agents, host: Host) -> None:
    activities = work(agents, host, WRITE, UNTIL_GO, SAY)
    env, turn = await caught_in_the_middle(activities, host)
    env.cancel(ActivityCancellationDetails(worker_shutdown=True))
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert await status(agents, activities, host) is not None
    (await host.slot()).path.joinpath("go").touch()
    next_worker = WorkActivities(agents.sessions, host.workspaces)
    result = await run(next_worker.work_turn, host.work(), attempt=2)
    assert host.repository.at(result.commit)["a.txt"] == "a"
    assert agents.asked(host) == [0, 1, 2]


async def test_an_unknown_model_is_named_before_an_agent_is_paid(agents: Agents, host: Host) -> None:
    opening = WorkspaceActivities(agents.sessions, host.workspaces)
    options = MissionOptions(model="scripted/modle")
    mission = MissionFacts(host.mission.mission_id, "Do it", host.mission.directory, "host", options)
    with pytest.raises(ApplicationError, match=r"scripted/modle is unknown to scripted, did you mean 'model'") as error:
        await run(opening.prepare_mission, mission)
    assert error.value.non_retryable
