"""The project on this host: how a mission begins and ends in it, and the slots its agents work in."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from temporalio import activity

from activities.agent_sessions import AgentSessions
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.models import check_models
from activities.publishing import Publisher, write_view
from activities.roles import check_roles
from adapters.git.errors import NotAWorkspace
from adapters.git.merging import advance
from adapters.git.slots import SlotPool
from adapters.git.workspace import Workspace, base_commit, hide_mission_folder, open_workspace
from adapters.project import find_checks
from mission.messages import CloseOrder, Done, MissionFacts, Preparation
from mission.names import holder, mission_branch, todo_branch


@dataclass(frozen=True)
class Project:
    """A user's project as this host sees it."""

    workspace: Workspace
    slots: SlotPool

    def folder(self, mission_id: str) -> Path:
        """Where a person finds what a mission left: `todo.md`, `mission.json`, `evidence/`."""
        return self.workspace.directory / ".opencode" / "missions" / mission_id


@dataclass
class Workspaces:
    """Projects, opened once a process."""

    repositories: Path
    publisher: Publisher
    _open: dict[str, Project] = field(default_factory=dict)

    async def of(self, mission: MissionFacts) -> Project:
        """Raises `NotAWorkspace` when the folder is gone or cannot be used."""
        project = self._open.get(mission.directory)
        if project is None or not project.workspace.directory.is_dir():
            workspace = await open_workspace(Path(mission.directory), self.repositories)
            project = Project(workspace, SlotPool(workspace, self.repositories))
            self._open[mission.directory] = project
        self.publisher.moved(mission.mission_id, project.folder(mission.mission_id))
        return project


@dataclass
class WorkspaceActivities:
    sessions: AgentSessions
    workspaces: Workspaces

    @activity.defn(name="prepare_mission")
    async def prepare_mission(self, mission: MissionFacts) -> Preparation:
        """Everything that can be wrong before an agent is paid is found here."""
        with translated():
            project = await self.workspaces.of(mission)
            workspace = project.workspace
            async with heartbeating(doing="looking at the project"):
                await hide_mission_folder(workspace)
                base = await base_commit(workspace, mission.options.include_changes)
                await advance(workspace, mission_branch(mission.mission_id), base.commit, None)
                role_notes = check_roles(workspace.directory)
                checks, check_note = await self._checks(mission, workspace.directory)
                # In the planner's slot, not in the project: it is the first directory agents work in anyway.
                slot = await project.slots.lease(holder(mission.mission_id, "plan"))
                await project.slots.prepare(slot, base.commit)
                await check_models(
                    await self.sessions.opencode.client(), mission.options, workspace.directory, slot.path
                )
            return Preparation(
                directory=str(workspace.directory),
                base_commit=base.commit,
                started_from=base.branch,
                checks=checks,
                notes=(*base.notes, check_note, *role_notes),
                warm_slots=sum(project.slots.owns(path) for path in self.sessions.warm),
            )

    async def _checks(self, mission: MissionFacts, directory: Path) -> tuple[tuple[str, ...], str]:
        if chosen := mission.options.checks:
            return (
                chosen,
                f"the whole is checked with {', '.join(f'`{command}`' for command in chosen)}, as you asked",
            )
        found = await asyncio.to_thread(find_checks, directory)
        return found.commands, found.found

    @activity.defn(name="close_mission")
    async def close_mission(self, order: CloseOrder) -> Done:
        """Nothing is lost and nothing held: leftovers become commits, slots go back, the last report is written."""
        mission = order.mission
        with translated():
            try:
                project = await self.workspaces.of(mission)
            except NotAWorkspace:
                return Done()  # the mission ends because of it; there is nowhere to write
            async with heartbeating(doing="closing"):
                await self._free_slots(project, mission.mission_id)
                self.workspaces.publisher.ended(mission.mission_id)
                await hide_mission_folder(project.workspace)
                write_view(project.folder(mission.mission_id), order.report)
        return Done()

    async def _free_slots(self, project: Project, mission_id: str) -> None:
        for owner in await project.slots.held_by(holder(mission_id, "")):
            part = owner.removeprefix(holder(mission_id, ""))
            slot = await project.slots.lease(owner)
            if part not in ("plan", "final"):
                parent = await project.slots.commit_of(slot)
                branch = todo_branch(mission_id, part)
                await project.slots.snapshot(slot, parent=parent, branch=branch, message=f"{part}: unfinished")
            await project.slots.release(owner)
