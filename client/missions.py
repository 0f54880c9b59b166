"""MissionClient: start, look at, list, cancel and await missions, over Temporal."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import (
    QueryRejectCondition,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError, RPCStatusCode

from client.errors import CommandFailed, ConnectionLost, PartMissing, UnknownMission
from client.mission_folders import kept_report, known_ids, remember
from client.mission_ids import find_mission_id
from client.new_mission import NewMission, start_mission
from client.stack.records import SUPERVISOR, living
from client.visibility import MissionRow, list_missions
from mission.report import AttemptView, MissionReport, MissionStatus, TodoState, TodoView
from runtime.settings import Settings
from runtime.temporal import MISSION_STATUS, TemporalUnreachable, connect, is_external

MOST_LISTED = 1_000

PATIENCE = timedelta(seconds=3)
"""A worker answers a query within milliseconds; without one there is no answer at all."""

RESTART_WITHIN = 10.0
"""Seconds a killed Temporal may take to be back."""

TEMPORAL_WITHIN = timedelta(seconds=5)
"""For what Temporal answers itself."""

_REPORT = TypeAdapter(MissionReport)


class MissionClient:
    """Everything a person or a program can ask of missions. Errors are `UserError`s that say what to do."""

    def __init__(self, client: Client, settings: Settings, patience: timedelta = PATIENCE) -> None:
        """`patience`: how long a worker may take to answer."""
        self._client = client
        self._settings = settings
        self._patience = patience

    @classmethod
    async def connect(cls, settings: Settings) -> Self:
        """Raises `TemporalError` when it cannot. Waits a little for a server that the supervisor starts again."""
        deadline = time.monotonic() + RESTART_WITHIN
        while True:
            try:
                return cls(await connect(settings), settings)
            except TemporalUnreachable:
                if is_external() or not living(settings, SUPERVISOR) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)

    @property
    def namespace(self) -> str:
        return self._client.namespace

    async def start(self, mission: NewMission) -> None:
        """The mission runs from here on, whatever becomes of us."""
        remember(self._settings, mission.mission_id, mission.directory)
        with _failures_of_temporal():
            await start_mission(self._client, self._settings, mission)

    async def report(self, mission_id: str) -> MissionReport:
        """The mission now: from its workflow, or else the last that was written of it, which it then says."""
        handle = self._handle(mission_id)
        with _failures_of_temporal(mission_id):
            try:
                report = await self._query(handle, reject=QueryRejectCondition.NOT_OPEN)
            except WorkflowQueryRejectedError:
                return await self._closed_report(handle)
            except _NoWorkerAnswers:
                return await self._written_report(handle, "no worker answers: this is what was last written")
        return await self._with_stages(report)

    async def wait(self, mission_id: str) -> MissionReport:
        """Returns when the mission has ended, with its last report."""
        with _failures_of_temporal(mission_id):
            try:
                return await self._handle(mission_id).result()
            except WorkflowFailureError:
                return await self._closed_report(self._handle(mission_id))

    async def cancel(self, mission_id: str) -> bool:
        """Ask for it; False if the mission has ended already. Returns before every child has stopped."""
        with _failures_of_temporal(mission_id):
            description = await self._handle(mission_id).describe(rpc_timeout=TEMPORAL_WITHIN)
            if description.close_time is not None:
                return False
            await self._handle(mission_id).cancel()
            return True

    async def list(self, limit: int = MOST_LISTED) -> "list[MissionRow]":
        """Newest first. A mission appears about a second after its start."""
        with _failures_of_temporal():
            return await list_missions(self._client, limit)

    async def find(self, wanted: str) -> str:
        """The id that is meant; `UnknownMission` offers the nearest."""
        with _failures_of_temporal():
            try:
                await self._handle(wanted).describe(rpc_timeout=TEMPORAL_WITHIN)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                return wanted
            known = {row.id for row in await list_missions(self._client, MOST_LISTED)}
        return find_mission_id(wanted, known | known_ids(self._settings, Path.cwd()))

    def _handle(self, mission_id: str) -> WorkflowHandle[Any, MissionReport]:
        return self._client.get_workflow_handle(mission_id, result_type=MissionReport)

    async def _query(
        self, handle: WorkflowHandle[Any, MissionReport], reject: QueryRejectCondition | None = None
    ) -> MissionReport:
        """Raises `_NoWorkerAnswers`."""
        try:
            report: MissionReport = await handle.query(
                "status", result_type=MissionReport, reject_condition=reject, rpc_timeout=self._patience
            )
        except RPCError as error:
            if error.status in _NOBODY:
                raise _NoWorkerAnswers from error
            raise
        except WorkflowQueryFailedError as error:  # a worker whose code cannot read this mission
            raise _NoWorkerAnswers from error
        return report

    async def _closed_report(self, handle: WorkflowHandle[Any, MissionReport]) -> MissionReport:
        """From the result or the failure, which hold it whole and need no worker."""
        try:
            return await handle.result()
        except WorkflowFailureError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and (report := _report_in(cause)):
                return report
            status = MissionStatus.CANCELLED if isinstance(cause, CancelledError) else MissionStatus.FAILED
            reason = "cancelled" if status is MissionStatus.CANCELLED else f"ended by Temporal: {cause}"
            try:
                last = await self._query(handle)
            except _NoWorkerAnswers:
                last = await self._written_report(handle, "no worker answers: this is what was last written")
            return last if last.status.ended else replace(last, status=status, reason=reason)

    async def _written_report(self, handle: WorkflowHandle[Any, MissionReport], why: str) -> MissionReport:
        """From the project's folder; without one, the little that Temporal itself knows."""
        description = await handle.describe(rpc_timeout=TEMPORAL_WITHIN)
        directory = Path(str(await description.memo_value("project", ".")))
        report = kept_report(self._settings, handle.id, directory)
        report = report or await _skeleton(description)
        return replace(report, notes=(*report.notes, why))

    async def _with_stages(self, report: MissionReport) -> MissionReport:
        """The running attempts as their own workflows see them: working, checking, reviewing."""
        running = [todo for todo in report.todos if todo.state is TodoState.WORKING and _runs(todo)]
        views = await asyncio.gather(*(self._attempt(report.mission_id, todo) for todo in running))
        seen = {todo.id: view for todo, view in zip(running, views, strict=True) if view is not None}
        return replace(report, todos=tuple(_seen(todo, seen.get(todo.id)) for todo in report.todos))

    async def _attempt(self, mission_id: str, todo: TodoView) -> AttemptView | None:
        worker = f"{mission_id}/{todo.id}/worker-{todo.attempts[-1].number}"
        try:
            view: AttemptView = await self._client.get_workflow_handle(worker).query(
                "status", result_type=AttemptView, rpc_timeout=self._patience
            )
        except (RPCError, WorkflowQueryFailedError):
            return None  # about to start, or just ended: the mission's own view will do
        return view


