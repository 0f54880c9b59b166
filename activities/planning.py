"""The planner's turns: in a slot at the mission's head, reading only."""

from dataclasses import dataclass

from pydantic import ValidationError
from temporalio import activity

from activities import prompts
from activities.agent_sessions import AgentSessions, Conversation, read_answer
from activities.errors import translated
from activities.roles import load_role
from activities.workspaces import Workspaces
from mission.messages import PlanOrder, PlanResult, PlanTurn
from mission.names import holder
from mission.plan import PlanAnswer


@dataclass
class PlanningActivities:
    sessions: AgentSessions
    workspaces: Workspaces

    @activity.defn(name="plan_turn")
    async def plan_turn(self, turn: PlanTurn) -> PlanResult:
        """One turn of the planner: a plan that fits what is done already, or what is wrong with the answer."""
        order, key = turn.order, turn.key
        with translated():
            project = await self.workspaces.of(order.mission)
            slot = await project.slots.lease(holder(order.mission.mission_id, "plan"))
            role = load_role("planner", project.workspace.directory)
            talk = Conversation(order.mission, role, "plan", slot.path, f"Plan round {order.round}", order.round)
            if key.repair == 0:
                await project.slots.prepare(slot, order.commit)
                text = prompts.plan_prompt(order)
            else:
                text = prompts.repair_prompt(order.mission.mission_id, "planner", "plan", order.round, key.problem)
            reply = await self.sessions.take(talk, (str(order.round), str(key.repair)), key, text)
            plan, problem = read_answer(reply, PlanAnswer)
            if plan is not None:
                problem = fits(plan, order)
            if plan is not None and not problem:
                await project.slots.release(holder(order.mission.mission_id, "plan"))
                return PlanResult(plan, usage=reply.usage)
            return PlanResult(None, problem, reply.usage)


def fits(answer: PlanAnswer, order: PlanOrder) -> str:
    """What is wrong with an answer as the next step of this mission; empty if nothing is."""
    try:
        if order.plan is None:
            return "" if answer.as_plan().work else "the plan has no TODO"
        unfinished = tuple(todo for todo in answer.todos if todo.id not in order.done)
        order.plan.revised(answer.model_copy(update={"todos": unfinished}))
    except ValidationError as error:
        return "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors()[:5])
    except ValueError as error:
        return str(error)
    return ""
