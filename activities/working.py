"""The worker's turns: slot, turn and commit in one activity, since each activity costs more than its git calls."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities import prompts
from activities.agent_sessions import AgentSessions, Conversation, read_answer
from activities.errors import translated
from activities.heartbeat import cancelled_by_request
from activities.roles import load_role
from activities.workspaces import Project, Workspaces
from adapters.git.merging import has_conflict_markers
from adapters.git.slots import Slot, Snapshot
from adapters.opencode.turns import TurnState
from mission.answers import WorkReport
from mission.messages import WorkOrder, WorkTurn, WorkTurnResult
from mission.names import holder, todo_branch


@dataclass
class WorkActivities:
    sessions: AgentSessions
    workspaces: Workspaces

    @activity.defn(name="work_turn")
    async def work_turn(self, turn: WorkTurn) -> WorkTurnResult:
        """One turn of a worker in its TODO's slot; whatever it left there is a commit afterwards."""
        order, key = turn.order, turn.key
        with translated():
            project = await self.workspaces.of(order.mission)
            slot = await project.slots.lease(holder(order.mission.mission_id, order.todo.id))
            role = load_role("worker", project.workspace.directory)
            title = f"{order.todo.id} {order.todo.title}"[:100]
            talk = Conversation(order.mission, role, order.todo.id, slot.path, title, order.generation)
            step = (str(order.attempt), str(key.repair))
            if key.repair == 0 and await self.sessions.state_of(talk, step, key) is TurnState.ABSENT:
                # Never once the agent has begun: its unfinished work would be swept away.
                await self._prepare(project, slot, order)
            try:
                reply = await self.sessions.take(talk, step, key, self._prompt(turn, slot.fresh))
            except asyncio.CancelledError:
                if cancelled_by_request():
                    await self._keep(project, slot, order)
                raise
            kept = await self._keep(project, slot, order)
            report, problem = read_answer(reply, WorkReport)
            failure = reply.failure
            if order.step == "resolve" and has_conflict_markers(slot, kept.changed):
                failure = "both sides of a conflict are still in the files, between git's markers"
            return WorkTurnResult(
                commit=kept.commit,
                session=self.sessions.session_of(talk),
                report=report,
                problem=problem,
                failure=failure,
                usage=reply.usage,
            )

    async def _prepare(self, project: Project, slot: Slot, order: WorkOrder) -> None:
        if order.step == "resolve":
            await project.slots.start_resolving(slot, order.commit, order.onto)
        else:
            await project.slots.prepare(slot, order.commit)

    def _prompt(self, turn: WorkTurn, fresh: bool) -> str:
        order, key = turn.order, turn.key
        if key.repair:
            return prompts.repair_prompt(order.mission.mission_id, "worker", order.todo.id, order.attempt, key.problem)
        return prompts.work_prompt(order, brief=order.step == "work" or fresh or order.generation > 1)

    async def _keep(self, project: Project, slot: Slot, order: WorkOrder) -> Snapshot:
        """Commit what lies in the slot on top of what we knew, whatever the agent did with git."""
        return await project.slots.snapshot(
            slot,
            parent=order.commit,
            branch=todo_branch(order.mission.mission_id, order.todo.id),
            message=f"{order.todo.id}: {order.todo.title}",
            also_parent=order.onto or None,
        )
