import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.opencode.ids import message_id_for, part_id_for, session_key_for

MOMENT = datetime(2026, 11, 21, 10, 52, 11, 764000, tzinfo=UTC)


def test_the_same_key_gives_the_same_id() -> None:
    assert session_key_for("m", "T1", "worker") == session_key_for("m", "T1", "worker")
    assert message_id_for(MOMENT, "s", "1") == message_id_for(MOMENT, "s", "1")


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert message_id_for(elsewhere, "s") == message_id_for(MOMENT, "s")


@pytest.mark.parametrize(
    ("one", "other"), [(("a", "bc"), ("ab", "c")), (("a",), ("a", "")), (("T1", "1"), ("T11", ""))]
)
def test_different_keys_never_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert session_key_for(*one) != session_key_for(*other)


def test_ids_have_the_form_of_opencodes_own() -> None:
    assert re.fullmatch(r"ses_[0-9a-zA-Z]{26}", session_key_for("x"))
    assert re.fullmatch(r"msg_[0-9a-f]{12}[0-9a-zA-Z]{14}", message_id_for(MOMENT, "x"))
    assert re.fullmatch(r"prt_[0-9a-f]{12}[0-9a-zA-Z]{14}", part_id_for(MOMENT, "x"))


def test_later_messages_sort_after_earlier_ones() -> None:
    assert message_id_for(MOMENT, "z") < message_id_for(MOMENT + timedelta(milliseconds=1), "a")
