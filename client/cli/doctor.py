"""`mission doctor`: what is installed, what is missing and how to get it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.cli import arguments
from client.exit_codes import ExitCode
from client.installed import Fact, look_around
from runtime.settings import Settings


def doctor(as_json: arguments.AsJson = False) -> None:
    """Tell what a mission needs here, what is missing and how to get it. Ends with 1 when something needed is."""
    facts = asyncio.run(look_around(Settings.from_environment()))
    if as_json:
        typer.echo(as_document(facts))
    else:
        show(facts, Console())
    if any(fact.blocks for fact in facts):
        raise typer.Exit(ExitCode.FAILED)


def as_document(facts: Sequence[Fact]) -> str:
    ready = not any(fact.blocks for fact in facts)
    return json.dumps({"ready": ready, "facts": [asdict(fact) | {"ok": fact.ok} for fact in facts]}, indent=2)


def show(facts: Sequence[Fact], console: Console) -> None:
    """One line a fact; a problem stands below what it is about, where there is room for it."""
    table = Table.grid(padding=(0, 2))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for fact in facts:
        table.add_row(mark(fact), fact.name, description(fact))
    console.print(table)
    console.print(verdict(facts))


def mark(fact: Fact) -> Text:
    if fact.ok:
        return Text("✔", "green")
    return Text("✘", "bold red") if fact.needed else Text("–", "dim")


def description(fact: Fact) -> Text:
    first = Text("  ".join(filter(None, (fact.found, fact.where))))
    if len(fact.found) < len(first):
        first.stylize("dim", len(fact.found))
    if fact.problem is None:
        return first
    problem = Text(fact.problem, "red" if fact.needed else "dim")
    return Text("\n").join([first, problem]) if first else problem


def verdict(facts: Sequence[Fact]) -> Text:
    missing = [fact.name for fact in facts if fact.blocks]
    if missing:
        return Text(f"\nNot ready: {', '.join(missing)}.", "bold red")
    return Text("\nReady for missions.", "bold green")
