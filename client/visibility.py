"""The list of missions as Temporal's visibility store has it, read without trusting its every value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.converter import decode_typed_search_attributes

from runtime.temporal import MISSION_PROGRESS, MISSION_STATUS

MISSIONS = '`WorkflowType`="mission" AND `ExecutionStatus`!="ContinuedAsNew"'
"""Earlier runs of a mission that went on as a new one would show it twice."""

PAGE = 200

_ENDED_BY_TEMPORAL = {"Canceled": "cancelled", "Failed": "failed", "Terminated": "terminated", "TimedOut": "timed out"}


@dataclass(frozen=True)
class MissionRow:
    id: str
    #: A `MissionStatus`, or whatever Temporal says of it that we have no word for.
    status: str
    progress: int
    started: datetime
    ended: datetime | None
    objective: str
    project: str

    @property
    def running(self) -> bool:
        return self.ended is None


async def list_missions(client: Client, limit: int) -> list[MissionRow]:
    """Newest first.

    Read from the raw answer: the client's own list raises on the whole page when one workflow has a status it does
    not know, and one paused by hand has.
    """
    rows: list[MissionRow] = []
    token = b""
    while len(rows) < limit:
        request = ListWorkflowExecutionsRequest(
            namespace=client.namespace, query=MISSIONS, page_size=min(PAGE, limit), next_page_token=token
        )
        answer = await client.workflow_service.list_workflow_executions(request, retry=True)
        rows += [await _row(client, info) for info in answer.executions]
        token = answer.next_page_token
        if not token:
            break
    return rows[:limit]


async def _row(client: Client, info: WorkflowExecutionInfo) -> MissionRow:
    attributes = decode_typed_search_attributes(info.search_attributes)
    memo = {name: (await client.data_converter.decode([payload]))[0] for name, payload in info.memo.fields.items()}
    return MissionRow(
        id=info.execution.workflow_id,
        status=_status(info.status, attributes.get(MISSION_STATUS)),
        progress=attributes.get(MISSION_PROGRESS) or 0,
        started=info.start_time.ToDatetime(UTC),
        ended=info.close_time.ToDatetime(UTC) if info.HasField("close_time") else None,
        objective=_text(memo, "objective"),
        project=_text(memo, "project"),
    )


def _status(execution: int, own: str | None) -> str:
    """The mission's own word while Temporal agrees; one that was terminated never got to say its last."""
    try:
        name = WorkflowExecutionStatus.Name(execution)  # type: ignore[arg-type]  # any number may come
    except ValueError:
        return f"unknown ({execution})"
    word = "".join(part.capitalize() for part in name.removeprefix("WORKFLOW_EXECUTION_STATUS_").split("_"))
    said_its_last = word == "Failed" and own in ("failed", "exhausted")
    if own and (word in ("Running", "Completed") or said_its_last):
        return own
    return _ENDED_BY_TEMPORAL.get(word, word.lower())


def _text(memo: Mapping[str, object], key: str) -> str:
    value = memo.get(key)
    return value if isinstance(value, str) else ""
