"""What a durable mission costs over bare OpenCode that takes the same turns. Prints ratios of paired rounds.

    .venv/bin/python -m benchmarks.overhead [--rounds 7]

Both sides share one OpenCode and one scripted model, everything is warm, and rounds alternate so that noise hits both.
The mission has everything on: Temporal dev server on a file, worker process, git, checks, merges, reviews.
"""

import argparse
import asyncio
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from adapters.scripted_model.scenario import load_scenario, save_scenario
from benchmarks.bare import BareScript
from benchmarks.stack import Spent, Stack, requests, running_stack
from mission.messages import MissionInput
from mission.options import MissionOptions
from mission.report import MissionReport, MissionStatus
from runtime.settings import Settings
from runtime.temporal import connect

SCENARIO = Path(__file__).parents[1] / "scenarios/six-files.yaml"
LATENCY = {"planner": 0.5, "worker": 2.0, "reviewer": 0.5}
OPTIONS = MissionOptions(model="scripted/model", parallel=6)
PARTS = ("opencode", "worker", "temporal")
WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.rounds))


async def measure(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running_stack(SCENARIO, Path(folder) / "model.jsonl") as stack:
        bench = await mission_bench(stack, Path(folder) / "model.jsonl")
        project = stack.repository("project")
        await warm_six_slots(bench, project)
        for name, latency, times in (
            ("six files, no model latency", {}, rounds),
            ("six files, 0.5 s to plan and review, 2 s to work", LATENCY, max(3, rounds // 2)),
        ):
            bench.play(latency)
            await compare(bench, name, project, times)


@dataclass
class Bench:
    """What both sides use."""

    stack: Stack
    client: Client
    log: Path

    def play(self, latency: dict[str, float]) -> None:
        """For every mission from now on."""
        save_scenario(
            self.stack.home / "missions/scenarios",
            "default",
            load_scenario(SCENARIO).model_copy(update={"latency": latency}),
            self.log,
        )

    async def mission(self, project: Path, options: MissionOptions = OPTIONS) -> tuple[float, MissionReport, str]:
        """Seconds from the start to the seal."""
        mission_id = f"mission-bench-{uuid.uuid4().hex[:6]}"
        settings = Settings(home=self.stack.home / "missions")
        order = MissionInput(mission_id, "Six files", str(project), settings.host_queue(), options)
        began = time.perf_counter()
        handle = await self.client.start_workflow(
            "mission", order, id=mission_id, task_queue=settings.task_queue, result_type=MissionReport
        )
        report: MissionReport = await handle.result()
        return time.perf_counter() - began, report, mission_id

    async def bare(self, directories: list[Path]) -> float:
        facts = self.stack.record("opencode").facts
        auth = ("opencode", str(facts["password"]))
        async with httpx.AsyncClient(base_url=str(facts["url"]), auth=auth, timeout=None, trust_env=False) as http:
            script = BareScript(http, directories, todos=6, parallel=6)
            began = time.perf_counter()
            await script.run()
            return time.perf_counter() - began


async def warm_six_slots(bench: Bench, project: Path) -> None:
    """Both sides work six at once: a mission uses so many slots as soon as it has seen that agents are slow."""
    bench.play(LATENCY)
    for _ in range(WARM_UP):
        await bench.mission(project)


async def mission_bench(stack: Stack, log: Path) -> Bench:
    return Bench(stack, await connect(Settings(home=stack.home / "missions")), log)


async def compare(bench: Bench, name: str, project: Path, rounds: int) -> None:
    """Alternating rounds; the first one only warms up."""
    one = [bench.stack.home / "bare"]
    one[0].mkdir(exist_ok=True)
    mission: list[float] = []
    bare: dict[str, list[float]] = {"one directory": [], "the same worktrees": []}
    for number in range(rounds + 2):
        seconds, report, _ = await bench.mission(project)
        slots = sorted((bench.stack.home / "missions/repositories").glob("*/slots/[0-9]*"))[:6]
        round_of_bare = {"one directory": await bench.bare(one), "the same worktrees": await bench.bare(slots)}
        if report.status is not MissionStatus.SEALED:
            raise RuntimeError(report.reason)
        if number >= WARM_UP:
            mission.append(seconds)
            for way, alone in round_of_bare.items():
                bare[way].append(alone)
    print(f"\n{name}: {rounds} paired rounds")
    print(f"  mission                  {_spread(mission)} s")
    for way, took in bare.items():
        ratio = median(ours / theirs for ours, theirs in zip(mission, took, strict=True))
        print(f"  bare, {way:<18} {_spread(took)} s   mission/bare {ratio:.2f}")
    await tell_what_a_mission_takes(bench, project)


async def tell_what_a_mission_takes(bench: Bench, project: Path) -> None:
    """Requests, bytes, CPU, memory and history of one more mission."""
    spent = {part: Spent.of(bench.stack.record(part)) for part in PARTS}
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            for one in spent.values():
                one.look()
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    _, report, mission_id = await bench.mission(project)
    done.set()
    await watching
    asked = [one for one in requests(bench.log) if one["mission"] == mission_id]
    print(f"  model requests           {len(asked)}, {sum(int(str(one['bytes'])) for one in asked) / 1000:.0f} kB")
    for role in ("planner", "worker", "reviewer"):
        sizes = [int(str(one["bytes"])) for one in asked if one["role"] == role]
        print(f"    {role:<9} {len(sizes):>3} requests, {min(sizes) / 1000:.1f} to {max(sizes) / 1000:.1f} kB each")
    for part, one in spent.items():
        print(f"  {part:<10} {one.cpu:5.2f} CPU s, {one.peak / 1e6:5.0f} MB at most")
    await _tell_history(bench.client, mission_id, len(report.work))


async def _tell_history(client: Client, mission_id: str, todos: int) -> None:
    history = await client.get_workflow_handle(mission_id).fetch_history()
    size = sum(event.ByteSize() for event in history.events)
    kinds = Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events)
    print(
        f"  history of the mission   {len(history.events)} events, {size / 1000:.1f} kB: "
        f"{len(history.events) / todos:.1f} events and {size / todos / 1000:.1f} kB a TODO"
    )
    print("    " + ", ".join(f"{count} {kind.lower()}" for kind, count in kinds.most_common(6)))


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):5.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
