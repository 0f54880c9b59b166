"""OpenCode's HTTP interface: one method an endpoint, its failures as our errors."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from adapters.opencode.errors import OpenCodeRejected, OpenCodeUnreachable, OpenCodeUnsupported
from adapters.opencode.models import (
    Agent,
    Message,
    PermissionRequest,
    PermissionRule,
    Provider,
    Session,
    SessionStatus,
)

# A request that meets a starting server is never answered: only a read timeout ends it. Long enough for a server that
# prepares several new directories at once on few cores.
SHORT = httpx.Timeout(15, connect=3)
# The turn itself takes as long as it takes; whoever waits has a time limit of their own.
UNLIMITED = httpx.Timeout(None, connect=3)
ABORT_CONFIRMED_WITHIN = 10.0

Json = Mapping[str, object]
T = TypeVar("T")


@dataclass(frozen=True)
class NewSession:
    """A session lives in one directory for good, and its rules are those it was made with."""

    directory: str
    #: Never empty: OpenCode would ask a model for one.
    title: str
    #: Come after the agent's rules, so they are stronger. None may `ask`: nobody would answer.
    permission: Sequence[PermissionRule] = ()


@dataclass(frozen=True)
class Prompt:
    """A user's message under ids of our own choice, so that posting it twice is one turn."""

    message_id: str
    part_id: str
    #: Always named: a session's own agent does not choose that of its prompts.
    agent: str
    text: str
    #: provider/model, or None for the agent's or OpenCode's default.
    model: str | None = None
    #: Appended to the agent's prompt.
    system: str = ""

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {
            "messageID": self.message_id,
            "agent": self.agent,
            "parts": [{"id": self.part_id, "type": "text", "text": self.text}],
        }
        if self.model:
            provider, _, model = self.model.partition("/")
            body["model"] = {"providerID": provider, "modelID": model}
        if self.system:
            body["system"] = self.system
        return body


