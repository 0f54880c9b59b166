"""Missions that were recorded once are replayed: whoever changes a workflow hears of the missions it would break."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.replay.changed import WithOneMoreActivity, WithOneMoreField
from tests.replay.histories import HistoryDiffers, Recording, recordings, replay
from tests.replay.missions import MISSIONS
from tests.replay.record import record
from tests.workflows.missions import WORKFLOWS

RECORDED = recordings()
LARGEST = 60_000
"""Bytes of one recording: they are read by people, and cloned with the repository."""


@pytest.mark.parametrize("recording", RECORDED, ids=lambda recording: recording.name)
async def test_a_recorded_mission_goes_on_with_todays_workflows(recording: Recording) -> None:
    await replay(recording, WORKFLOWS)


def test_every_mission_and_every_workflow_is_recorded() -> None:
    assert {recording.file.parent.name for recording in RECORDED} >= MISSIONS.keys()
    assert {recording.workflow_type for recording in RECORDED} == {"mission", "planner", "worker", "reviewer"}


def test_recordings_are_small_and_tell_nothing_about_the_machine() -> None:
    for recording in RECORDED:
        text = recording.file.read_text()
        assert len(text) < LARGEST, f"{recording.name}: {len(text)} bytes"
        assert not any(word in text for word in ("identity", "stackTrace", ".py")), recording.name


@pytest.mark.parametrize(
    ("changed", "what", "advice"),
    [
        pytest.param(WithOneMoreActivity, "one_more", 'workflow.patched("', id="one more activity"),
        pytest.param(WithOneMoreField, "budget", "give the new field a default", id="one more field"),
    ],
)
async def test_a_change_that_would_break_missions_is_refused_with_what_to_do(
    changed: type, what: str, advice: str
) -> None:
    planned = next(recording for recording in RECORDED if recording.workflow_type == "planner")
    with pytest.raises(HistoryDiffers) as refused:
        await replay(planned, [changed])
    assert planned.name in str(refused.value)
    assert what in str(refused.value)
    assert advice in str(refused.value)


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_recorded_today_can_be_replayed_today(client: Client, tmp_path: Path) -> None:
    await record(client, tmp_path / "today")
    for recording in recordings(tmp_path):
        await replay(recording, WORKFLOWS)
