"""What the stack is made of: how each part is started, when it is ready, how long it may take to end."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from client.stack.ports import HOST, Ports
from client.stack.records import MODEL, TEMPORAL, WORKER
from runtime.settings import Settings
from runtime.temporal import SEARCH_ATTRIBUTES, TemporalUnreachable, connect, temporal_command, value_type

ROOT = Path(__file__).parents[2]
"""Where our packages and `worker.py` lie: the clone, or the environment we are installed in."""

WORKER_PROGRAM = ROOT / "worker.py"

Ready = Callable[[int], Awaitable[bool]]
"""Told the process id, says whether the part answers."""


@dataclass(frozen=True)
class Part:
    name: str
    #: What a person reads: "Temporal", "worker".
    label: str
    command: tuple[str, ...]
    ready: Ready
    #: Seconds until it is ready, at most; a loaded machine is slow.
    patience: float
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Where it runs; None: in the stack's home, so that it holds no folder of the user's.
    folder: Path | None = None
    #: For its record: how others reach it.
    facts: Mapping[str, str | int] = field(default_factory=dict)


def temporal_part(settings: Settings, ports: Ports, namespace: str) -> Part:
    """The dev server on a file, tuned: its defaults cost 50 ms a hop, and slow disks make that worse."""
    address = f"{HOST}:{ports.temporal}"
    command = [str(temporal_command()), "server", "start-dev", "--ip", HOST]
    command += ["--port", str(ports.temporal), "--ui-port", str(ports.ui), "--db-filename", str(settings.database)]
    command += ["--namespace", namespace, "--ui-disable-news-fetch", "--log-level", "error"]
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
    for value in (
        "history.transferProcessorMaxPollRPS=2000",
        "history.timerProcessorMaxPollRPS=2000",
        "matching.enableFairness=true",
    ):
        command += ["--dynamic-config-value", value]
    for key in SEARCH_ATTRIBUTES:
        command += ["--search-attribute", f"{key.name}={value_type(key)}"]

    async def ready(_: int) -> bool:
        try:
            await connect(settings)
        except TemporalUnreachable:
            return False
        return True

    return Part(
        name=TEMPORAL,
        label="Temporal",
        command=tuple(command),
        ready=ready,
        patience=60,
        facts={"address": address, "ui": f"http://{HOST}:{ports.ui}", "port": ports.temporal, "ui_port": ports.ui},
    )


def worker_part(settings: Settings, ports: Ports, program: Path = WORKER_PROGRAM) -> Part:
    async def ready(pid: int) -> bool:
        return await is_served(await connect(settings), settings, pid)

    return Part(
        name=WORKER,
        label="worker",
        command=(sys.executable, str(program)),
        ready=ready,
        patience=60,
        environment={"MISSION_HOME": str(settings.home), "MISSION_MODEL_URL": f"http://{HOST}:{ports.model}/v1"},
        facts={"queue": settings.task_queue, "host_queue": settings.host_queue()},
    )


def model_part(settings: Settings, ports: Ports) -> Part:
    async def ready(_: int) -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=1) as http:
            try:
                return (await http.get(f"http://{HOST}:{ports.model}/health")).is_success
            except httpx.TransportError:
                return False

    return Part(
        name=MODEL,
        label="scripted model",
        command=(
            *(sys.executable, "-m", "adapters.scripted_model"),
            *("--scenarios", str(settings.scenarios), "--port", str(ports.model)),
        ),
        ready=ready,
        patience=20,
        folder=ROOT,  # `-m` looks for our packages where it runs
        facts={"url": f"http://{HOST}:{ports.model}/v1", "port": ports.model},
    )


async def is_served(client: Client, settings: Settings, pid: int | None = None) -> bool:
    """True if a worker asks for work on both queues: the one with this process id, or any.

    Temporal remembers a dead worker's polls for minutes, so a process id tells more than a poll.
    """
    queues = (
        (settings.task_queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        (settings.host_queue(), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    )
    for name, kind in queues:
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind
        )
        try:
            answer = await client.workflow_service.describe_task_queue(request)
        except RPCError:
            return False
        if not any(pid is None or poller.identity.startswith(f"{pid}@") for poller in answer.pollers):
            return False
    return True
