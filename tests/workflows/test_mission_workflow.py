import asyncio
from collections.abc import Awaitable

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from mission.answers import Verdict
from mission.messages import PlanTurn, WorkTurn
from mission.options import MissionOptions
from mission.plan import PlanAnswer
from mission.report import MissionReport, MissionStatus, Stage, TodoState
from tests.workflows.missions import run, serving, start, todo, world
from workflows.mission import MissionWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_mission_plans_works_merges_and_seals(client: Client, task_queue: str) -> None:
    told = world((todo("T1"), todo("T2", "T1")))
    report = await run(client, task_queue, told)
    assert report.status is MissionStatus.SEALED
    assert told.calls == [
        *("T1 work 1", "T1 review 1", "T1 merge"),
        *("T2 work 1", "T2 review 1", "T2 merge"),
        *("seal", "final review 1"),
    ]
    assert [check.command for check in report.seal] == ["check", "the-projects-tests"]
    assert report.usage.turns == 6
    assert told.closed == [report]


async def test_what_is_independent_runs_side_by_side(client: Client, task_queue: str) -> None:
    together = asyncio.Barrier(3)
    told = world((todo("T1"), todo("T2"), todo("T3")))
    told.during_work = lambda turn: asyncio.wait_for(together.wait(), 10)
    assert (await run(client, task_queue, told)).status is MissionStatus.SEALED


async def test_no_more_run_at_once_than_asked_for(client: Client, task_queue: str) -> None:
    running, most = 0, 0

    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1

    told = world(tuple(todo(f"T{n}") for n in range(1, 6)))
    told.during_work = lambda turn: count()
    await run(client, task_queue, told, MissionOptions(parallel=2))
    assert most == 2


async def test_lanes_grow_while_agents_are_slow(client: Client, task_queue: str) -> None:
    """A mission starts with three lanes; four agents that wait for each other only end if a fourth one opens."""
    together = asyncio.Barrier(4)
    told = world(tuple(todo(f"T{n}") for n in range(1, 5)))
    told.during_work = lambda turn: asyncio.wait_for(together.wait(), 20)
    assert (await run(client, task_queue, told, MissionOptions(parallel=4))).status is MissionStatus.SEALED


async def test_red_checks_send_the_work_back_with_the_evidence(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.red = lambda order: order.label == "T1-1"
    feedback: list[tuple[str, ...]] = []
    told.during_work = lambda turn: feedback.append(turn.order.feedback)
    report = await run(client, task_queue, told)
    assert [attempt.stage for attempt in report.todos[0].attempts] == [Stage.RED, Stage.APPROVED]
    assert feedback == [(), ("`check` ended with exit code 1:\nlast lines",)]


async def test_a_rejection_sends_the_work_back_with_the_issues(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.verdict = lambda turn: Verdict(approved=turn.order.attempt == 2, issues=("too short",))
    report = await run(client, task_queue, told)
    first, second = report.todos[0].attempts
    assert (first.stage, first.outcome, second.stage) == (Stage.REJECTED, "too short", Stage.APPROVED)
    assert first.session == second.session


async def test_an_agent_that_fails_gets_a_new_session(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.work_failure = lambda turn: "context too long" if turn.order.attempt == 1 else ""
    report = await run(client, task_queue, told)
    assert [attempt.session for attempt in report.todos[0].attempts] == ["ses_T1_1", "ses_T1_2"]


async def test_an_invalid_report_is_repaired_in_the_same_attempt(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.work_problem = lambda turn: "no JSON" if turn.key.repair < 2 else ""
    report = await run(client, task_queue, told)
    assert report.todos[0].attempts[0].stage is Stage.APPROVED
    assert told.turns["worker", "T1", 1, 2] == 1


async def test_an_answer_that_stays_invalid_fails_the_attempt(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.work_problem = lambda turn: "no JSON" if turn.order.attempt == 1 else ""
    report = await run(client, task_queue, told)
    assert [attempt.stage for attempt in report.todos[0].attempts] == [Stage.FAILED, Stage.APPROVED]
    assert told.turns["worker", "T1", 1, 3] == 0


async def test_a_conflict_is_resolved_by_the_agent_and_merged(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.conflict = lambda order: order.attempt == 1
    report = await run(client, task_queue, told)
    assert told.calls[:5] == ["T1 work 1", "T1 review 1", "T1 merge", "T1 resolve 2", "T1 merge"]
    assert report.todos[0].attempts[0].stage is Stage.CONFLICT
    assert report.status is MissionStatus.SEALED


async def test_what_is_red_only_when_merged_is_reworked(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),))
    told.red_when_merged = lambda order: order.attempt == 1
    report = await run(client, task_queue, told)
    assert [attempt.stage for attempt in report.todos[0].attempts] == [Stage.RED, Stage.APPROVED]


async def test_a_todo_that_fails_three_times_is_planned_again(client: Client, task_queue: str) -> None:
    told = world((todo("T1"), todo("T2")), (todo("T1", "T2"),))
    told.red = lambda order: order.label in ("T1-1", "T1-2", "T1-3")
    report = await run(client, task_queue, told)
    assert (report.status, report.round) == (MissionStatus.SEALED, 2)
    assert len(report.todos[0].attempts) == 4


async def test_a_red_seal_is_the_planners_next_round(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),), (todo("T2"),))
    told.red = lambda order: order.label == "seal-1"
    report = await run(client, task_queue, told)
    assert (report.status, report.round, report.done) == (MissionStatus.SEALED, 2, 2)


async def test_a_no_of_the_final_review_is_the_planners_next_round(client: Client, task_queue: str) -> None:
    told = world((todo("T1"), todo("T2")), (todo("T3"),))
    told.verdict = lambda turn: Verdict(
        approved=turn.order.todo is not None or turn.order.attempt == 2, issues=("no docs",)
    )
    report = await run(client, task_queue, told)
    assert (report.status, report.round) == (MissionStatus.SEALED, 2)


async def test_a_single_todo_needs_one_worker_and_one_review(client: Client, task_queue: str) -> None:
    told = world(PlanAnswer(level="L1", todos=(todo("T1"),)))
    report = await run(client, task_queue, told)
    assert report.usage.turns == 3
    assert told.calls == ["T1 work 1", "T1 review 1", "T1 merge", "seal"]


@pytest.mark.parametrize(("review", "reviews"), [("every", 3), ("final", 1), ("none", 0)])
async def test_reviews_are_as_many_as_asked_for(client: Client, task_queue: str, review: str, reviews: int) -> None:
    told = world((todo("T1"), todo("T2")))
    await run(client, task_queue, told, MissionOptions.model_validate({"review": review}))
    assert sum(turns for turn, turns in told.turns.items() if turn[0] == "reviewer") == reviews


async def test_a_mission_that_never_gets_there_ends_exhausted(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),), (todo("T2"),))
    told.red = lambda order: order.label.startswith("seal")
    report = await run(client, task_queue, told, MissionOptions(max_rounds=2))
    assert report.status is MissionStatus.EXHAUSTED
    assert report.reason.startswith("all 2 rounds are used up: the merged whole is red")


