"""A workflow as somebody might change it without thinking of the missions that run."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from mission.messages import PlanOrder, PlanResult
    from workflows.planner import PlannerWorkflow


@workflow.defn(name="planner")
class WithOneMoreActivity(PlannerWorkflow):
    @workflow.run
    async def run(self, order: PlanOrder) -> PlanResult:
        await workflow.execute_activity("one_more", start_to_close_timeout=timedelta(seconds=1))
        return await super().run(order)
