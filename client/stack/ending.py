"""Ends the stack by its records only: nothing that another program started is ever touched."""

import os
from collections.abc import Callable
from contextlib import suppress

import psutil

from adapters.processes import ProcessRecord
from client.stack.records import MODEL, OPENCODE, SUPERVISOR, TEMPORAL, WORKER, record_file
from runtime.settings import Settings

ENDING_ORDER = (WORKER, OPENCODE, MODEL, TEMPORAL)
"""The worker first, so that nobody misses what the others provide, and Temporal last: it keeps what was done."""

GRACE = {WORKER: 15.0, OPENCODE: 5.0, MODEL: 2.0, TEMPORAL: 10.0}
"""Seconds a part may take to end by itself."""

SUPERVISOR_GRACE = sum(GRACE.values()) + 5

Say = Callable[[str], None]


def end_parts(settings: Settings, say: Say) -> int:
    """End what lives, in order; the number of parts that had to be ended."""
    return sum(_end(settings, name, GRACE[name], say) for name in ENDING_ORDER)


def end_stack(settings: Settings, say: Say) -> int:
    """The supervisor, which ends its parts, then what it may have left; the number of processes ended."""
    return _end(settings, SUPERVISOR, SUPERVISOR_GRACE, say) + end_parts(settings, say)


def _end(settings: Settings, name: str, grace: float, say: Say) -> bool:
    file = record_file(settings, name)
    record = ProcessRecord.read(file)
    if record is None:
        return False
    alive = record.alive
    if alive:
        say(f"ending {name}")
        _end_process(record, grace, with_group=name == OPENCODE)
    file.unlink(missing_ok=True)
    return alive


def _end_process(record: ProcessRecord, grace: float, *, with_group: bool) -> None:
    with suppress(psutil.TimeoutExpired, ProcessLookupError):
        # Commands of agents that outlive their server are in its group, if it leads one.
        leads = with_group and os.getpgid(record.pid) == record.pid
        record.end(grace)
        if leads:
            record.end_group()
