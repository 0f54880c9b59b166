"""The JSON of OpenCode's API, as far as we use it. Unknown fields are allowed: the API is not ours to freeze."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class PermissionRule(Wire):
    """Of all rules that match, an agent's first and its session's after them, the last one wins."""

    permission: str
    pattern: str
    action: Literal["allow", "deny", "ask"]


class CacheTokens(Wire):
    read: int = 0
    write: int = 0


class Tokens(Wire):
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cache: CacheTokens = CacheTokens()


class ErrorData(Wire):
    message: str = ""
    status_code: int | None = Field(default=None, alias="statusCode")
    is_retryable: bool | None = Field(default=None, alias="isRetryable")
    response_headers: Mapping[str, str] | None = Field(default=None, alias="responseHeaders")


class ErrorInfo(Wire):
    name: str
    data: ErrorData = ErrorData()


class MessageTime(Wire):
    created: float = 0
    #: Absent while the message is being written, and for ever when OpenCode died meanwhile.
    completed: float | None = None


class MessageInfo(Wire):
    """A user's or an assistant's message; an assistant writes one message a model call."""

    id: str
    role: Literal["user", "assistant"]
    parent_id: str | None = Field(default=None, alias="parentID")
    time: MessageTime = MessageTime()
    finish: str | None = None
    error: ErrorInfo | None = None
    #: True for the assistant message that a compaction writes; an object in user messages.
    summary: object = None
    cost: float = 0
    tokens: Tokens = Tokens()
    provider_id: str = Field(default="", alias="providerID")
    model_id: str = Field(default="", alias="modelID")


class Part(Wire):
    type: str
    text: str = ""
    #: Text that OpenCode wrote itself, in our name.
    synthetic: bool = False


class Message(Wire):
    info: MessageInfo
    parts: tuple[Part, ...] = ()


class Session(Wire):
    id: str
    title: str = ""
    permission: tuple[PermissionRule, ...] = ()


class SessionStatus(Wire):
    """Of a session that is not idle; idle ones have none."""

    type: Literal["busy", "retry", "idle"]
    attempt: int | None = None
    message: str = ""
    #: Milliseconds since the epoch at which the retry starts.
    next: float | None = None


class PermissionRequest(Wire):
    """A question that blocks its session until it is answered; gone after a restart."""

    id: str
    session_id: str = Field(alias="sessionID")
    permission: str
    patterns: tuple[str, ...] = ()


class ModelPrice(Wire):
    """Dollars for a million tokens."""

    input: float = 0
    output: float = 0


class ModelLimit(Wire):
    context: float = 0
    output: float = 0


class Model(Wire):
    id: str
    name: str = ""
    cost: ModelPrice = ModelPrice()
    limit: ModelLimit = ModelLimit()


class Provider(Wire):
    id: str
    name: str = ""
    #: Environment variables that may hold its key.
    env: tuple[str, ...] = ()
    models: Mapping[str, Model] = {}


class Agent(Wire):
    name: str
