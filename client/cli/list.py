"""`mission list`: all missions."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from client.cli import arguments
from client.cli.output import print_json, say, stdout
from client.cli.running import command
from client.missions import MissionClient
from client.screen.words import clock, one_line, status_sign
from client.visibility import MissionRow
from runtime.settings import Settings


@command
async def list_missions(
    running: Annotated[bool, typer.Option("--running", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="The newest ones, at most.")] = 50,
    as_json: arguments.AsJson = False,
) -> None:
    """List missions, newest first."""
    client = await MissionClient.connect(Settings.from_environment())
    rows = [row for row in await client.list(limit) if row.running or not running]
    if as_json:
        print_json([asdict(row) for row in rows])
    elif not rows:
        say('No missions. `mission run "…"` starts one.')
    else:
        stdout().print(mission_table(rows, datetime.now(UTC)))


def mission_table(rows: list[MissionRow], now: datetime) -> Table:
    table = Table(box=None, padding=(0, 1), expand=True, header_style="dim", pad_edge=False)
    table.add_column("Mission", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Done", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Objective", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        sign = status_sign(row.status)
        status = Text(row.status, style=sign.style)
        spent = clock((row.ended or now) - row.started)
        name = Text.assemble((sign.mark, sign.style), " ", row.id)
        table.add_row(name, status, f"{row.progress} %", spent, Text(one_line(row.objective), style="dim"))
    return table
