import re

import pytest

from client.errors import UnknownMission
from client.mission_ids import LONGEST_SLUG, find_mission_id, new_mission_id, slug

KNOWN = {"mission-add-auth-3f9a1c", "mission-add-search-77aa01", "mission-fix-login-0b0b0b"}


@pytest.mark.parametrize(
    ("objective", "made"),
    [
        pytest.param("Add auth to the shop", "add-auth-shop", id="fillers go"),
        pytest.param("Please could you FIX: the login!", "could-fix-login", id="case and signs"),
        pytest.param("Überprüfe die Größe", "uberprufe-die-groe", id="accents"),
        pytest.param("ログインを追加する", "work", id="no letter we could use"),
        pytest.param("to the", "to-the", id="fillers only"),
        pytest.param("x" * 400, "x" * LONGEST_SLUG, id="one long word"),
        pytest.param("Internationalise everything everywhere", "internationalise", id="cut between words"),
    ],
)
def test_a_slug_holds_the_telling_words(objective: str, made: str) -> None:
    assert slug(objective) == made


def test_an_id_can_be_read_and_is_new_each_time() -> None:
    first, second = new_mission_id("Add auth"), new_mission_id("Add auth")
    assert re.fullmatch(r"mission-add-auth-[0-9a-f]{6}", first)
    assert first != second


@pytest.mark.parametrize("wanted", ["mission-add-auth-3f9a1c", "add-auth-3f9a1c", "add-au", "mission-add-a", "3f9a1c"])
def test_a_mission_is_found_by_any_part_that_means_only_it(wanted: str) -> None:
    assert find_mission_id(wanted, KNOWN) == "mission-add-auth-3f9a1c"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param("add", "means 2 missions: mission-add-auth-3f9a1c, mission-add-search-77aa01", id="several"),
        pytest.param("ad-auth-3f9a1c", "did you mean mission-add-auth-3f9a1c", id="typing mistake"),
        pytest.param("auth", "did you mean mission-add-auth-3f9a1c", id="a word of it"),
        pytest.param("zzz", "`mission list` shows all", id="nothing like it"),
        pytest.param("", "no mission has the id ''", id="empty"),
    ],
)
def test_an_unknown_id_is_answered_with_what_might_be_meant(wanted: str, said: str) -> None:
    with pytest.raises(UnknownMission, match=re.escape(said)):
        find_mission_id(wanted, KNOWN)


def test_without_any_mission_nothing_is_offered() -> None:
    with pytest.raises(UnknownMission, match="there are none yet"):
        find_mission_id("add-auth", set())
