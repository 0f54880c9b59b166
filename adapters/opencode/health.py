"""Waiting for a server that starts, without sending it anything that it would never answer."""

import asyncio
import time

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.errors import OpenCodeUnreachable
from adapters.opencode.executable import check_version
from adapters.processes import ProcessRecord

PROBE = 0.25
"""A probe that arrives too early is never answered, one that is sent 0.3 s later is: so give up soon, ask again."""


async def until_healthy(client: OpenCodeClient, record: ProcessRecord, within: float = 60.0) -> str:
    """The version it tells. Raises `OpenCodeUnreachable` when it ends or the time does."""
    deadline = time.monotonic() + within
    while True:
        if not record.alive:  # somebody else may listen on its port by now
            raise OpenCodeUnreachable("OpenCode ended while it was starting")
        try:
            version = await client.version(timeout=PROBE)
            check_version(version, client.base_url)
            return version
        except OpenCodeUnreachable:
            if time.monotonic() > deadline:
                raise OpenCodeUnreachable(f"OpenCode was not healthy within {within:.0f} s") from None
            await asyncio.sleep(0.05)
