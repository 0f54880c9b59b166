"""The process around the scripted model: one socket on loopback, ended at once by a signal."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.scripted_model.http import serve_connection
from adapters.scripted_model.model import ScriptedModel
from adapters.scripted_model.stage import Stage

HOST = "127.0.0.1"


async def serve(stage: Stage, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the base URL."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(stage, port) as url:
        ready(url)
        await stop.wait()


@asynccontextmanager
async def listening(stage: Stage, port: int = 0) -> AsyncIterator[str]:
    """The base URL of a model that answers inside the block; port 0 means a free one. Raises `OSError`."""
    answer = ScriptedModel(stage).answer
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve_connection(answer, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(connected, HOST, port, backlog=512)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        open_now = list(connections)
        for connection in open_now:
            connection.cancel()  # what it was answering is logged as cut
        await asyncio.gather(*open_now, return_exceptions=True)
