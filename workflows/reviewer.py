"""The reviewer: a verdict on one attempt or on the whole, from the diff and the evidence."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.reviewing import ReviewActivities
    from mission.messages import ReviewOrder, ReviewResult, ReviewTurn, TurnKey
    from mission.report import Usage
    from workflows import activity_options
    from workflows.planner import MOST_REPAIRS


@workflow.defn(name="reviewer")
class ReviewerWorkflow:
    @workflow.run
    async def run(self, order: ReviewOrder) -> ReviewResult:
        problem, usage = "", Usage()
        for repair in range(1 + MOST_REPAIRS):
            turn = ReviewTurn(order, TurnKey(repair, workflow.now(), problem))
            answer = await workflow.execute_activity_method(
                ReviewActivities.review_turn,
                turn,
                task_queue=order.mission.host_queue,
                summary="repair of the answer" if repair else None,
                **activity_options.turn(order.mission.options.turn_minutes),
            )
            usage, problem = usage + answer.usage, answer.problem
            if answer.verdict is not None:
                return ReviewResult(answer.verdict, usage=usage)
        return ReviewResult(None, problem, usage)
