"""What commands print: results on stdout, everything about the way there on stderr."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.status import Status


def stdout() -> Console:
    return Console(highlight=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """One document, for scripts."""
    sys.stdout.write(json.dumps(value, indent=2, default=_in_json) + "\n")


def _in_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say(text: str) -> None:
    """A line for a person, apart from the result; never cut, so that it can be copied."""
    stderr().print(text, markup=False, soft_wrap=True)


def wants_plain_lines(plain: bool) -> bool:
    """No live view: asked for, no terminal, or one that cannot or should not do it."""
    dull = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return plain or dull or not sys.stdout.isatty()


@dataclass
class Steps:
    """What a command that takes a while is at."""

    console: Console
    spinner: Status | None = None
    said: list[str] = field(default_factory=list)

    def show(self, text: str) -> None:
        if not text or text in self.said[-1:]:
            return
        self.said.append(text)
        if self.spinner is not None:
            self.spinner.update(text)
        else:
            self.console.print(text, markup=False, soft_wrap=True)


@contextmanager
def steps(first: str) -> Iterator[Steps]:
    """A spinner on a terminal, lines elsewhere; gone or silent when it is over."""
    console = stderr()
    if not console.is_terminal or wants_plain_lines(plain=False):
        yield Steps(console)
        return
    with console.status(first, spinner="dots") as spinner:
        yield Steps(console, spinner)
