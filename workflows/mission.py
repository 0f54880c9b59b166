"""The mission: plan, do what is ready side by side, merge one by one, and go on until the whole is sealed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():  # also our own pure modules: else each mission imports them anew
    from activities.checks import CheckActivities
    from activities.merging import MergeActivities
    from activities.workspaces import WorkspaceActivities
    from mission import commander
    from mission.messages import (
        CheckOrder,
        CheckResult,
        CloseOrder,
        MergeOrder,
        MissionFacts,
        MissionInput,
        PlanOrder,
        ReviewOrder,
        ReviewResult,
        WorkOrder,
        WorkResult,
    )
    from mission.names import holder, mission_branch
    from mission.plan import Todo
    from mission.report import MissionReport, MissionStatus, Stage, TodoState
    from mission.state import MissionState
    from workflows import activity_options, mission_view
    from workflows.planner import PlannerWorkflow
    from workflows.reviewer import ReviewerWorkflow
    from workflows.todo_worker import TodoWorkerWorkflow

BUSY = timedelta(seconds=3)
"""When work has waited for a lane so long, agents are the slow part and more directories are worth their start."""


@workflow.defn(name="mission")
class MissionWorkflow:
    @workflow.init
    def __init__(self, mission: MissionInput) -> None:
        self._mission = mission
        self._state = mission.state or MissionState(started=workflow.now(), directory=mission.directory)
        self._facts = MissionFacts(
            mission.mission_id, mission.objective, self._state.directory, mission.host_queue, mission.options
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._merge_queue = asyncio.Lock()
        self._growing: asyncio.Task[None] | None = None
        self._shown = mission_view.Shown()

    @workflow.query(name="status", description="The whole mission: plan, TODOs, attempts, evidence. No input.")
    def status(self) -> MissionReport:
        return self._report()

    @workflow.run
    async def run(self, mission: MissionInput) -> MissionReport:  # noqa: ARG002 - Temporal wants what __init__ takes
        """Raises `ApplicationError` with the report as its detail when the mission ends unsealed."""
        try:
            await self._go_on_until_it_ends()
        except (asyncio.CancelledError, FailureError) as error:
            await self._stop_everything()
            if workflow.cancellation_reason() is not None:
                self._end(MissionStatus.CANCELLED, "cancelled by request; its branches are kept")
                await self._close()
                raise asyncio.CancelledError from error
            # Also when somebody cancelled the planner or a review by hand: the mission itself was not cancelled.
            self._end(MissionStatus.FAILED, _deepest(error))
        report = await self._close()
        if report.status is not MissionStatus.SEALED:
            raise ApplicationError(report.reason, report, type=report.status.value, non_retryable=True)
        return report

    async def _go_on_until_it_ends(self) -> None:
        if not self._state.base_commit:
            await self._prepare()
        while True:
            move = commander.next_move(self._state, self._mission.options)
            match move:
                case commander.MakePlan():
                    await self._plan(move.because)
                case commander.DoWork():
                    await self._work()
                case commander.Seal():
                    await self._seal()
                case commander.End():
                    if not self._state.status.ended:
                        self._end(move.status, move.reason)
                    return
            if self._history_is_long():
                await self._continue_as_new()

    # the steps

    async def _prepare(self) -> None:
        """Look at the project: where to start from, how it is checked, whether the models are known."""
        found = await workflow.execute_activity_method(
            WorkspaceActivities.prepare_mission,
            self._facts,
            task_queue=self._facts.host_queue,
            **activity_options.FILES,
        )
        state = self._state
        state.directory, state.base_commit, state.head_commit = (
            found.directory,
            found.base_commit,
            found.base_commit,
        )
        state.started_from, state.checks, state.notes = found.started_from, found.checks, found.notes
        state.lanes = commander.first_lanes(found.warm_slots, self._mission.options.parallel)
        self._facts = replace(self._facts, directory=found.directory)

    async def _plan(self, because: tuple[str, ...]) -> None:
        state = self._state
        state.round += 1
        self._show(MissionStatus.PLANNING, f"planning round {state.round}")
        result = await workflow.execute_child_workflow(
            PlannerWorkflow.run,
            PlanOrder(
                mission=self._facts,
                round=state.round,
                commit=state.head_commit,
                plan=state.plan,
                done=tuple(sorted(state.done)),
                feedback=because,
                checks=state.checks,
            ),
            id=f"{self._facts.mission_id}/plan-{state.round}",
            static_summary=f"Plan round {state.round}",
            priority=self._priority,
        )
        state.usage += result.usage
        if result.plan is None:
            self._end(MissionStatus.FAILED, f"the planner gave no valid plan: {result.problem}")
            return
        changed = state.adopt(result.plan)
        if changed:
            self._note(f"planned {len(changed)} TODOs: {', '.join(changed[:12])}")
        else:
            self._end(MissionStatus.FAILED, f"the planner saw no way on: {'; '.join(because)[:500] or 'empty plan'}")

    async def _work(self) -> None:
        """Run what is ready until nothing is; new work starts as soon as what it needs is merged."""
        self._show(MissionStatus.RUNNING)
        while True:
            self._start_what_is_ready()
            if not self._running:
                return
            await self._until_done_or_wider(self._state.lanes)
            for todo_id in [todo_id for todo_id, task in self._running.items() if task.done()]:
                await self._running.pop(todo_id)  # raises what it raised

    async def _until_done_or_wider(self, lanes: int) -> None:
        await workflow.wait_condition(
            lambda: self._state.lanes > lanes or any(task.done() for task in self._running.values())
        )

    def _start_what_is_ready(self) -> None:
        if self._history_is_long():
            return  # drain, then continue as new
        for todo in self._state.ready(self._running):
            if len(self._running) >= self._state.lanes:
                self._ask_for_more_lanes()
                return
            self._running[todo.id] = asyncio.create_task(self._carry_out(todo), name=todo.id)

    def _ask_for_more_lanes(self) -> None:
        if self._state.lanes < self._mission.options.parallel and (self._growing is None or self._growing.done()):
            self._growing = asyncio.create_task(self._add_lanes(), name="more lanes")

    async def _add_lanes(self) -> None:
        await workflow.sleep(BUSY, summary="more TODOs at once if agents are slow")
        if self._state.ready(self._running):
            self._state.lanes = commander.more_lanes(self._state.lanes, self._mission.options.parallel)

    async def _carry_out(self, todo: Todo) -> None:
        """One TODO from its first attempt until it is merged or given up."""
        decision: commander.Rework | commander.Resolve | None = None
        progress = self._state.progress[todo.id]
        while True:
            result = await self._attempt(todo, decision)
            after = commander.after_attempt(result, progress, self._mission.options)
            match await self._merge(todo, result) if isinstance(after, commander.Merge) else after:
                case commander.Finished():
                    return
                case commander.GiveUp(feedback):
                    progress.state, progress.feedback = TodoState.FAILED, feedback
                    self._note(f"{todo.id} given up: {feedback[0][:120] if feedback else ''}")
                    return
                case commander.Rework() | commander.Resolve() as again:
                    decision = again
                    progress.state, progress.feedback = TodoState.REWORK, again.feedback

    async def _attempt(self, todo: Todo, decision: commander.Rework | commander.Resolve | None) -> WorkResult:
        state, progress = self._state, self._state.progress[todo.id]
        number = state.begin_attempt(todo, workflow.now())
        resolving = isinstance(decision, commander.Resolve)
        if isinstance(decision, commander.Rework) and decision.new_session:
            progress.generation += 1
        order = WorkOrder(
            mission=self._facts,
            todo=todo,
            attempt=number,
            step="resolve" if resolving else "rework" if decision else "work",
            commit=progress.commit,
            base=progress.base,
            onto=state.head_commit if resolving else "",
            feedback=decision.feedback if decision else (),
            context=state.context_for(todo),
            generation=progress.generation,
            review=self._mission.options.review == "every" and not resolving,
        )
        self._note(f"{todo.id} {order.step} {number}: {todo.title}")
        result = await self._run_attempt(order)
        progress.commit = result.commit or progress.commit
        progress.decisions = result.decisions or progress.decisions
        progress.misses += result.stage is not Stage.APPROVED
        state.usage += result.usage
        state.end_attempt(
            todo.id,
            stage=result.stage,
            ended=workflow.now(),
            session=result.session,
            outcome=result.outcome,
            checks=result.checks,
            verdict=result.verdict,
            commit=result.commit,
        )
        if result.stage is not Stage.APPROVED:
            self._note(f"{todo.id} {result.stage.value}: {result.outcome[:120]}")
        return result

    async def _run_attempt(self, order: WorkOrder) -> WorkResult:
        todo = order.todo
        try:
            return await workflow.execute_child_workflow(
                TodoWorkerWorkflow.run,
                order,
                id=f"{self._facts.mission_id}/{todo.id}/worker-{order.attempt}",
                static_summary=f"{todo.id} worker {order.attempt}: {todo.title}"[:100],
                priority=self._priority,
            )
        except ChildWorkflowError as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is None:
                why = "this attempt was cancelled by hand"
                return WorkResult(Stage.FAILED, "", why, feedback=(why,))
            raise

    async def _merge(
        self, todo: Todo, result: WorkResult
    ) -> commander.Finished | commander.Resolve | commander.Rework | commander.GiveUp:
        """Through the mission's one merge queue: merge, check again on the merged commit, keep or undo."""
        state, progress = self._state, self._state.progress[todo.id]
        progress.state = TodoState.MERGING
        async with self._merge_queue:
            merged = await workflow.execute_activity_method(
                MergeActivities.merge,
                MergeOrder(self._facts, todo, progress.number, result.commit, state.head_commit, workflow.now()),
                task_queue=self._facts.host_queue,
                summary=f"{todo.id} merge, checks again",
                **activity_options.checks(self._mission.options.check_minutes, len(todo.checks)),
            )
            if merged.commit:
                state.head_commit = progress.merged = merged.commit
        progress.conflicts += bool(merged.conflicts)
        progress.misses += not merged.commit and not merged.conflicts
        after = commander.after_merge(merged, progress, self._mission.options)
        if isinstance(after, commander.Finished):
            progress.state, progress.feedback = TodoState.DONE, ()
            self._note(f"{todo.id} done, merged {merged.commit[:8]}")
        else:
            stage = Stage.CONFLICT if merged.conflicts else Stage.RED
            state.end_attempt(todo.id, stage=stage, outcome=after.feedback[0], checks=merged.checks or result.checks)
            self._note(f"{todo.id} not merged: {after.feedback[0][:120]}")
        if not state.all_done:  # else sealing shows it
            self._show(MissionStatus.RUNNING)
        return after

    async def _seal(self) -> None:
        """Every check on the merged commit, then a last look at the whole; a no is the planner's next round."""
        state = self._state
        self._show(MissionStatus.SEALING)
        sealed = await self._check_the_whole()
        state.seal = sealed.evidence
        if not sealed.green:
            state.replan_because = ("the merged whole is red", *commander.red(sealed.evidence))
            self._note("seal: a check is red on the merged whole")
            return
        if commander.needs_final_review(state, self._mission.options):
            review = await self._review_the_whole()
            state.usage += review.usage
            state.final_verdict = review.verdict
            if review.verdict is None:
                self._end(MissionStatus.FAILED, f"the final reviewer gave no valid verdict: {review.problem}")
                return
            if not review.verdict.approved:
                issues = review.verdict.issues or (review.verdict.summary or "no reason given",)
                state.replan_because = tuple(f"the final review: {issue}" for issue in issues)
                self._note(f"final review: {issues[0][:120]}")
                return
        self._end(MissionStatus.SEALED, f"{len(state.done)} TODOs done, checked, merged and sealed")

    async def _check_the_whole(self) -> CheckResult:
        state, commands = self._state, self._state.seal_commands()
        return await workflow.execute_activity_method(
            CheckActivities.check_the_whole,
            CheckOrder(
                mission=self._facts,
                holder=holder(self._facts.mission_id, "final"),
                commit=state.head_commit,
                commands=commands,
                label=f"seal-{state.round}",
            ),
            task_queue=self._facts.host_queue,
            summary=f"{len(commands)} checks on the merged whole",
            **activity_options.checks(self._mission.options.check_minutes, len(commands)),
        )

    async def _review_the_whole(self) -> ReviewResult:
        state = self._state
        return await workflow.execute_child_workflow(
            ReviewerWorkflow.run,
            ReviewOrder(
                mission=self._facts,
                attempt=state.round,
                commit=state.head_commit,
                base=state.base_commit,
                checks=state.seal,
                plan=state.plan,
            ),
            id=f"{self._facts.mission_id}/final/reviewer-{state.round}",
            static_summary="Final review of the whole",
            priority=self._priority,
        )

    # the end, and the end of a run

    async def _stop_everything(self) -> None:
        """Cancel what runs and wait until every session is aborted and its work saved."""
        self._stop_growing()
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._running.clear()
        for progress in self._state.progress.values():
            if progress.state not in (TodoState.DONE, TodoState.OPEN, TodoState.FAILED):
                progress.state = TodoState.CANCELLED

    def _stop_growing(self) -> None:
        if self._growing is not None:
            self._growing.cancel()

    def _end(self, status: MissionStatus, reason: str) -> None:
        self._stop_growing()
        self._state.ended = workflow.now()
        self._show(status, reason)
        self._note(f"{status.value}: {reason[:200]}")

    async def _close(self) -> MissionReport:
        """Free the slots, save what lies in them, write the last report."""
        report = self._report()
        await workflow.execute_activity_method(
            WorkspaceActivities.close_mission,
            CloseOrder(self._facts, report),
            task_queue=self._facts.host_queue,
            summary=report.status.value,
            **activity_options.FILES,
        )
        return report

    def _history_is_long(self) -> bool:
        limit = self._mission.continue_after_events
        info = workflow.info()
        return info.is_continue_as_new_suggested() or 0 < limit <= info.get_current_history_length()

    async def _continue_as_new(self) -> None:
        self._stop_growing()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(replace(self._mission, state=self._state), memo=dict(workflow.memo()))

    # what others see

    @property
    def _priority(self) -> Priority:
        return Priority(fairness_key=self._facts.mission_id)

    def _note(self, text: str) -> None:
        self._state.note(workflow.now(), text)
        workflow.set_current_details(mission_view.details(self._report()))

    def _show(self, status: MissionStatus, reason: str = "") -> None:
        self._state.status, self._state.reason = status, reason
        self._shown.upsert(self._report())

    def _report(self) -> MissionReport:
        mission = self._mission
        return self._state.report(
            mission.mission_id,
            mission.objective,
            mission_branch(mission.mission_id),
            mission.options.max_rounds,
        )


def _deepest(error: BaseException) -> str:
    """The message of the failure at the bottom: what a person can act on."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "message", str(error)) or type(error).__name__
