"""Ends the stack by its records only: nothing that another program started is ever touched."""

from collections.abc import Callable
from contextlib import suppress

import psutil

from adapters.opencode.shell import end_strays
from adapters.processes import ProcessRecord
from client.stack.lock import only_supervisor
from client.stack.records import MODEL, OPENCODE, SUPERVISOR, TEMPORAL, WORKER, record_file
from runtime.settings import Settings

ENDING_ORDER = (WORKER, OPENCODE, MODEL, TEMPORAL)
"""The worker first, so that nobody misses what the others provide, and Temporal last: it keeps what was done."""

GRACE = {WORKER: 15.0, OPENCODE: 3.0, MODEL: 2.0, TEMPORAL: 10.0}
"""Seconds a part may take to end by itself."""

SUPERVISOR_GRACE = sum(GRACE.values()) + 5

Say = Callable[[str], None]


def end_parts(settings: Settings, say: Say) -> int:
    """End what lives, in order; the number of parts that had to be ended."""
    return sum(_end(settings, name, GRACE[name], say) for name in ENDING_ORDER)


def end_stack(settings: Settings, say: Say) -> int:
    """The supervisor, which ends its parts, then what it may have left; the number of processes ended.

    Under the lock: a new supervisor that starts meanwhile must not lose its parts to us.
    """
    ended = int(_end(settings, SUPERVISOR, SUPERVISOR_GRACE, say))
    with only_supervisor(settings) as alone:
        return ended + end_parts(settings, say) if alone else ended


def _end(settings: Settings, name: str, grace: float, say: Say) -> bool:
    file = record_file(settings, name)
    record = ProcessRecord.read(file)
    if record is None:
        return False
    alive = record.alive
    if alive:
        say(f"ending {name}")
        with suppress(psutil.TimeoutExpired):
            record.end(grace)
    if name == OPENCODE:
        end_strays(settings.opencode_home)  # commands of agents outlive their server
    if ProcessRecord.read(file) == record:  # else somebody has started it anew meanwhile
        file.unlink(missing_ok=True)
    return alive
