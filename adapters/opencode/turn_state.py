"""What became of a turn, read from its session's messages. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from adapters.opencode.errors import ModelFailed
from adapters.opencode.models import ErrorInfo, Message, SessionStatus

_STILL_GOING = frozenset({"tool-calls", "unknown"})
"""Finish reasons after which OpenCode calls the model once more."""

_TOLD_BY_FINISH = frozenset({"ContentFilterError", "MessageOutputLengthError"})
"""Errors that are answers all the same: the finish reason says `content-filter` or `length`, the caller judges."""


class TurnState(StrEnum):
    ABSENT = "absent"  #: Our message never arrived.
    RUNNING = "running"  #: OpenCode works on it: posting the same ids joins.
    CUT_OFF = "cut_off"  #: OpenCode died meanwhile: posting the same ids goes on after the last finished step.
    FAILED = "failed"  #: Ended with an error: posting the same ids tries the failed step again.
    ABORTED = "aborted"  #: Somebody ended it.
    SUPERSEDED = "superseded"  #: Not answered, and a newer prompt came after it: posting it would run it after that.
    DONE = "done"  #: Answered; the answer is in the messages and costs nothing.


@dataclass(frozen=True)
class TurnTrace:
    """The part of a session's messages that belongs to one turn."""

    prompt: Message | None
    #: Everything after the prompt and before the next one, with what a compaction inserts.
    rest: tuple[Message, ...]
    newer_prompt: bool

    @property
    def steps(self) -> list[Message]:
        """One for every call of the model, compactions included: each was paid."""
        return [message for message in self.rest if message.info.role == "assistant"]

    @property
    def last(self) -> Message | None:
        """The message that ends the turn. None while OpenCode owes one."""
        if not self.rest:
            return None
        last = self.rest[-1]
        # Around a compaction (summary, "continue …") it dies like anywhere else; a failed one ends the turn, though.
        owes_more = last.info.role == "user" or (last.info.summary is True and last.info.error is None)
        return None if owes_more else last

    @property
    def text(self) -> str:
        """What the last message says."""
        if self.last is None:
            return ""
        # A step that was tried again after a broken stream keeps the parts of the earlier tries before its own start.
        starts = [place for place, part in enumerate(self.last.parts) if part.type == "step-start"]
        parts = self.last.parts[starts[-1] :] if starts else self.last.parts
        return "\n".join(part.text for part in parts if part.type == "text" and part.text)


def trace(messages: Sequence[Message], message_id: str) -> TurnTrace:
    """The turn that this prompt began."""
    ids = [message.info.id for message in messages]
    if message_id not in ids:
        return TurnTrace(None, (), newer_prompt=False)
    start = ids.index(message_id) + 1
    end = next((place for place in range(start, len(messages)) if _is_prompt(messages[place])), len(messages))
    return TurnTrace(messages[start - 1], tuple(messages[start:end]), newer_prompt=end < len(messages))


def classify(messages: Sequence[Message], message_id: str, status: SessionStatus | None) -> TurnState:
    """`status` is the session's, None when it is idle."""
    turn = trace(messages, message_id)
    if turn.prompt is None:
        return TurnState.ABSENT
    if turn.newer_prompt:
        return TurnState.DONE if _rested(turn) is TurnState.DONE else TurnState.SUPERSEDED
    return _rested(turn) if status is None else TurnState.RUNNING


def _rested(turn: TurnTrace) -> TurnState:
    """What it is if nothing runs. HTTP 200 never says so; these fields do."""
    last = turn.last.info if turn.last else None
    if last is None or last.time.completed is None:
        return TurnState.CUT_OFF
    if last.error is not None and not (last.finish and last.error.name in _TOLD_BY_FINISH):
        return TurnState.ABORTED if last.error.name == "MessageAbortedError" else TurnState.FAILED
    if last.finish is None:
        return TurnState.ABORTED  # in the pause before a retry, an abort leaves no error
    return TurnState.CUT_OFF if last.finish in _STILL_GOING else TurnState.DONE


def model_failure(turn: TurnTrace) -> ModelFailed:
    """The error that ended a failed turn."""
    error = turn.last.info.error if turn.last else None
    if error is None:
        return ModelFailed("UnknownError", "the turn ended without an answer", retryable=True)
    return ModelFailed(
        error.name,
        error.data.message,
        error.data.status_code,
        retryable=_retryable(error),
        retry_after=_retry_after(error),
    )


def _retryable(error: ErrorInfo) -> bool:
    # UnknownError is what an error object in the stream becomes: the provider's trouble, not the request's.
    return error.data.is_retryable if error.data.is_retryable is not None else error.name == "UnknownError"


def _retry_after(error: ErrorInfo) -> timedelta | None:
    headers = {name.lower(): value for name, value in (error.data.response_headers or {}).items()}
    for name, unit in (("retry-after-ms", timedelta(milliseconds=1)), ("retry-after", timedelta(seconds=1))):
        try:
            return max(float(headers[name]) * unit, timedelta(0))
        except (KeyError, ValueError, OverflowError):
            continue  # absent, or a date: then the caller's own pause has to do
    return None


def _is_prompt(message: Message) -> bool:
    """A user's message that a user wrote: a compaction puts two of its own in the middle of a turn."""
    if message.info.role != "user":
        return False
    return not any(part.type == "compaction" or part.synthetic for part in message.parts)