class OpenCodeClient:
    """Speaks to one server. Raises `OpenCodeUnreachable`, `OpenCodeRejected` and `OpenCodeUnsupported` only."""

    def __init__(self, base_url: str, password: str | None = None, username: str = "opencode") -> None:
        self.base_url = base_url.rstrip("/")
        self.auth = (username, password) if password else None
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            auth=self.auth,
            timeout=SHORT,
            # Every running turn holds one connection until its end.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,  # a proxy has no business on loopback
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def version(self, timeout: float = 3.0) -> str:
        """The version of a server that is healthy."""
        answer = await self._json("GET", "/global/health", dict[str, object], timeout=httpx.Timeout(timeout))
        if answer.get("healthy") is not True:
            raise OpenCodeUnreachable(f"OpenCode at {self.base_url} is not healthy: {answer}")
        return str(answer.get("version", "unknown"))

    async def create_session(self, new: NewSession) -> str:
        """The id of a new one; each call makes another."""
        body: dict[str, object] = {"title": new.title}
        if new.permission:
            body["permission"] = [rule.model_dump() for rule in new.permission]
        made = await self._json("POST", "/session", Session, body, query={"directory": new.directory})
        return made.id

    async def session(self, session_id: str) -> Session:
        return await self._json("GET", f"/session/{session_id}", Session)

    async def delete_session(self, session_id: str) -> None:
        """Idempotent; its children go with it."""
        try:
            await self._json("DELETE", f"/session/{session_id}", bool)
        except OpenCodeRejected as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def messages(self, session_id: str) -> list[Message]:
        """Oldest first. While a message is being written its text parts are empty."""
        return await self._json("GET", f"/session/{session_id}/message", list[Message])

    async def post_message(self, session_id: str, prompt: Prompt) -> None:
        """Returns when the session is at rest, which says nothing about success: read the messages.

        The same ids again join a running turn, continue one that was cut off, and are free when it is over; but only
        while this is the session's last prompt. The turn goes on when the connection breaks.
        """
        await self._request("POST", f"/session/{session_id}/message", prompt.body(), timeout=UNLIMITED)

    async def status(self, session_id: str, directory: str) -> SessionStatus | None:
        """None when it is idle, or unknown. The wrong directory looks idle, too."""
        query = {"directory": directory}
        statuses = await self._json("GET", "/session/status", dict[str, SessionStatus], query=query)
        status = statuses.get(session_id)
        return None if status is None or status.type == "idle" else status

    async def abort(self, session_id: str, directory: str) -> None:
        """Returns when nothing runs there any more; its bash commands have ended, too."""
        try:
            await self._json("POST", f"/session/{session_id}/abort", bool)
        except OpenCodeRejected as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return
        deadline = time.monotonic() + ABORT_CONFIRMED_WITHIN
        while await self.status(session_id, directory) is not None:
            if time.monotonic() > deadline:
                raise OpenCodeUnreachable(
                    f"session {session_id} still runs {ABORT_CONFIRMED_WITHIN:.0f} s after its abort"
                )
            await asyncio.sleep(0.05)

    async def permissions(self, directory: str) -> list[PermissionRequest]:
        """Questions that wait for an answer in this directory."""
        return await self._json("GET", "/permission", list[PermissionRequest], query={"directory": directory})

    async def reply_permission(
        self, request_id: str, reply: Literal["once", "always", "reject"], directory: str, message: str = ""
    ) -> None:
        """A rejection without a message stops the turn; with one, the model reads it and goes on."""
        body = {"reply": reply, **({"message": message} if message else {})}
        await self._json("POST", f"/permission/{request_id}/reply", bool, body, query={"directory": directory})

    async def models(self, directory: str) -> list[Provider]:
        """Providers that can be used now, with their models and prices."""
        answer = await self._json("GET", "/config/providers", dict[str, object], query={"directory": directory})
        return self._read(list[Provider], answer.get("providers"), "/config/providers")

    async def known_providers(self, directory: str) -> list[Provider]:
        """All providers OpenCode has ever heard of, connected or not: several megabytes, for messages to people."""
        answer = await self._json("GET", "/provider", dict[str, object], query={"directory": directory})
        return self._read(list[Provider], answer.get("all"), "/provider")

    async def agents(self, directory: str) -> list[str]:
        agents = await self._json("GET", "/agent", list[Agent], query={"directory": directory})
        return [agent.name for agent in agents]

    async def _json(
        self,
        method: str,
        path: str,
        shape: type[T],
        body: Json | None = None,
        *,
        query: Mapping[str, str] | None = None,
        timeout: httpx.Timeout = SHORT,
    ) -> T:
        response = await self._request(method, path, body, query=query, timeout=timeout)
        try:
            read: T = _adapter(shape).validate_json(response.content)
            return read
        except ValidationError as error:
            raise self._not_understood(path, error) from error

    def _read(self, shape: type[T], value: object, path: str) -> T:
        try:
            read: T = _adapter(shape).validate_python(value)
            return read
        except ValidationError as error:
            raise self._not_understood(path, error) from error

    def _not_understood(self, path: str, error: ValidationError) -> OpenCodeUnsupported:
        first = error.errors()[0]
        where = ".".join(str(place) for place in first["loc"]) or "the answer"
        return OpenCodeUnsupported(
            f"OpenCode at {self.base_url} answered {path} in a form this version does not know: {where}: {first['msg']}"
        )

    async def _request(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, str] | None = None,
        timeout: httpx.Timeout,
    ) -> httpx.Response:
        try:
            response = await self._http.request(method, path, json=body, params=query, timeout=timeout)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise OpenCodeUnreachable(f"OpenCode at {self.base_url} does not answer {path}: {reason}") from error
        if response.is_success:
            return response
        raise self._refusal(method, path, response)

    def _refusal(self, method: str, path: str, response: httpx.Response) -> OpenCodeRejected | OpenCodeUnreachable:
        status = response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            return OpenCodeRejected(f"OpenCode at {self.base_url} refuses our password", status)
        if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
            return OpenCodeUnreachable(f"OpenCode at {self.base_url} is not available: HTTP {status}")
        said = " ".join(response.text.split())[:500]
        return OpenCodeRejected(f"OpenCode refuses {method} {path}: HTTP {status} {said}", status)


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(shape: Any) -> TypeAdapter[Any]:
    """Building one takes longer than most answers, so each is built once."""
    if shape not in _ADAPTERS:
        _ADAPTERS[shape] = TypeAdapter(shape)
    return _ADAPTERS[shape]
