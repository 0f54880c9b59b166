"""The other side of the comparison: the same OpenCode turns with plain HTTP, no mission around them."""

import asyncio
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.scripted_model.header import Role, Step, render_header


@dataclass
class BareScript:
    """Plan, six workers side by side, six reviews, a final review: nothing is checked, committed or remembered."""

    http: httpx.AsyncClient
    directories: list[Path]
    todos: int
    parallel: int
    mission: str = field(default_factory=lambda: f"mission-bare-{uuid.uuid4().hex[:6]}")

    async def run(self) -> None:
        await self._turn("planner", "plan", "plan", self.directories[0])
        await self.work()
        await self._turn("reviewer", "final", "final", self.directories[0])

    async def work(self) -> None:
        lanes = asyncio.Semaphore(self.parallel)
        await asyncio.gather(*(self._todo(number, lanes) for number in range(self.todos)))

    async def _todo(self, number: int, lanes: asyncio.Semaphore) -> None:
        directory = self.directories[number % len(self.directories)]
        async with lanes:
            await self._turn("worker", f"T{number + 1}", "work", directory)
            await self._turn("reviewer", f"T{number + 1}", "review", directory)

    async def _turn(self, role: Role, todo: str, step: Step, directory: Path) -> None:
        where = {"directory": str(directory)}
        created = await self.http.post("/session", params=where, json={"title": f"{role} {todo}"})
        session = created.raise_for_status().json()["id"]
        header = render_header(mission=self.mission, role=role, todo=todo, attempt=1, step=step)
        answer = await self.http.post(
            f"/session/{session}/message",
            params=where,
            json={
                "agent": f"mission-{role}",
                "model": {"providerID": "scripted", "modelID": "model"},
                "parts": [{"type": "text", "text": header}],
            },
        )
        finish = answer.raise_for_status().json()["info"].get("finish")
        if finish != "stop":
            raise RuntimeError(f"{role} {todo}: the turn ended with {finish!r}")
