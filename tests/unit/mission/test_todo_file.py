from dataclasses import replace
from datetime import UTC, datetime

from mission.report import AttemptView, MissionReport, MissionStatus, Stage, TodoState, TodoView
from mission.todo_file import render

NOW = datetime(2026, 1, 2, tzinfo=UTC)
REPORT = MissionReport(
    mission_id="mission-x-000000",
    objective="Build\nit",
    directory="somewhere",
    status=MissionStatus.RUNNING,
    started=NOW,
    round=1,
    todos=(
        TodoView("T1", "Group", TodoState.WORKING, heading=True),
        TodoView("T1.1", "First", TodoState.DONE, merged="0123456789"),
        TodoView(
            "T1.2",
            "Second",
            TodoState.REWORK,
            attempts=(AttemptView(2, Stage.REJECTED, NOW, outcome="no\nexpiry"),),
        ),
        TodoView("T2", "Third", TodoState.OPEN, depends_on=("T1",)),
    ),
)


def test_the_file_shows_the_plan_as_a_person_reads_it() -> None:
    assert render(REPORT) == (
        "# Build it\n"
        "\n"
        "mission-x-000000 · running · 1 of 3 done · round 1\n"
        "\n"
        "- [ ] **T1** Group (in work)\n"
        "  - [x] **T1.1** First (merged 01234567)\n"
        "  - [ ] **T1.2** Second (sent back, attempt 2)\n"
        "    - no expiry\n"
        "- [ ] **T2** Third (after T1)\n"
    )


def test_the_reason_of_an_end_is_in_the_file() -> None:
    failed = replace(REPORT, status=MissionStatus.FAILED, reason="the planner saw no way on")
    assert "\nthe planner saw no way on\n" in render(failed)
