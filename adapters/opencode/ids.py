"""Names of our own for sessions, messages and parts: the same key gives the same one, on every retry."""

import hashlib
import string
from datetime import UTC, datetime, timedelta

_ALPHABET = string.digits + string.ascii_letters
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def session_key_for(*key: str) -> str:
    """Our name for a session, a file name; the key says whose session it is."""
    return f"ses_{_tail(key, 26)}"


def message_id_for(moment: datetime, *key: str) -> str:
    """Unique in all sessions of a server, so the session belongs into the key.

    Two sessions with one message id would overwrite each other's prompts. The moment is part of the id because OpenCode
    makes its own ids so (12 hexadecimal digits of it, then 14 characters) and they then sort by time; it must be the
    same on a retry, so it is never `now`.
    """
    return f"msg_{_prefix(moment)}{_tail(key, 14)}"


def part_id_for(moment: datetime, *key: str) -> str:
    """A part without an id of its own is added once more by every retry."""
    return f"prt_{_prefix(moment)}{_tail(key, 14)}"


def _prefix(moment: datetime) -> str:
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return f"{(milliseconds * 0x1000) & 0xFFFF_FFFF_FFFF:012x}"


def _tail(key: tuple[str, ...], length: int) -> str:
    # Each piece with its length: ("a", "bc") and ("ab", "c") are different keys.
    joined = "".join(f"{len(piece)}:{piece}" for piece in key)
    number = int.from_bytes(hashlib.sha256(joined.encode()).digest())
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
