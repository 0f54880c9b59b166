"""Where recorded histories lie, how they are read and how they are replayed."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

FOLDER = Path(__file__).with_name("histories")

WHAT_TO_DO = """\
{file}: today's workflow cannot go on with what was recorded.

What changed: {change}

A mission that runs while the product is updated has such a history, and would be stuck.
If the order of commands changed:
1. Keep the old order for it and gate the new one: `if workflow.patched("what-is-new"): … else: …`.
2. Add a recording of the new way: `python -m tests.replay.record NAME`, NAME being the version to come.
3. Never edit or replace a recording of a released version; the old branch stays until the last such mission has ended.
If a value cannot be read any more: give the new field a default, and keep the old fields.
Only if no release has had the old way: `python -m tests.replay.record NAME --replace`.
"""


class HistoryDiffers(AssertionError):
    """The workflow's code gives other commands or reads other values than the recorded ones; with what to do."""


@dataclass(frozen=True)
class Recording:
    """One run of one workflow."""

    file: Path

    @property
    def name(self) -> str:
        """`0.1.0/sealed/T1-worker-1`."""
        return "/".join((*self.file.parts[-3:-1], self.file.stem))

    @property
    def history(self) -> WorkflowHistory:
        text = self.file.read_text()
        started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
        return WorkflowHistory.from_json(started["workflowId"], text)

    @property
    def workflow_type(self) -> str:
        return self.history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def recordings(below: Path = FOLDER) -> list[Recording]:
    return [Recording(file) for file in sorted(below.rglob("*.json"))]


async def replay(recording: Recording, workflows: Sequence[type]) -> None:
    """Raises `HistoryDiffers` when these workflows would have decided otherwise."""
    replayer = Replayer(workflows=workflows, data_converter=pydantic_data_converter)
    try:
        await replayer.replay_workflow(recording.history)
    except (NondeterminismError, RuntimeError) as error:
        why = WHAT_TO_DO.format(file=recording.name, change=_what_changed(error))
        raise HistoryDiffers(why) from None  # its own words are quoted, the rest of it is Rust


def _what_changed(error: Exception) -> str:
    """The messages out of the SDK's dump: which recorded event does not fit, or which value cannot be read."""
    messages = re.findall(r'message: "((?:[^"\\]|\\.)*)"', str(error))
    return ": ".join(messages) or str(error)
