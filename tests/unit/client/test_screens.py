from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from client.screen.changes import changes
from client.screen.closing import print_closing
from client.screen.live import Space, fitting, live_view
from client.screen.words import clock, one_line
from mission.report import MissionReport, MissionStatus, TodoState
from tests.unit.client.reports import FAILED, MID_WAY, NOW, PREPARING, SEALED, open_

LINK = "http://127.0.0.1:8233/namespaces/default/workflows/mission-build-rest-api-3f9a1c"

MANY = replace(MID_WAY, todos=(*MID_WAY.todos, *(open_(f"T{n}", f"Do thing {n}") for n in range(6, 106))))


def live(report: MissionReport, width: int = 80, height: int = 24, trouble: str = "") -> list[str]:
    console = Console(width=width, height=height, force_terminal=False)
    with console.capture() as captured:
        console.print(live_view(report, NOW, Space(width, height), LINK, trouble))
    return captured.get().splitlines()


def closing(report: MissionReport) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        print_closing(console, report, NOW, LINK)
    return captured.get()


@pytest.mark.parametrize("report", [PREPARING, MID_WAY, SEALED, FAILED, MANY])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 14), (120, 40)])
def test_the_live_view_fits_its_terminal(report: MissionReport, width: int, height: int) -> None:
    lines = live(report, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_the_live_view_tells_what_each_todo_is_at() -> None:
    seen = {line.split()[1]: line for line in live(MID_WAY) if len(line.split()) > 1}
    assert "try 2 reviewing" in seen["T2.2"]
    assert "try 2 working" in seen["T2.3"]
    assert "merging" in seen["T3.1"]
    assert "after T2.2, T2.3, …" in seen["T2.4"]
    assert "done  0:06" in seen["T1"]


def test_the_live_view_tells_progress_branch_and_link() -> None:
    text = "".join(line.strip() for line in live(MID_WAY))
    assert "22 % 2 of 9 · running · 0:47" in text
    assert "branch mission/build-rest-api-3f9a1c" in text
    assert LINK in text


def test_the_live_view_tells_that_the_connection_is_lost() -> None:
    assert "reconnecting" in "".join(live(MID_WAY, trouble="reconnecting"))


def test_of_a_long_plan_what_moves_stays_in_sight() -> None:
    shown = fitting(MANY.todos, 12)
    moving = {todo.id for todo in MANY.todos if todo.state not in (TodoState.OPEN, TodoState.DONE)}
    assert moving <= {todo.id for todo in shown}
    assert len(shown) == 11  # and one line for the rest
    assert "more" in "".join(live(MANY))


def test_the_last_screen_tells_the_whole_story() -> None:
    text = closing(SEALED)
    for told in (
        "✔ Sealed in 0:47: 9 TODOs done, checked, merged and sealed",
        "T2.2 try 1 rejected signatures are compared with ==",
        "`python3 -m unittest tests.test_tokens` exit code 1",
        "2 of 2 checks green on 4fae123000, final review approved",
        "mission diff mission-build-rest-api-3f9a1c",
        "mission land mission-build-rest-api-3f9a1c (into main)",
        LINK,
    ):
        assert told in text


def test_the_last_screen_of_a_failed_mission_tells_why_and_keeps_the_branch() -> None:
    text = closing(FAILED)
    assert text.startswith("✘ Failed after 0:47: the planner saw no way on")
    assert "Branch   mission/build-rest-api-3f9a1c" in text


def test_a_mission_that_failed_before_it_began_has_neither_branch_nor_folder() -> None:
    text = closing(replace(PREPARING, status=MissionStatus.FAILED, reason="no such model", ended=NOW))
    assert "no such model" in text
    assert "Land" not in text
    assert "Report" not in text


def test_plain_lines_tell_each_change_once() -> None:
    lines = [*changes(None, PREPARING), *changes(PREPARING, MID_WAY), *changes(MID_WAY, SEALED)]
    assert lines[:2] == ["mission-build-rest-api-3f9a1c on branch mission/build-rest-api-3f9a1c", "preparing"]
    assert "planned 9 TODOs" in lines
    assert "T2.3 red: `python3 -m unittest tests.test_tokens` exit code 1" in lines
    assert "T2.2 rejected: signatures are compared with ==, which leaks time" in lines
    assert "T2.2 approved (try 2)" in lines
    assert lines[-1] == "sealed: 9 TODOs done, checked, merged and sealed"
    assert len(lines) == len(set(lines))
    assert not list(changes(SEALED, SEALED))


def test_text_of_agents_cannot_play_with_the_terminal() -> None:
    assert one_line("a\x1b[2J\r\nb\x07  c") == "a [2J b c"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0:00"), (7, "0:07"), (60, "1:00"), (3_599.6, "1:00:00"), (90_061, "25:01:01")]
)
def test_spans_read_like_clocks(seconds: float, shown: str) -> None:
    assert clock(timedelta(seconds=seconds)) == shown
