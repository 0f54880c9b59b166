"""One attempt at one TODO: the agent's turn, the checks, the review.

The file is not called `worker.py`: that is the worker process.

The reviewer is a child of the attempt it reviews, not of the mission: the mission's history then holds one child
an attempt instead of two, and the tree in the Temporal UI shows which work a verdict belongs to.
"""

from dataclasses import replace

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ChildWorkflowError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.checks import CheckActivities
    from activities.working import WorkActivities
    from mission import commander
    from mission.messages import (
        CheckOrder,
        CheckResult,
        ReviewOrder,
        ReviewResult,
        TurnKey,
        WorkOrder,
        WorkResult,
        WorkTurn,
        WorkTurnResult,
    )
    from mission.report import AttemptView, Stage, Usage
    from workflows import activity_options
    from workflows.planner import MOST_REPAIRS
    from workflows.reviewer import ReviewerWorkflow


NO_CHECKS = CheckResult(())


@workflow.defn(name="worker")
class TodoWorkerWorkflow:
    @workflow.init
    def __init__(self, order: WorkOrder) -> None:
        self._order = order
        self._usage = Usage()
        self._view = AttemptView(number=order.attempt, stage=Stage.WORKING, started=workflow.now())

    @workflow.query(name="status", description="Where this attempt stands. No input.")
    def status(self) -> AttemptView:
        return self._view

    @workflow.run
    async def run(self, order: WorkOrder) -> WorkResult:
        turn = await self._work()
        if turn.failure or turn.report is None:
            why = turn.failure or f"no valid report after {MOST_REPAIRS} repairs: {turn.problem}"
            return self._result(Stage.FAILED, turn, why, feedback=(why,))
        if commander.proves_nothing(turn.commit != order.base, order.todo.checks, order.review):
            why = "nothing was changed and no check proves that nothing had to be"
            return self._result(Stage.RED, turn, why, feedback=(why,))
        checked = await self._check(turn)
        if not checked.green:
            return self._result(
                Stage.RED, turn, "a check failed", checks=checked, feedback=commander.red(checked.evidence)
            )
        if not order.review:
            return self._result(Stage.APPROVED, turn, turn.report.summary, checks=checked)
        return self._judge(turn, checked, await self._review(turn, checked))

    async def _work(self) -> WorkTurnResult:
        """The agent's turn, and up to two more if only its report is not valid."""
        order, problem = self._order, ""
        for repair in range(1 + MOST_REPAIRS):
            turn = await workflow.execute_activity_method(
                WorkActivities.work_turn,
                WorkTurn(order, TurnKey(repair, workflow.now(), problem)),
                task_queue=order.mission.host_queue,
                summary=f"{order.todo.id} {'repair' if repair else order.step}",
                **activity_options.turn(order.mission.options.turn_minutes),
            )
            self._usage += turn.usage
            self._view = replace(self._view, session=turn.session, commit=turn.commit)
            if turn.failure or turn.report is not None:
                break
            problem = turn.problem
        return turn

    async def _check(self, turn: WorkTurnResult) -> CheckResult:
        order = self._order
        if not order.todo.checks:
            return CheckResult(())
        self._view = replace(self._view, stage=Stage.CHECKING)
        return await workflow.execute_activity_method(
            CheckActivities.run_checks,
            CheckOrder(
                mission=order.mission,
                holder=f"{order.mission.mission_id}/{order.todo.id}",
                commit=turn.commit,
                commands=order.todo.checks,
                label=f"{order.todo.id}-{order.attempt}",
            ),
            task_queue=order.mission.host_queue,
            summary=order.todo.checks[0][:100],
            **activity_options.checks(order.mission.options.check_minutes, len(order.todo.checks)),
        )

    async def _review(self, turn: WorkTurnResult, checked: CheckResult) -> ReviewResult:
        order = self._order
        self._view = replace(self._view, stage=Stage.REVIEWING, checks=checked.evidence)
        try:
            return await workflow.execute_child_workflow(
                ReviewerWorkflow.run,
                ReviewOrder(
                    mission=order.mission,
                    attempt=order.attempt,
                    commit=turn.commit,
                    base=order.base,
                    todo=order.todo,
                    checks=checked.evidence,
                    report=turn.report.summary if turn.report else "",
                ),
                id=f"{order.mission.mission_id}/{order.todo.id}/reviewer-{order.attempt}",
                static_summary=f"{order.todo.id} review {order.attempt}: {order.todo.title}"[:100],
                priority=Priority(fairness_key=order.mission.mission_id),
            )
        except ChildWorkflowError as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is None:
                return ReviewResult(None, "the review was cancelled by hand")
            raise

    def _judge(self, turn: WorkTurnResult, checked: CheckResult, review: ReviewResult) -> WorkResult:
        self._usage += review.usage
        verdict = review.verdict
        if verdict is None:
            why = f"the reviewer gave no valid verdict: {review.problem}"
            return self._result(Stage.REJECTED, turn, why, checks=checked, feedback=(why,))
        if verdict.approved:
            summary = turn.report.summary if turn.report else ""
            result = self._result(Stage.APPROVED, turn, summary, checks=checked)
        else:
            issues = verdict.issues or (verdict.summary or "the reviewer gave no reason",)
            result = self._result(Stage.REJECTED, turn, "; ".join(issues)[:500], checks=checked, feedback=issues)
        return replace(result, verdict=verdict)

    def _result(
        self,
        stage: Stage,
        turn: WorkTurnResult,
        outcome: str,
        *,
        checks: CheckResult = NO_CHECKS,
        feedback: tuple[str, ...] = (),
    ) -> WorkResult:
        self._view = replace(self._view, stage=stage, outcome=outcome, ended=workflow.now())
        return WorkResult(
            stage=stage,
            commit=turn.commit,
            outcome=outcome,
            session=turn.session,
            feedback=feedback,
            checks=checks.evidence,
            decisions=turn.report.decisions if turn.report else (),
            usage=self._usage,
        )
