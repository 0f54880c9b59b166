"""However a mission ends: nothing is lost, and nothing is held."""

import shutil
from typing import cast

from activities.agent_sessions import AgentSessions
from activities.workspaces import WorkspaceActivities
from mission.messages import CloseOrder
from mission.report import MissionReport, MissionStatus, report_from_json
from tests.activities.hosts import MOMENT, Host, run


def closing(host: Host) -> WorkspaceActivities:
    nobody = cast(AgentSessions, None)  # closing needs no agent
    return WorkspaceActivities(nobody, host.workspaces)


def order(host: Host) -> CloseOrder:
    mission = host.mission
    report = MissionReport(mission.mission_id, "Do it", mission.directory, MissionStatus.CANCELLED, MOMENT)
    return CloseOrder(mission, report)


async def test_closing_frees_the_slots_and_saves_what_lies_in_them(host: Host) -> None:
    await host.at_work({"a.txt": "half done\n"})
    await host.worked({"b.txt": "b\n"}, "T2")
    await host.slot("plan")
    await run(closing(host).close_mission, order(host))
    slots = (await host.project()).slots
    assert await slots.held_by(host.mission.mission_id) == ()
    assert host.repository.at(host.todo_branch("T1"))["a.txt"] == "half done"
    assert host.repository.at(host.todo_branch("T2"))["b.txt"] == "b"
    assert host.repository.git("branch", "--list", host.todo_branch("plan")) == ""


async def test_closing_again_changes_nothing(host: Host) -> None:
    await host.at_work({"a.txt": "half done\n"})
    await run(closing(host).close_mission, order(host))
    saved = host.repository.git("rev-parse", host.todo_branch())
    await run(closing(host).close_mission, order(host), attempt=2)
    assert host.repository.git("rev-parse", host.todo_branch()) == saved


async def test_the_last_report_is_written_where_git_does_not_see_it(host: Host) -> None:
    await run(closing(host).close_mission, order(host))
    assert report_from_json((host.folder / "mission.json").read_text()) == order(host).report
    assert "cancelled" in (host.folder / "todo.md").read_text()
    assert host.repository.git("status", "--porcelain") == ""


async def test_a_mission_whose_project_is_gone_can_be_closed(host: Host) -> None:
    close = order(host)
    shutil.rmtree(host.repository.path)
    await run(closing(host).close_mission, close)
    assert not host.repository.path.exists()
