"""Finds the turn in a chat request: which one, how far it is, and what is asked for."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapters.scripted_model.errors import ChatRequestError
from adapters.scripted_model.header import TurnHeader, parse_header

Purpose = Literal["turn", "compaction", "title", "chat"]

_STEPS_DONE = re.compile(r"^steps done: (\d+)$", re.MULTILINE)
_INTERRUPTED = "[Tool execution was interrupted]"


@dataclass(frozen=True)
class Conversation:
    """A request as far as the model cares."""

    purpose: Purpose
    turn: TurnHeader | None
    #: Step of output that is due within the turn, from 0.
    index: int
    model: str
    stream: bool
    tools: int
    prompt_sha: str

    @classmethod
    def read(cls, body: object) -> "Conversation":
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            raise ChatRequestError("the body must be a JSON object with a list of `messages`")
        messages = [message for message in body["messages"] if isinstance(message, dict)]
        tools = body.get("tools")
        last_user = next((_text(one) for one in reversed(messages) if one.get("role") == "user"), "")
        turn, index = _position(messages)
        return cls(
            purpose=_purpose(messages, last_user, turn, bool(tools)),
            turn=turn,
            index=index,
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            tools=len(tools) if isinstance(tools, list) else 0,
            prompt_sha=hashlib.sha256(last_user.encode()).hexdigest()[:16],
        )

    def summary(self) -> str:
        """What a compaction must keep so that the turn can go on where it was."""
        return f"{self.turn}\nsteps done: {self.index}" if self.turn else "Nothing was done yet."


def _purpose(messages: Sequence[dict[str, Any]], last: str, turn: TurnHeader | None, tools: bool) -> Purpose:
    system = next((_text(one) for one in messages if one.get("role") == "system"), "")
    if "title generator" in system:
        return "title"
    if not tools and parse_header(last) is None and "summar" in last.lower():
        return "compaction"
    return "turn" if turn else "chat"


def _position(messages: Sequence[dict[str, Any]]) -> tuple[TurnHeader | None, int]:
    """The turn, and how many of its tool calls have been made.

    The header is in the last user message that has one or, after a compaction, in the summary.
    """
    for role in ("user", "assistant"):
        for place in range(len(messages) - 1, -1, -1):
            text = _text(messages[place]) if messages[place].get("role") == role else ""
            if turn := parse_header(text):
                before = _STEPS_DONE.search(text) if role == "assistant" else None
                return turn, int(before[1] if before else 0) + _calls_made(messages[place + 1 :])
    return None, 0


def _calls_made(messages: Sequence[dict[str, Any]]) -> int:
    """Assistant messages that called a tool for good.

    Broken calls (OpenCode shows them as a tool `invalid`) and calls that a crash interrupted are made again,
    as a real model would; texts of a cut-off try do not count, since only a tool call lets a turn go on.
    """
    interrupted = {
        message.get("tool_call_id")
        for message in messages
        if message.get("role") == "tool" and _INTERRUPTED in _text(message)
    }
    return sum(
        any(
            call.get("id") not in interrupted and call.get("function", {}).get("name") != "invalid"
            for call in message.get("tool_calls") or ()
        )
        for message in messages
        if message.get("role") == "assistant"
    )


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
