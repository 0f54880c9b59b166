"""Commands that we run ourselves: their exit code decides, never an agent's word. Red is a result, not an error."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.workspaces import Workspaces
from adapters.commands import CommandResult, run_command
from adapters.files import write_atomically
from mission.messages import CheckOrder, CheckResult
from mission.report import Evidence

GREEN_TAIL = 200
"""Characters kept of a green check's output: enough for "84 passed"; the whole log is in the evidence folder."""


@dataclass
class CheckActivities:
    workspaces: Workspaces

    @activity.defn(name="run_checks")
    async def run_checks(self, order: CheckOrder) -> CheckResult:
        """A TODO's checks, in the slot that holds its work."""
        return await self._run(order)

    @activity.defn(name="check_the_whole")
    async def check_the_whole(self, order: CheckOrder) -> CheckResult:
        """The seal: every check again on the merged commit, in a slot set to exactly that commit."""
        result = await self._run(order)
        if not result.green:  # the next round needs slots, and must not wait for this one
            with translated():
                await (await self.workspaces.of(order.mission)).slots.release(order.holder)
        return result

    async def _run(self, order: CheckOrder) -> CheckResult:
        with translated():
            project = await self.workspaces.of(order.mission)
            async with heartbeating(doing=order.label):
                slot = await project.slots.lease(order.holder)
                await project.slots.reset(slot, order.commit)
                evidence = await run_all(order, slot.path, project.folder(order.mission.mission_id))
                # What checks leave behind is not the agent's work.
                await project.slots.reset(slot, order.commit)
            return CheckResult(evidence)


async def run_all(order: CheckOrder, directory: Path, folder: Path) -> tuple[Evidence, ...]:
    """One after the other, all of them: a rework needs the whole picture. Writes the evidence to `folder`."""
    evidence: list[Evidence] = []
    for number, command in enumerate(order.commands, start=1):
        log = Path("evidence") / f"{order.label}-{number}.log"
        limit = timedelta(minutes=order.mission.options.check_minutes)
        result = await run_command(command, cwd=directory, time_limit=limit, log=folder / log)
        evidence.append(_evidence(command, result, order.commit, log))
    index = folder / "evidence" / f"{order.label}.json"
    write_atomically(index, json.dumps([asdict(one) for one in evidence], indent=1, ensure_ascii=False) + "\n")
    return tuple(evidence)


def _evidence(command: str, result: CommandResult, commit: str, log: Path) -> Evidence:
    green = result.exit_code == 0 and not result.ended
    return Evidence(
        command=command,
        exit_code=result.exit_code,
        seconds=round(result.seconds, 3),
        commit=commit,
        log_sha256=result.sha256,
        log=str(log),
        tail=result.tail[-GREEN_TAIL:] if green else result.tail,
        ended=result.ended,
    )
