"""The line at the top of every prompt of ours, by which the scripted model knows which turn it plays."""

import re
from dataclasses import dataclass
from typing import Literal, cast

Role = Literal["planner", "worker", "reviewer"]
Step = Literal["plan", "replan", "work", "rework", "resolve", "repair", "review", "final"]

_WORD = re.compile(r'[^\s"<>]+')
_LINE = re.compile(
    r'^[ \t]*<turn mission="(?P<mission>[^\s"<>]+)" role="(?P<role>planner|worker|reviewer)"'
    r' todo="(?P<todo>[^\s"<>]+)" attempt="(?P<attempt>\d{1,6})"'
    r' step="(?P<step>plan|replan|work|rework|resolve|repair|review|final)"/>[ \t\r]*$',
    re.MULTILINE,
)


@dataclass(frozen=True)
class TurnHeader:
    """Which turn of which mission a prompt belongs to."""

    mission: str
    role: Role
    #: A TODO's id, `plan` for the planner, `final` for the review of the whole.
    todo: str
    #: Counts from 1; for the planner the round.
    attempt: int
    step: Step

    def __str__(self) -> str:
        return render_header(mission=self.mission, role=self.role, todo=self.todo, attempt=self.attempt, step=self.step)


def render_header(*, mission: str, role: Role, todo: str, attempt: int, step: Step) -> str:
    """The line that `parse_header` reads; raises `ValueError` for a name that would break it."""
    for name, value in (("mission", mission), ("todo", todo)):
        if not _WORD.fullmatch(value):
            raise ValueError(f"{name} {value!r} cannot stand in a turn header: no spaces, quotes, < or >")
    return f'<turn mission="{mission}" role="{role}" todo="{todo}" attempt="{attempt}" step="{step}"/>'


def parse_header(text: str) -> TurnHeader | None:
    """The first header line of a text, or None: what follows it may quote others."""
    found = _LINE.search(text)
    if found is None:
        return None
    return TurnHeader(
        mission=found["mission"],
        role=cast("Role", found["role"]),
        todo=found["todo"],
        attempt=int(found["attempt"]),
        step=cast("Step", found["step"]),
    )
