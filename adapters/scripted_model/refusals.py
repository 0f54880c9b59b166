"""Faults that answer with an HTTP error, worded as providers do: OpenCode reads status, code and words."""

from dataclasses import dataclass, field
from typing import Any

from adapters.scripted_model.faults import Fault, Kind

_QUOTA_SECONDS = 5 * 3600.0


@dataclass(frozen=True)
class Refusal:
    status: int
    message: str
    code: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 429 else self.code
        return {"error": {"message": self.message, "type": kind, "param": None, "code": self.code}}


_REFUSALS: dict[Kind, Refusal] = {
    "rate_limit": Refusal(429, "Rate limit reached for requests", "rate_limit_exceeded"),
    "quota": Refusal(429, "You exceeded your current quota", "insufficient_quota"),
    "server_error": Refusal(500, "The server had an error while processing your request", "server_error"),
    "unauthorized": Refusal(401, "Incorrect API key provided", "invalid_api_key"),
    "unknown_model": Refusal(404, "The model does not exist or you do not have access to it", "model_not_found"),
    "context_overflow": Refusal(400, "This model's maximum context length is 128000 tokens", "context_length_exceeded"),
}


def refusal(fault: Fault | None) -> Refusal | None:
    """The error to answer with, or None when the fault is of another kind."""
    found = _REFUSALS.get(fault.kind) if fault and fault.kind != "random" else None
    if found is None or fault is None:
        return None
    wait = fault.retry_after if fault.retry_after is not None else _default_wait(fault)
    if found.status != 429 or wait is None:
        return found
    return Refusal(found.status, found.message, found.code, {"retry-after": f"{wait:g}"})


def _default_wait(fault: Fault) -> float | None:
    return _QUOTA_SECONDS if fault.kind == "quota" else None
