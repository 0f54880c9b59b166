"""The reviewer's turns: in the slot of the work it judges, reading only."""

from dataclasses import dataclass
from pathlib import Path

from temporalio import activity

from activities import prompts
from activities.agent_sessions import AgentSessions, Conversation, read_answer
from activities.errors import translated
from activities.roles import load_role
from activities.workspaces import Workspaces
from adapters.git.merging import diff
from mission.answers import Verdict
from mission.messages import ReviewResult, ReviewTurn
from mission.names import holder


@dataclass
class ReviewActivities:
    sessions: AgentSessions
    workspaces: Workspaces

    @activity.defn(name="review_turn")
    async def review_turn(self, turn: ReviewTurn) -> ReviewResult:
        """One turn of the reviewer: a verdict, or what is wrong with the answer."""
        order, key = turn.order, turn.key
        part = order.todo.id if order.todo else "final"
        with translated():
            project = await self.workspaces.of(order.mission)
            slot = await project.slots.lease(holder(order.mission.mission_id, part))
            if slot.fresh:
                await project.slots.prepare(slot, order.commit)
            role = load_role("reviewer", project.workspace.directory)
            # A fresh session for every attempt: a verdict must not lean on the one before.
            title = f"{part} review {order.attempt}"
            talk = Conversation(order.mission, role, part, Path(slot.path), title, order.attempt)
            if key.repair:
                text = prompts.repair_prompt(order.mission.mission_id, "reviewer", part, order.attempt, key.problem)
            else:
                change = await diff(project.workspace, order.base, order.commit, prompts.MOST_DIFF)
                text = prompts.review_prompt(order, change.text, change.truncated)
            reply = await self.sessions.take(talk, (str(key.repair),), key, text)
            verdict, problem = read_answer(reply, Verdict)
            if verdict is not None and order.todo is None:
                await project.slots.release(holder(order.mission.mission_id, part))
            return ReviewResult(verdict, problem, reply.usage)
