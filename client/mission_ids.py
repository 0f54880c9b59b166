"""Ids of missions: made to be read, found again from a part of them."""

import difflib
import re
import unicodedata
import uuid
from collections.abc import Collection

from client.errors import UnknownMission

PREFIX = "mission-"
LONGEST_SLUG = 24

_WORDS = re.compile(r"[a-z0-9]+")

_FILLERS = frozenset(
    _WORDS.findall(
        "a an and are as at be by can for from have i in into is it its let me my of on or our please should so that "
        "the their them then there these this to us want we with would you your"
    )
)


def new_mission_id(objective: str) -> str:
    """`mission-<slug>-<6 hex>`: `Add auth to the shop` becomes `mission-add-auth-shop-3f9a1c`."""
    return f"{PREFIX}{slug(objective)}-{uuid.uuid4().hex[:6]}"


def slug(objective: str) -> str:
    """The telling words first: some views cut ids short."""
    ascii_only = unicodedata.normalize("NFKD", objective[:2_000]).encode("ascii", "ignore").decode().lower()
    words = _WORDS.findall(ascii_only)
    telling = [word for word in words if word not in _FILLERS] or words or ["work"]
    made = telling[0][:LONGEST_SLUG]
    for word in telling[1:]:
        if len(made) + 1 + len(word) > LONGEST_SLUG:
            break
        made = f"{made}-{word}"
    return str(made)


def find_mission_id(wanted: str, known: Collection[str]) -> str:
    """The one id that `wanted` means: whole, without `mission-`, a unique beginning or the hex at its end."""
    candidates = (wanted, f"{PREFIX}{wanted}")
    for candidate in candidates:
        if candidate in known:
            return candidate
    matching = sorted({one for one in known if wanted and (one.startswith(candidates) or one.endswith(f"-{wanted}"))})
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UnknownMission(f"{wanted!r} means {len(matching)} missions: {', '.join(matching[:5])}")
    raise UnknownMission(f"no mission has the id {wanted!r}{_hint(wanted, known)}")


def _hint(wanted: str, known: Collection[str]) -> str:
    """The ids that look alike, most alike first."""
    shortened = {one.removeprefix(PREFIX): one for one in known}
    part = wanted.removeprefix(PREFIX)
    near = [one for one in sorted(shortened) if part and part in one][:3]
    near = near or difflib.get_close_matches(part, list(shortened), n=3, cutoff=0.4)
    if near:
        return f": did you mean {' or '.join(shortened[one] for one in near)}?"
    return "; `mission list` shows all" if known else ": there are none yet"
