"""Follows a mission to its end, whatever becomes of the connection meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live

from client.cli.output import stdout, wants_plain_lines
from client.errors import ConnectionLost
from client.missions import MissionClient
from client.screen.changes import changes
from client.screen.live import Space, live_view
from mission.report import MissionReport
from runtime.settings import Settings
from runtime.temporal import TemporalError

SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 1.5
"""Seconds between looks: short while the mission moves, longer while nothing does."""

RECONNECT_EVERY = 1.0

LONGEST_CLOSING = 60.0
"""Seconds that an ended mission may take to close its books before its last report is taken as it is."""


@dataclass(frozen=True)
class Look:
    #: None until Temporal has answered once.
    report: MissionReport | None
    trouble: str = ""


async def follow(settings: Settings, client: MissionClient | None, mission_id: str) -> AsyncIterator[Look]:
    """Until the mission has ended; the last look holds its last report."""
    report: MissionReport | None = None
    pause = SHORTEST_PAUSE
    while True:
        try:
            client = client or await MissionClient.connect(settings)
            seen = await client.report(mission_id)
            if seen.status.ended:
                yield Look(await _last_report(client, seen))
                return
        except (ConnectionLost, TemporalError):
            client = None
            yield Look(report, "Temporal does not answer; reconnecting …")
            await asyncio.sleep(RECONNECT_EVERY)
            continue
        yield Look(seen)
        pause = SHORTEST_PAUSE if seen != report else min(LONGEST_PAUSE, pause * 1.5)
        report = seen
        await asyncio.sleep(pause)


async def _last_report(client: MissionClient, seen: MissionReport) -> MissionReport:
    """With what the mission does last: leftovers saved, slots freed, files written."""
    with suppress(TimeoutError):
        return await asyncio.wait_for(client.wait(seen.mission_id), LONGEST_CLOSING)
    return seen


class View(Protocol):
    def show(self, look: Look) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...


class LiveView:
    """The tree, drawn again in place. It goes when the mission ends, and stays when we leave before."""

    def __init__(self, console: Console, link: str) -> None:
        self._console, self._link = console, link
        self._look = Look(None)
        self._live = Live(
            console=console, get_renderable=self._draw, refresh_per_second=5, transient=True, redirect_stderr=False
        )

    def show(self, look: Look) -> None:
        self._look = look

    def _draw(self) -> RenderableType:
        look = self._look
        if look.report is None:
            return look.trouble or "looking at the mission …"
        space = Space(self._console.width, self._console.height - 1)
        return live_view(look.report, datetime.now(UTC), space, self._link, look.trouble)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._live.transient = error is None
        self._live.stop()


class PlainView:
    """One line a change, with its time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: MissionReport | None = None
        self._trouble = ""

    def show(self, look: Look) -> None:
        if look.trouble != self._trouble:
            self._trouble = look.trouble
            self._line(look.trouble or "connected again")
        if look.report is not None:
            for line in changes(self._before, look.report):
                self._line(line)
            self._before = look.report

    def _line(self, text: str) -> None:
        self._console.print(f"{datetime.now():%H:%M:%S} {text}", markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...


class NoView:
    """For `--json`: only the end counts."""

    def show(self, look: Look) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...


def choose_view(link: str, *, plain: bool, as_json: bool) -> View:
    if as_json:
        return NoView()
    return PlainView(stdout()) if wants_plain_lines(plain) else LiveView(stdout(), link)


async def watch_until_the_end(settings: Settings, client: MissionClient, mission_id: str, view: View) -> MissionReport:
    """The last report. Leaves the mission alone when cancelled."""
    with view:
        async for look in follow(settings, client, mission_id):
            view.show(look)
    assert look.report is not None
    return look.report
