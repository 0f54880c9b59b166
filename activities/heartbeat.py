"""Signs of life: without them a dead worker is noticed late and a cancellation never arrives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

BEAT_SECONDS = 1.0


@contextlib.asynccontextmanager
async def heartbeating(**doing: str) -> AsyncIterator[None]:
    """Beat every second while the body runs. `doing` is what the Temporal UI shows of the running activity."""
    beats = asyncio.create_task(_beat(doing), name="heartbeat")
    try:
        yield
    finally:
        beats.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beats


async def _beat(doing: dict[str, str]) -> None:
    while True:
        activity.heartbeat(doing)
        await asyncio.sleep(BEAT_SECONDS)


def cancelled_by_request() -> bool:
    """True when someone wants the work to stop; false when only this worker stops and the next one goes on."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested
