"""How a scripted model misbehaves, and when: by rule and hash, so that the same scenario is the same run."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import Field, model_validator

from adapters.scripted_model.header import Role, Step, TurnHeader
from adapters.scripted_model.strict import Strict

Kind = Literal[
    "rate_limit",
    "quota",
    "server_error",
    "unauthorized",
    "unknown_model",
    "context_overflow",
    "drop",
    "hang",
    "slow",
    "malformed_json",
    "unknown_tool",
    "content_filter",
    "length",
    "empty",
    "false_done",
    "wrong_work",
    "invalid_answer",
]


class Fault(Strict):
    """One way to fail; what is not given matches everything."""

    role: Literal[Role, "any"] = "any"
    todo: str | None = None
    attempt: int | None = Field(default=None, ge=1)
    step: Step | None = None
    #: Step of output within the turn, from 0.
    index: int | None = Field(default=None, ge=0)
    kind: Literal[Kind, "random"]
    #: How often for each TODO of each mission. Default: once; a `random` fault without limit.
    times: int | None = Field(default=None, ge=1)
    #: Seconds the client is told to wait: `rate_limit`, `quota` (default 5 hours).
    retry_after: float | None = Field(default=None, ge=0)
    #: Seconds a `hang` (default 3600) or a `slow` answer (default 10) lasts.
    seconds: float | None = Field(default=None, gt=0)
    #: Where a `hang` begins; default: before anything is sent.
    after: Literal["first_byte"] | None = None
    #: For `random`: share of requests, and what happens to them.
    rate: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    kinds: list[Kind] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fields_fit_the_kind(self) -> Self:
        if self.kind == "random" and (self.rate is None or not self.kinds):
            raise ValueError("a random fault needs `rate` (0 to 1) and `kinds` (a list)")
        if self.kind != "random" and (self.rate is not None or self.kinds):
            raise ValueError(f"`rate` and `kinds` belong to `kind: random`, not to {self.kind!r}")
        if self.after is not None and "hang" not in (self.kind, *self.kinds):
            raise ValueError("`after` belongs to `kind: hang`")
        return self

    @property
    def most(self) -> float:
        if self.times is not None:
            return self.times
        return float("inf") if self.kind == "random" else 1

    def fits(self, turn: TurnHeader, index: int) -> bool:
        return (
            self.role in ("any", turn.role)
            and self.todo in (None, turn.todo)
            and self.attempt in (None, turn.attempt)
            and self.step in (None, turn.step)
            and self.index in (None, index)
        )


@dataclass(frozen=True)
class Moment:
    """One request of a mission: the turn, the step of output that is due, and what it would be."""

    turn: TurnHeader
    index: int
    #: Whether the due output is the turn's answer (else it is a tool call).
    answers: bool

    def allows(self, kind: Kind) -> bool:
        """Some faults make sense in some places only; elsewhere they wait for their moment."""
        if kind == "invalid_answer":
            return self.answers
        if kind in ("false_done", "wrong_work"):
            return self.turn.role == "worker" and not self.answers
        return True


@dataclass
class FaultChooser:
    """Remembers what has happened already, for each mission and TODO."""

    _used: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    _seen: Counter[tuple[TurnHeader, int]] = field(default_factory=Counter)

    def choose(self, faults: list[Fault], moment: Moment) -> Fault | None:
        """The first fault that is due now; a random one comes back with the kind that was drawn."""
        turn = moment.turn
        occurrence = self._seen[turn, moment.index]
        self._seen[turn, moment.index] += 1
        for place, fault in enumerate(faults):
            counted = (turn.mission, turn.todo, place)
            if self._used[counted] >= fault.most or not fault.fits(turn, moment.index):
                continue
            kind = fault.kind if fault.kind != "random" else _drawn(fault, moment, occurrence)
            if kind is not None and moment.allows(kind):
                self._used[counted] += 1
                return fault.model_copy(update={"kind": kind})
        return None


def _drawn(fault: Fault, moment: Moment, occurrence: int) -> Kind | None:
    # The mission's id is left out: it differs from run to run, the faults must not.
    turn = moment.turn
    key = f"{fault.seed} {turn.role} {turn.todo} {turn.attempt} {turn.step} {moment.index} {occurrence}"
    dice = hashlib.sha256(key.encode()).digest()
    if int.from_bytes(dice[:8]) / 2**64 >= (fault.rate or 0):
        return None
    return fault.kinds[int.from_bytes(dice[8:12]) % len(fault.kinds)]
