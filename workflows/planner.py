"""The planner: one structured plan, repaired at most twice, or the reason why there is none."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.planning import PlanningActivities
    from mission.messages import PlanOrder, PlanResult, PlanTurn, TurnKey
    from mission.report import Usage
    from workflows import activity_options

MOST_REPAIRS = 2
"""Further turns in which an agent may mend an answer that is not valid."""


@workflow.defn(name="planner")
class PlannerWorkflow:
    @workflow.run
    async def run(self, order: PlanOrder) -> PlanResult:
        problem, usage = "", Usage()
        for repair in range(1 + MOST_REPAIRS):
            turn = PlanTurn(order, TurnKey(repair, workflow.now(), problem))
            answer = await workflow.execute_activity_method(
                PlanningActivities.plan_turn,
                turn,
                task_queue=order.mission.host_queue,
                summary="repair of the answer" if repair else f"round {order.round}",
                **activity_options.turn(order.mission.options.turn_minutes),
            )
            usage, problem = usage + answer.usage, answer.problem
            if answer.plan is not None:
                return PlanResult(answer.plan, usage=usage)
        return PlanResult(None, problem, usage)