async def test_a_planner_without_a_way_on_ends_the_mission(client: Client, task_queue: str) -> None:
    told = world((todo("T1"),), ())
    told.red = lambda order: order.label.startswith("seal")
    report = await run(client, task_queue, told)
    assert report.status is MissionStatus.FAILED
    assert "saw no way on" in report.reason


async def test_a_plan_that_stays_invalid_fails_the_mission(client: Client, task_queue: str) -> None:
    told = world(())

    def cycle(turn: PlanTurn) -> str:
        return "the dependencies form a cycle"

    told.plan_problem = cycle
    report = await run(client, task_queue, told)
    assert report.reason == "the planner gave no valid plan: the dependencies form a cycle"
    assert sum(told.turns.values()) == 3


async def test_a_project_that_cannot_be_used_fails_the_mission_with_the_reason(client: Client, task_queue: str) -> None:
    told = world(())
    told.refused = "/nowhere does not exist"
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "failed"
    assert failure.value.cause.message == "/nowhere does not exist"


def waiting_for_cancellation(begun: asyncio.Event) -> Awaitable[None]:
    async def wait() -> None:
        from temporalio import activity

        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    return wait()


async def test_cancelling_reaches_the_running_work_and_is_closed_in_order(client: Client, task_queue: str) -> None:
    begun = asyncio.Event()
    told = world((todo("T1"), todo("T2", "T1")))
    told.during_work = lambda turn: waiting_for_cancellation(begun)
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        await asyncio.wait_for(begun.wait(), 10)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, CancelledError)
        child = await client.get_workflow_handle(f"{handle.id}/T1/worker-1").describe()
    assert child.status is WorkflowExecutionStatus.CANCELED
    assert [report.status for report in told.closed] == [MissionStatus.CANCELLED]
    assert [one.state for one in told.closed[0].todos] == [TodoState.CANCELLED, TodoState.OPEN]


async def test_cancelling_one_attempt_by_hand_costs_that_attempt_only(client: Client, task_queue: str) -> None:
    begun = asyncio.Event()

    def work(turn: WorkTurn) -> object:
        return waiting_for_cancellation(begun) if turn.order.attempt == 1 else None

    told = world((todo("T1"),))
    told.during_work = work
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        await asyncio.wait_for(begun.wait(), 10)
        await client.get_workflow_handle(f"{handle.id}/T1/worker-1").cancel()
        report = await handle.result()
    assert report.status is MissionStatus.SEALED
    assert report.todos[0].attempts[0].outcome == "this attempt was cancelled by hand"


async def test_a_planner_cancelled_by_hand_fails_the_mission_and_does_not_cancel_it(
    client: Client, task_queue: str
) -> None:
    begun = asyncio.Event()
    told = world((todo("T1"),))
    told.during_plan = lambda turn: waiting_for_cancellation(begun)
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        await asyncio.wait_for(begun.wait(), 10)
        await client.get_workflow_handle(f"{handle.id}/plan-1").cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "failed"
    assert [report.status for report in told.closed] == [MissionStatus.FAILED]


async def test_a_long_mission_continues_as_new_and_loses_nothing(client: Client, task_queue: str) -> None:
    told = world(tuple(todo(f"T{n}", *([f"T{n - 1}"] if n > 1 else [])) for n in range(1, 9)))
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue, continue_after_events=60)
        report: MissionReport = await handle.result()
    runs = [run async for run in client.list_workflows(f'WorkflowId = "{handle.id}"')]
    assert report.status is MissionStatus.SEALED
    assert len(runs) > 2
    assert set(told.turns.values()) == {1}
    assert len(report.events) == 1 + 8 * 2 + 1  # planned, begun and merged eight times, sealed


async def test_the_report_can_be_asked_for_while_it_runs(client: Client, task_queue: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go_on.wait()

    told = world((todo("T1"),))
    told.during_work = lambda turn: wait()
    async with serving(client, task_queue, told):
        handle = await start(client, task_queue)
        await asyncio.wait_for(begun.wait(), 10)
        report = await handle.query(MissionWorkflow.status)
        go_on.set()
        await handle.result()
    assert (report.status, report.todos[0].state) == (MissionStatus.RUNNING, TodoState.WORKING)
    assert report.branch.startswith("mission/test-")
