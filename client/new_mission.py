"""A mission that is about to start, and what Temporal is told of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError

from mission.messages import MissionInput
from mission.names import mission_branch
from mission.options import MissionOptions
from mission.report import MissionStatus
from runtime.settings import Settings
from runtime.temporal import MISSION_PROGRESS, MISSION_STATUS, register_search_attributes

MEMO_OBJECTIVE = 1_000
"""Characters of the objective that lists carry."""


@dataclass(frozen=True)
class NewMission:
    mission_id: str
    objective: str
    directory: Path
    options: MissionOptions


async def start_mission(client: Client, settings: Settings, mission: NewMission) -> None:
    """Also on a cluster that missions are new to: what they are searched by is registered there first."""
    try:
        await _start(client, settings, mission)
    except RPCError as error:
        if "search attribute" not in error.message.lower():
            raise
        await register_search_attributes(client)
        await _start(client, settings, mission)


async def _start(client: Client, settings: Settings, mission: NewMission) -> None:
    await client.start_workflow(
        "mission",
        MissionInput(
            mission_id=mission.mission_id,
            objective=mission.objective,
            directory=str(mission.directory),
            host_queue=settings.host_queue(),
            options=mission.options,
        ),
        id=mission.mission_id,
        task_queue=settings.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        priority=Priority(fairness_key=mission.mission_id),
        search_attributes=TypedSearchAttributes(
            [
                SearchAttributePair(MISSION_STATUS, MissionStatus.PREPARING.value),
                SearchAttributePair(MISSION_PROGRESS, 0),
            ]
        ),
        memo={
            "objective": mission.objective[:MEMO_OBJECTIVE],
            "project": str(mission.directory),
            "branch": mission_branch(mission.mission_id),
        },
        static_summary=" ".join(mission.objective.split())[:100],
        static_details=_details(mission),
    )


def _details(mission: NewMission) -> str:
    """For the Temporal UI; short, since a mission that continues as new loses it."""
    chosen = mission.options
    models = ", ".join(f"{role} `{model}`" for role, model in chosen.models.items())
    lines = [
        f"**Project** `{mission.directory}`",
        f"**Branch** `{mission_branch(mission.mission_id)}`",
        f"**Model** `{chosen.model or 'as OpenCode is set'}`{f' ({models})' if models else ''}",
        f"**Started** {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        "*Request Cancellation* ends the mission and every child, and keeps all work on branches.",
        "Do not *Reset* or *Terminate*: running turns would go on unseen.",
    ]
    return "\n".join(lines)
