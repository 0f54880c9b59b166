"""Workflows as somebody might change them without thinking of the missions that run."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from mission.messages import MissionFacts, PlanOrder, PlanResult
    from workflows.planner import PlannerWorkflow


@workflow.defn(name="planner")
class WithOneMoreActivity(PlannerWorkflow):
    @workflow.run
    async def run(self, order: PlanOrder) -> PlanResult:
        await workflow.execute_activity("one_more", start_to_close_timeout=timedelta(seconds=1))
        return await super().run(order)


@dataclass(frozen=True)
class BudgetOrder:
    mission: MissionFacts
    budget: float


@workflow.defn(name="planner")
class WithOneMoreField(PlannerWorkflow):
    @workflow.run
    async def run(self, order: BudgetOrder) -> PlanResult:  # type: ignore[override] # that is the mistake
        return PlanResult(None, f"{order.mission.mission_id} may cost {order.budget}")
