"""An output in the shapes of OpenAI's chat completions: one object, or a stream of chunks."""

import json
from collections.abc import Iterator
from typing import Any

from adapters.scripted_model.outputs import Output


class Completion:
    """One answer, ready to be sent."""

    def __init__(self, output: Output, *, number: int, model: str, created: int, request_bytes: int) -> None:
        self._output = output
        self._head = {"id": f"chatcmpl-{number}", "created": created, "model": model}
        self._call_id = f"call_{created:x}{number:x}"
        asked, said = request_bytes // 4, len(output.text.encode()) // 4
        self.usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._output.text}
        if self._output.tool:
            call = {"id": self._call_id, "type": "function", "function": self._function(self._output.text)}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": self._output.finish}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self.usage}

    def chunks(self, pieces: int) -> Iterator[bytes]:
        """Server-sent events: who speaks, the text in some pieces, why it ends, the usage, `[DONE]`."""
        yield self._event({"role": "assistant", "content": ""})
        for place, piece in enumerate(_cut(self._output.text, pieces)):
            yield self._event(self._delta(piece, first=place == 0))
        yield self._event({}, finish=self._output.finish)
        yield _sse({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self.usage})
        yield b"data: [DONE]\n\n"

    def _delta(self, piece: str, *, first: bool) -> dict[str, Any]:
        if not self._output.tool:
            return {"content": piece}
        if not first:
            return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        return {
            "tool_calls": [{"index": 0, "id": self._call_id, "type": "function", "function": self._function(piece)}]
        }

    def _function(self, arguments: str) -> dict[str, Any]:
        return {"name": self._output.tool, "arguments": arguments}

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _sse({**self._head, "object": "chat.completion.chunk", "choices": [choice]})


def _cut(text: str, pieces: int) -> Iterator[str]:
    size = max(1, -(-len(text) // pieces))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _sse(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"
