"""A turn that is taken once, however often it is asked for.

The ids come from the caller and are the same on every try. What is there already is read first; a prompt is posted
only where that neither runs a model twice nor brings an old prompt up again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from adapters.opencode.client import OpenCodeClient, Prompt
from adapters.opencode.errors import (
    OpenCodeRejected,
    OpenCodeUnreachable,
    TurnAborted,
    TurnSuperseded,
    TurnTimedOut,
)
from adapters.opencode.ids import message_id_for, part_id_for, session_key_for
from adapters.opencode.models import Message
from adapters.opencode.refusals import why_refused
from adapters.opencode.turn_state import TurnState, TurnTrace, classify, model_failure, trace

__all__ = [
    "Turn",
    "TurnAnswer",
    "TurnState",
    "classify",
    "find_turn",
    "message_id_for",
    "part_id_for",
    "session_key_for",
    "take_turn",
]


@dataclass(frozen=True)
class Turn:
    """One prompt and everything until its answer."""

    #: From the `SessionBook`.
    session_id: str
    #: From `message_id_for` and `part_id_for`: the same on every try.
    message_id: str
    part_id: str
    #: The session's.
    directory: str
    title: str
    agent: str
    text: str
    #: How long one call of `take_turn` waits before it aborts the turn.
    time_limit: timedelta
    #: provider/model, or None for OpenCode's default.
    model: str | None = None
    #: Appended to the agent's own prompt.
    system: str = ""
    #: The session was made a moment ago: nothing can be in it, so nothing is looked for.
    fresh: bool = False

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.message_id, self.part_id, self.agent, self.text, self.model, self.system)


@dataclass(frozen=True)
class TurnAnswer:
    """The last message of a turn that ended well, and what the whole turn took."""

    text: str
    #: `stop`; but also `length` (cut at the output limit) and `content-filter`: the caller judges them.
    finish: str
    #: provider/model that gave the answer.
    model: str
    #: Of all model calls of the turn: input with what the provider cached, output with the reasoning.
    input_tokens: int
    output_tokens: int
    cost: float
    #: Of the message that holds the answer.
    message_id: str
    #: What the turn was when this call began.
    state_found: TurnState

    @property
    def resumed(self) -> bool:
        """Another call had begun it."""
        return self.state_found is not TurnState.ABSENT


async def find_turn(client: OpenCodeClient, session_id: str, message_id: str, directory: str) -> TurnState:
    """What became of a turn; changes nothing."""
    try:
        state, _ = await _look(client, session_id, message_id, directory)
    except OpenCodeRejected as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return TurnState.ABSENT
        raise
    return state


async def take_turn(client: OpenCodeClient, turn: Turn) -> TurnAnswer:
    """The answer, from a new run of the model or from one that was begun before.

    Raises `OpenCodeUnreachable` when the server is lost in the middle: call again with the same turn. A cancelled call
    leaves the turn running; the next call joins it.
    """
    found, messages = TurnState.ABSENT, list[Message]()
    if not turn.fresh:
        found, messages = await _look(client, turn.session_id, turn.message_id, turn.directory)
    if found in {TurnState.ABORTED, TurnState.SUPERSEDED, TurnState.DONE}:
        return _conclude(messages, turn, found)
    try:
        async with asyncio.timeout(turn.time_limit.total_seconds()):
            if found is TurnState.ABSENT and not turn.fresh:
                await _wait_for_rest(client, turn)
            await _post(client, turn)
    except TimeoutError:
        return await _abort(client, turn, found)
    return _conclude(await client.messages(turn.session_id), turn, found)


async def _look(
    client: OpenCodeClient, session_id: str, message_id: str, directory: str
) -> tuple[TurnState, list[Message]]:
    # Should it end between the two answers, it is taken for running or cut off: posting the same ids is free then.
    messages, status = await asyncio.gather(client.messages(session_id), client.status(session_id, directory))
    return classify(messages, message_id, status), messages


async def _wait_for_rest(client: OpenCodeClient, turn: Turn) -> None:
    """A prompt sent to a busy session joins the turn that runs, and both get one answer."""
    while await client.status(turn.session_id, turn.directory) is not None:  # noqa: ASYNC110 (it is remote)
        await asyncio.sleep(0.25)


async def _post(client: OpenCodeClient, turn: Turn) -> None:
    try:
        await client.post_message(turn.session_id, turn.prompt)
    except OpenCodeRejected as error:
        if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        reason = await why_refused(client, turn.directory, turn.agent, turn.model)
        raise OpenCodeRejected(reason or str(error), error.status) from error


async def _abort(client: OpenCodeClient, turn: Turn, found: TurnState) -> TurnAnswer:
    await client.abort(turn.session_id, turn.directory)
    messages = await client.messages(turn.session_id)
    if classify(messages, turn.message_id, None) is TurnState.DONE:  # it ended while we aborted
        return _conclude(messages, turn, found)
    raise TurnTimedOut(f"{turn.title}: no answer within {turn.time_limit}; the session was aborted")


def _conclude(messages: Sequence[Message], turn: Turn, found: TurnState) -> TurnAnswer:
    """The answer of a turn that is at rest, or why there is none."""
    taken = trace(messages, turn.message_id)
    match classify(messages, turn.message_id, None):
        case TurnState.DONE:
            return _answer(taken, found)
        case TurnState.FAILED:
            raise model_failure(taken)
        case TurnState.ABORTED:
            raise TurnAborted(f"{turn.title}: the session was aborted before it answered")
        case TurnState.SUPERSEDED:
            raise TurnSuperseded(f"{turn.title}: a newer prompt came before it was answered")
        case state:
            raise OpenCodeUnreachable(f"{turn.title}: OpenCode stopped in the middle of the turn ({state})")


def _answer(taken: TurnTrace, found: TurnState) -> TurnAnswer:
    assert taken.last is not None
    last, steps = taken.last.info, [step.info for step in taken.steps]
    return TurnAnswer(
        text=taken.text,
        finish=last.finish or "",
        model=f"{last.provider_id}/{last.model_id}",
        input_tokens=sum(i.tokens.input + i.tokens.cache.read + i.tokens.cache.write for i in steps),
        output_tokens=sum(i.tokens.output + i.tokens.reasoning for i in steps),
        cost=sum(i.cost for i in steps),
        message_id=last.id,
        state_found=found,
    )
