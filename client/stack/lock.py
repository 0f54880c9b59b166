"""One supervisor a home: two `mission up` at once make one stack."""

import contextlib
import fcntl
from collections.abc import Iterator

from runtime.settings import Settings


@contextlib.contextmanager
def only_supervisor(settings: Settings) -> Iterator[bool]:
    """True inside if we are the one; the kernel frees the lock however we end."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.home / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
