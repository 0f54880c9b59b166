"""The worker process: reads the settings, makes the adapters, gives them to the activities, serves the queues.

`python worker.py` and `mission worker` are the same. Everything is put together here, and nobody imports it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.agent_sessions import AgentSessions
from activities.checks import CheckActivities
from activities.merging import MergeActivities
from activities.planning import PlanningActivities
from activities.publishing import Publisher
from activities.reviewing import ReviewActivities
from activities.working import WorkActivities
from activities.workspaces import WorkspaceActivities, Workspaces
from adapters.opencode.errors import OpenCodeError
from adapters.opencode.server import ExternalOpenCode, OpenCodeServer
from runtime.opencode import server_spec
from runtime.settings import Settings
from runtime.temporal import TemporalError, connect
from workflows.mission import MissionWorkflow
from workflows.planner import PlannerWorkflow
from workflows.reviewer import ReviewerWorkflow
from workflows.todo_worker import TodoWorkerWorkflow

log = logging.getLogger("mission.worker")

SESSIONS = 50
"""Activities at the same time on this host, and so OpenCode sessions, at most."""

GRACE = timedelta(seconds=3)
"""What is nearly done may finish after SIGTERM; running turns are left to the next worker, which joins them."""
