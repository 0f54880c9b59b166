"""Just enough of an HTTP server: h11 reads and frames, asyncio waits, who leaves ends his request."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import h11

MOST_BYTES = 64_000_000
"""A longer request body is refused."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, request: Request, http: h11.Connection, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._http = http
        self._writer = writer

    async def reply(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON, whole."""
        body = json.dumps(content).encode()
        fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        self.start(status, fields)
        self.write(body)
        await self.finish()

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self._send(h11.Response(status_code=status, headers=list(headers.items())))

    def write(self, data: bytes) -> None:
        self._send(h11.Data(data=data))

    async def flush(self) -> None:
        await self._writer.drain()

    async def finish(self) -> None:
        self._send(h11.EndOfMessage())
        await self.flush()

    async def break_off(self) -> None:
        """Close the connection in the middle of the answer."""
        await self.flush()
        self._writer.close()

    def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)


Answerer = Callable[[Exchange], Coroutine[Any, Any, None]]


async def serve_connection(answer: Answerer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it closes."""
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=65_536)
    try:
        while (request := await _next_request(http, reader, writer)) is not None:
            exchange = Exchange(request, http, writer)
            stayed = await _while_connected(answer(exchange), http, reader)
            if not stayed or writer.is_closing() or http.our_state is not h11.DONE:
                break
            if http.their_state is not h11.DONE:
                break
            http.start_next_cycle()
    except (h11.RemoteProtocolError, ConnectionError):
        pass  # it does not speak HTTP, or is gone: nobody to tell
    finally:
        writer.close()  # not awaited: a client that does not read must not hold up the end


async def _next_request(
    http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                writer.write(http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            http.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                raise ConnectionAbortedError(f"a body of more than {MOST_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode("latin-1"), headers, bytes(body))
        else:
            return None


async def _while_connected(work: Coroutine[Any, Any, None], http: h11.Connection, reader: asyncio.StreamReader) -> bool:
    """Do the work, but give it up when the client leaves. True if it was done."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_client_leaves(http, reader))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = working.done()
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
    if done:
        working.result()
    return done


async def _client_leaves(http: h11.Connection, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(65_536):
        http.receive_data(data)  # the next request, early
