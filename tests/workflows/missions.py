"""Running whole missions on a real Temporal server with activities from `stand_ins`."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from mission.messages import MissionInput
from mission.options import MissionOptions
from mission.plan import PlanAnswer, Todo
from mission.report import MissionReport
from tests.workflows.stand_ins import World
from workflows.mission import MissionWorkflow
from workflows.planner import PlannerWorkflow
from workflows.reviewer import ReviewerWorkflow
from workflows.todo_worker import TodoWorkerWorkflow

WORKFLOWS = [MissionWorkflow, PlannerWorkflow, TodoWorkerWorkflow, ReviewerWorkflow]

Handle = WorkflowHandle[MissionWorkflow, MissionReport]


def todo(todo_id: str, *depends_on: str, files: tuple[str, ...] = (), checks: tuple[str, ...] = ("check",)) -> Todo:
    return Todo(id=todo_id, title=f"do {todo_id}", depends_on=depends_on, files=files, checks=checks)


@contextlib.asynccontextmanager
async def serving(client: Client, task_queue: str, world: World) -> AsyncIterator[None]:
    async with (
        Worker(client, task_queue=task_queue, workflows=WORKFLOWS),
        Worker(
            client,
            task_queue=f"{task_queue}-host",
            activities=world.activities,
            max_heartbeat_throttle_interval=timedelta(milliseconds=200),
        ),
    ):
        yield


async def start(
    client: Client, task_queue: str, options: MissionOptions | None = None, continue_after_events: int = 0
) -> Handle:
    mission_id = f"mission-test-{uuid.uuid4().hex[:6]}"
    return await client.start_workflow(
        MissionWorkflow.run,
        MissionInput(
            mission_id=mission_id,
            objective="Do it",
            directory="somewhere",
            host_queue=f"{task_queue}-host",
            options=options or MissionOptions(),
            continue_after_events=continue_after_events,
        ),
        id=mission_id,
        task_queue=task_queue,
    )


async def run(client: Client, task_queue: str, world: World, options: MissionOptions | None = None) -> MissionReport:
    """The mission's last report, however it ended."""
    async with serving(client, task_queue, world):
        return await ended(await start(client, task_queue, options))


async def ended(handle: Handle) -> MissionReport:
    with contextlib.suppress(WorkflowFailureError):
        return await handle.result()
    return await handle.query(MissionWorkflow.status)


def world(*plans: PlanAnswer | tuple[Todo, ...]) -> World:
    return World([plan if isinstance(plan, PlanAnswer) else PlanAnswer(todos=plan) for plan in plans])
