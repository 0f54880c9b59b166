"""A turn of an agent, taken once however often the activity runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import BaseModel
from temporalio import activity

from activities.heartbeat import cancelled_by_request, heartbeating
from activities.roles import RoleFile
from adapters.opencode.client import NewSession, OpenCodeClient
from adapters.opencode.errors import (
    ModelFailed,
    OpenCodeError,
    OpenCodeRejected,
    TurnAborted,
    TurnSuperseded,
    TurnTimedOut,
)
from adapters.opencode.sessions import SessionBook
from adapters.opencode.turns import (
    Turn,
    TurnAnswer,
    TurnState,
    find_turn,
    message_id_for,
    part_id_for,
    session_key_for,
    take_turn,
)
from mission.answers import InvalidAnswer, parse_answer
from mission.messages import MissionFacts, TurnKey
from mission.report import Usage

Answer = TypeVar("Answer", bound=BaseModel)

OF_THE_AGENT = frozenset({"ContextOverflowError", "ContentFilterError", "MessageOutputLengthError"})
"""Errors of the model that waiting does not mend: the attempt failed, the next one starts in a new session."""


BUILT_IN = "build"
"""The agent that every OpenCode has. Its own prompt is 9.5 kB longer than ours; its tools are those of our rules."""


class OpenCode(Protocol):
    """A server of ours that is supervised, or one that runs elsewhere."""

    async def client(self) -> OpenCodeClient:
        """Waits until it is healthy."""


@dataclass(frozen=True)
class Conversation:
    """Whose session it is: everything in it makes the session's id."""

    mission: MissionFacts
    role: RoleFile
    #: A TODO id, `plan` or `final`.
    todo: str
    directory: Path
    title: str
    #: Attempt or round, for roles that get a fresh session each time; generation for a worker.
    generation: int

    @property
    def key(self) -> str:
        # The directory is part of the key: a session lives in one directory for good, so a TODO that had to move
        # to another slot gets another session.
        return session_key_for(
            self.mission.mission_id, self.todo, self.role.name, str(self.generation), str(self.directory)
        )


@dataclass(frozen=True)
class Reply:
    """What came of a turn: text to be read as an answer, or why there is none."""

    text: str
    usage: Usage
    failure: str = ""


@dataclass
class AgentSessions:
    """Takes turns. Knows which directories OpenCode is warm in."""

    opencode: OpenCode
    book: SessionBook
    #: False for a server somebody else configured: its sessions then get our roles' rules and words only.
    has_our_agents: bool = True
    warm: set[Path] = field(default_factory=set)

    def session_of(self, conversation: Conversation) -> str:
        """Empty before its first turn."""
        return self.book.find(conversation.key) or ""

    async def state_of(self, conversation: Conversation, turn: tuple[str, ...], key: TurnKey) -> TurnState:
        """Whether the turn was taken before: on a first try of an activity there is nothing to look for."""
        session = self.session_of(conversation)
        if activity.info().attempt == 1 or not session:
            return TurnState.ABSENT
        client = await self.opencode.client()
        message_id = message_id_for(key.moment, conversation.key, *turn)
        return await find_turn(client, session, message_id, str(conversation.directory))

    async def take(self, conversation: Conversation, turn: tuple[str, ...], key: TurnKey, text: str) -> Reply:
        """`turn` tells the turns of one session apart. Raises `OpenCodeError`s that a retry may mend."""
        client = await self.opencode.client()
        async with heartbeating(doing=conversation.title):
            order = await self._turn(client, conversation, turn, key, text)
            async with self._aborting_on_request(client, order):
                try:
                    answer = await take_turn(client, order)
                except (TurnAborted, TurnSuperseded, TurnTimedOut) as error:
                    return Reply("", Usage(turns=1), failure=str(error))
                except ModelFailed as error:
                    if error.name in OF_THE_AGENT:
                        return Reply("", Usage(turns=1), failure=str(error))
                    raise
                except OpenCodeRejected as error:
                    if error.status == HTTPStatus.NOT_FOUND:
                        self.book.forget(conversation.key)  # its database is gone; the retry opens another session
                    raise
        self.warm.add(conversation.directory)
        return _reply(answer)

    async def _turn(
        self, client: OpenCodeClient, conversation: Conversation, turn: tuple[str, ...], key: TurnKey, text: str
    ) -> Turn:
        role, options = conversation.role, conversation.mission.options
        # The rules of our own roles are in our server's configuration.
        rules = role.rules if role.own or not self.has_our_agents else ()
        new = NewSession(str(conversation.directory), conversation.title, rules)
        session = await self.book.open(client, conversation.key, new)
        return Turn(
            session_id=session.id,
            message_id=message_id_for(key.moment, conversation.key, *turn),
            part_id=part_id_for(key.moment, conversation.key, *turn),
            directory=new.directory,
            title=conversation.title,
            agent=f"mission-{role.name}" if self.has_our_agents else BUILT_IN,
            model=options.model_for(role.name) or role.model,
            system=role.prompt,
            text=text,
            time_limit=timedelta(minutes=options.turn_minutes),
            fresh=session.fresh,
        )

    @contextlib.asynccontextmanager
    async def _aborting_on_request(self, client: OpenCodeClient, turn: Turn) -> AsyncIterator[None]:
        """A cancelled mission ends its sessions; a worker that stops leaves them to the next one, which joins."""
        try:
            yield
        except asyncio.CancelledError:
            if cancelled_by_request():
                with contextlib.suppress(OpenCodeError):  # gone already is as good as aborted
                    await client.abort(turn.session_id, turn.directory)
            raise


def _reply(answer: TurnAnswer) -> Reply:
    usage = Usage(1, answer.input_tokens, answer.output_tokens, answer.cost)
    if answer.finish == "length":
        return Reply(answer.text, usage, failure="the answer was cut off at the model's output limit")
    if answer.finish == "content-filter":
        return Reply(answer.text, usage, failure="the provider's content filter stopped the answer")
    return Reply(answer.text, usage)


def read_answer(reply: Reply, shape: type[Answer]) -> tuple[Answer | None, str]:
    """The answer, or None and what is wrong with it."""
    if reply.failure:
        return None, reply.failure
    try:
        return parse_answer(reply.text, shape), ""
    except InvalidAnswer as error:
        return None, str(error)
