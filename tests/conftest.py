"""One real Temporal dev server a test process, and what tests share."""

import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from runtime.temporal import SEARCH_ATTRIBUTES

TEMPORAL = Path(sys.executable).with_name("temporal")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """The official dev server in memory, on a free port."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL if TEMPORAL.exists() else shutil.which("temporal")),
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=[
            "--dynamic-config-value",
            "history.transferProcessorMaxPollRPS=2000",
            "--dynamic-config-value",
            "history.timerProcessorMaxPollRPS=2000",
        ],
    )
    async with environment:
        yield environment


@pytest.fixture
def client(temporal: WorkflowEnvironment) -> Client:
    return temporal.client


@pytest.fixture
def task_queue() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"
