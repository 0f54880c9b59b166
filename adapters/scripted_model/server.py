"""The process around the scripted model: one socket on loopback, ended at once by a signal."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial

from adapters.scripted_model.http import serve_connection
from adapters.scripted_model.model import ScriptedModel
from adapters.scripted_model.stage import Stage

HOST = "127.0.0.1"


async def serve(stage: Stage, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the base URL. Port 0 means a free one."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    answer = ScriptedModel(stage).answer
    server = await asyncio.start_server(partial(serve_connection, answer), HOST, port, backlog=512)
    ready(f"http://{HOST}:{server.sockets[0].getsockname()[1]}/v1")
    await stop.wait()
    server.close()  # open requests are cancelled with the loop, and logged as cut