def ui_link(ui: str, namespace: str, mission_id: str) -> str:
    """The mission's page in the Temporal UI; a plain slash or blank in an id would be a wrong page."""
    return f"{ui}/namespaces/{quote(namespace, safe='')}/workflows/{quote(mission_id, safe='')}"


class _NoWorkerAnswers(Exception):
    """Temporal is there, and nobody who could tell."""


_NOBODY = (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
"""What a query comes to without a worker: refused at once, or our patience is over."""


@contextmanager
def _failures_of_temporal(mission_id: str = "") -> Iterator[None]:
    """The one place where its errors become ours."""
    try:
        yield
    except RPCError as error:
        match error.status:
            case RPCStatusCode.NOT_FOUND if mission_id:
                raise UnknownMission(f"no mission has the id {mission_id!r}; `mission list` shows all") from error
            case RPCStatusCode.UNAVAILABLE | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
                raise ConnectionLost(f"Temporal does not answer any more: {error.message}") from error
            case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
                raise PartMissing(f"Temporal refuses our credentials: {error.message}") from error
            case _:
                raise CommandFailed(f"Temporal refused: {error.message}") from error


def _report_in(error: ApplicationError) -> MissionReport | None:
    try:
        return _REPORT.validate_python(error.details[0])
    except (IndexError, ValidationError):
        return None


async def _skeleton(description: WorkflowExecutionDescription) -> MissionReport:
    """All that is known without worker and files."""
    own = description.typed_search_attributes.get(MISSION_STATUS) or ""
    return MissionReport(
        mission_id=description.id,
        objective=str(await description.memo_value("objective", "")),
        directory=str(await description.memo_value("project", "")),
        status=MissionStatus(own) if own in list(MissionStatus) else MissionStatus.PREPARING,
        started=description.start_time,
        ended=description.close_time,
        branch=str(await description.memo_value("branch", "")),
    )


def _runs(todo: TodoView) -> bool:
    return bool(todo.attempts) and todo.attempts[-1].ended is None


def _seen(todo: TodoView, view: AttemptView | None) -> TodoView:
    if view is None:
        return todo
    return replace(todo, attempts=(*todo.attempts[:-1], replace(view, started=todo.attempts[-1].started)))
