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
_HEADER_IN_TRANSCRIPT = re.compile(r"^\[User\]:\s*(<turn [^\n]*/>)", re.MULTILINE)
_CALL_IN_TRANSCRIPT = re.compile(r"^\[Assistant tool call\]: (?!invalid\()", re.MULTILINE)
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
        system = next((_text(one) for one in messages if one.get("role") == "system"), "")
        last = next((_text(one) for one in reversed(messages) if one.get("role") == "user"), "")
        turn, index = _position(messages)
        purpose = _purpose(system, last, turn, bool(tools))
        if purpose == "compaction":
            turn, index = _position_in_transcript(last)
        return cls(
            purpose=purpose,
            turn=turn,
            index=index,
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            tools=len(tools) if isinstance(tools, list) else 0,
            prompt_sha=hashlib.sha256(last.encode()).hexdigest()[:16],
        )

    def summary(self) -> str:
        """What a compaction must keep so that the turn can go on where it was."""
        return f"{self.turn}\nsteps done: {self.index}" if self.turn else "Nothing was done yet."


def _purpose(system: str, last: str, turn: TurnHeader | None, tools: bool) -> Purpose:
    if "title generator" in system:
        return "title"
    # Our own prompts speak of summaries too, but have a header.
    if "context summarization" in system or (not tools and not parse_header(last) and "summary" in last):
        return "compaction"
    return "turn" if turn else "chat"


def _position(messages: Sequence[dict[str, Any]]) -> tuple[TurnHeader | None, int]:
    """The turn, and how many of its tool calls have been made.

    The header is in the last user message that has one or, after a compaction, in the summary.
    """
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        text = _text(message) if message.get("role") in ("user", "assistant") else ""
        if turn := parse_header(text):
            before = _STEPS_DONE.search(text) if message["role"] == "assistant" else None
            return turn, int(before[1] if before else 0) + _calls_made(messages[place + 1 :])
    return None, 0


def _position_in_transcript(text: str) -> tuple[TurnHeader | None, int]:
    """The same, in a conversation that OpenCode has written down as text to have it summarised."""
    turns = list(_HEADER_IN_TRANSCRIPT.finditer(text))
    if turns:
        return parse_header(turns[-1][1]), len(_CALL_IN_TRANSCRIPT.findall(text, turns[-1].end()))
    # The turn was compacted before: its summary is quoted, only what came after it is written down.
    before = _STEPS_DONE.search(text)
    return parse_header(text), int(before[1] if before else 0) + len(_CALL_IN_TRANSCRIPT.findall(text))


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
