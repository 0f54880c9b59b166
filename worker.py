"""The worker process: reads the settings, makes the adapters, gives them to the activities, serves the queues.

`python worker.py` and `mission worker` are the same. Everything is put together here, and nobody imports it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.agent_server import our_server, running_server
from activities.agent_sessions import AgentSessions, OpenCode
from activities.checks import CheckActivities
from activities.merging import MergeActivities
from activities.planning import PlanningActivities
from activities.publishing import Publisher
from activities.reviewing import ReviewActivities
from activities.working import WorkActivities
from activities.workspaces import WorkspaceActivities, Workspaces
from adapters.opencode.errors import OpenCodeError, OpenCodeUnsupported
from adapters.opencode.sessions import SessionBook
from runtime.settings import Settings
from runtime.temporal import TemporalError, connect, leave
from workflows.mission import MissionWorkflow
from workflows.planner import PlannerWorkflow
from workflows.reviewer import ReviewerWorkflow
from workflows.todo_worker import TodoWorkerWorkflow

log = logging.getLogger("mission.worker")

SESSIONS = 50
"""Activities at the same time on this host, and so OpenCode sessions, at most."""

GRACE = timedelta(seconds=3)
"""What is nearly done may finish after SIGTERM; running turns are left to the next worker, which joins them."""

MISSING_PART = 5
"""Exit code when Temporal or OpenCode cannot be had; the same as the CLI's."""


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    code = 0
    try:
        asyncio.run(serve(Settings.from_environment()))
    except (TemporalError, OpenCodeUnsupported) as error:
        sys.stderr.write(f"Error: {error}\n")
        code = MISSING_PART
    leave(code)


async def serve(settings: Settings) -> None:
    """Raises `TemporalError` or `OpenCodeUnsupported` when it cannot begin."""
    if sys.version_info < (3, 12) and hasattr(os, "pidfd_open"):
        # What Python 3.12 does by itself: no thread for each of the many git commands.
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connect(settings)
    async with (
        opencode(settings) as server,
        publishing(client) as publisher,
        workflow_worker(client, settings),
        host_worker(client, settings, server, publisher),
    ):
        log.info("serving %s and %s", settings.task_queue, settings.host_queue())
        await stop.wait()
        log.info("stopping; running turns are left to the next worker")


def workflow_worker(client: Client, settings: Settings) -> Worker:
    """What any host can do: the workflows."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[MissionWorkflow, PlannerWorkflow, TodoWorkerWorkflow, ReviewerWorkflow],
        # Tasks of a workflow wait so long for a worker that was killed before another one is offered them.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    )


def host_worker(client: Client, settings: Settings, server: OpenCode, publisher: Publisher) -> Worker:
    """What only this host can do: everything that touches its files and its OpenCode."""
    sessions = AgentSessions(
        server,
        SessionBook(settings.opencode_home / "sessions"),
        has_our_agents=settings.opencode_url is None,
    )
    workspaces = Workspaces(settings.repositories, publisher)
    opening = WorkspaceActivities(sessions, workspaces)
    checks = CheckActivities(workspaces)
    return Worker(
        client,
        task_queue=settings.host_queue(),
        activities=[
            opening.prepare_mission,
            PlanningActivities(sessions, workspaces).plan_turn,
            WorkActivities(sessions, workspaces).work_turn,
            checks.run_checks,
            checks.check_the_whole,
            ReviewActivities(sessions, workspaces).review_turn,
            MergeActivities(workspaces).merge,
            opening.close_mission,
        ],
        max_concurrent_activities=SESSIONS,
        graceful_shutdown_timeout=GRACE,
        # Cancellations arrive with heartbeats.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )


@contextlib.asynccontextmanager
async def publishing(client: Client) -> AsyncIterator[Publisher]:
    publisher = Publisher(client)
    async with background(publisher.run()):
        yield publisher


@contextlib.asynccontextmanager
async def opencode(settings: Settings) -> AsyncIterator[OpenCode]:
    """Ours, supervised, or the one that was named. Ours is left running: the next worker adopts it."""
    if settings.opencode_url:
        named = running_server(settings)
        await named.client()  # says at once what is wrong with it
        try:
            yield named
        finally:
            await named.aclose()
        return
    ours = our_server(settings)
    try:
        await ours.start()
    except OpenCodeUnsupported:
        raise
    except OpenCodeError as error:
        log.warning("%s; trying on", error)
    async with background(ours.supervise()):
        try:
            yield ours
        finally:
            await ours.aclose()


@contextlib.asynccontextmanager
async def background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    main()
