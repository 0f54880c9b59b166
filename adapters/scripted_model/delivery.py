"""How an answer travels: at once or in its time, whole or broken off, or only after a long silence."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Self

from adapters.scripted_model.completion import Completion
from adapters.scripted_model.faults import Fault
from adapters.scripted_model.http import Exchange

_PIECES = 8
"""A reply that takes time comes in so many pieces; one that takes none in two."""

_HANG_SECONDS = 3600.0
_SLOW_SECONDS = 10.0


@dataclass(frozen=True)
class Delivery:
    """The manner of one answer."""

    #: Spread over the stream; the last byte leaves when they are over.
    seconds: float
    #: Silence, before the first byte or just after it; then the answer comes all the same.
    silence: float = 0.0
    after_first_byte: bool = False
    #: The connection closes in the middle of the answer.
    breaks_off: bool = False

    @classmethod
    def of(cls, seconds: float, fault: Fault | None) -> Self:
        match fault:
            case Fault(kind="slow"):
                return cls(seconds + (fault.seconds or _SLOW_SECONDS))
            case Fault(kind="hang"):
                return cls(seconds, fault.seconds or _HANG_SECONDS, fault.after == "first_byte")
            case Fault(kind="drop"):
                return cls(seconds, breaks_off=True)
        return cls(seconds)

    async def send(self, exchange: Exchange, completion: Completion, *, stream: bool) -> None:
        began = time.monotonic()
        if not self.after_first_byte:
            await asyncio.sleep(self.silence)
            began += self.silence
        if stream:
            await self._stream(exchange, list(completion.chunks(_PIECES if self.seconds else 2)), began)
        else:
            await self._whole(exchange, json.dumps(completion.whole()).encode(), began)

    async def _stream(self, exchange: Exchange, chunks: list[bytes], began: float) -> None:
        exchange.start(200, {"content-type": "text/event-stream", "cache-control": "no-cache"})
        last = len(chunks) // 2 if self.breaks_off else len(chunks)
        for place, chunk in enumerate(chunks[:last], start=1):
            await _until(began + self.seconds * place / len(chunks))
            exchange.write(chunk)
            await exchange.flush()
            if place == 1 and self.after_first_byte:
                await asyncio.sleep(self.silence)
                began += self.silence
        await self._end(exchange)

    async def _whole(self, exchange: Exchange, body: bytes, began: float) -> None:
        await _until(began + self.seconds)
        exchange.start(200, {"content-type": "application/json", "content-length": str(len(body))})
        exchange.write(body[: len(body) // 2])
        await exchange.flush()
        if self.after_first_byte:
            await asyncio.sleep(self.silence)
        if not self.breaks_off:
            exchange.write(body[len(body) // 2 :])
        await self._end(exchange)

    async def _end(self, exchange: Exchange) -> None:
        if self.breaks_off:
            await exchange.break_off()
        else:
            await exchange.finish()


async def _until(moment: float) -> None:
    if (left := moment - time.monotonic()) > 0:
        await asyncio.sleep(left)
