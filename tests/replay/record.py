"""Record histories of today's workflows: `python -m tests.replay.record NAME [--replace]`.

Missions run on a real Temporal server with activities replaced by name; every workflow's history, children and
continued runs included, becomes one file below `histories/NAME/`. NAME is the version that will have them.
"""

import argparse
import asyncio
import json
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from runtime.temporal import SEARCH_ATTRIBUTES, leave, temporal_command
from tests.replay.histories import FOLDER
from tests.replay.missions import MISSIONS, RecordedMission
from tests.workflows.missions import Handle, ended, serving, start

OF_THE_MACHINE = {"identity", "stackTrace", "workerVersion", "binaryChecksum", "taskId", "namespaceId"}
"""Keys that tell where a history was recorded and that no replay looks at."""

STICKY = "TASK_QUEUE_KIND_STICKY"
"""Queues of one worker process; their names hold its host."""


async def record(client: Client, folder: Path) -> None:
    """Every mission at the same time: some wait for timers."""
    await asyncio.gather(*(_record(client, folder / name, mission) for name, mission in MISSIONS.items()))


async def _record(client: Client, folder: Path, mission: RecordedMission) -> None:
    task_queue = f"record-{uuid.uuid4().hex[:6]}"
    world = mission.world()
    async with serving(client, task_queue, world):
        handle = await start(client, task_queue, mission.options, mission.continue_after_events)
        if mission.cancelled:
            await _until_an_agent_works(handle, world.calls)
            await handle.cancel()
        await ended(handle)
    folder.mkdir(parents=True)
    async for name, history in _histories(client, handle.id, handle.first_execution_run_id or ""):
        (folder / f"{name}.json").write_text(as_kept(history))


async def _until_an_agent_works(handle: Handle, calls: list[str]) -> None:
    while not calls:  # noqa: ASYNC110 - the stand-ins only keep a list
        await asyncio.sleep(0.02)


async def _histories(client: Client, mission_id: str, run_id: str) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    """Of the workflow, the runs that continue it, and all their children; with a short name for each."""
    waiting = [(mission_id, run_id)]
    seen: list[str] = []
    while waiting:
        workflow_id, run_id = waiting.pop(0)
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        seen.append(workflow_id)
        yield _name(mission_id, workflow_id, seen.count(workflow_id)), history
        waiting += _children(history) + _continued(history, workflow_id)


def _name(mission_id: str, workflow_id: str, run: int) -> str:
    part = workflow_id.removeprefix(mission_id).strip("/").replace("/", "-") or "mission"
    return part if run == 1 else f"{part}-run-{run}"


def _children(history: WorkflowHistory) -> list[tuple[str, str]]:
    started = [
        event.child_workflow_execution_started_event_attributes.workflow_execution
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
    ]
    return [(child.workflow_id, child.run_id) for child in started]


def _continued(history: WorkflowHistory, workflow_id: str) -> list[tuple[str, str]]:
    following = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return [(workflow_id, following)] if following else []


def as_kept(history: WorkflowHistory) -> str:
    """One event a line, without what tells about the machine."""
    events = json.loads(history.to_json(), object_hook=_without_the_machine)["events"]
    return '{"events": [\n' + ",\n".join(json.dumps(event) for event in events) + "\n]}\n"


def _without_the_machine(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if name not in OF_THE_MACHINE and not (isinstance(value, dict) and value.get("kind") == STICKY)
    }


async def main() -> None:
    reader = argparse.ArgumentParser(description="Record histories of today's workflows.")
    reader.add_argument("name", help="the version that will have them, for instance 0.2.0")
    reader.add_argument("--replace", action="store_true", help="only while no release has them")
    asked = reader.parse_args()
    folder = FOLDER / asked.name
    if folder.exists() and not asked.replace:
        reader.error(f"{folder} is there already; a released version's recordings are never changed")
    shutil.rmtree(folder, ignore_errors=True)
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(temporal_command()),
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
    )
    async with environment:
        await record(environment.client, folder)


if __name__ == "__main__":
    asyncio.run(main())
    leave(0)
