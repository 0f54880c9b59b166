"""What warm slots are worth, what a cold start costs, and what ten open missions weigh.

    .venv/bin/python -m benchmarks.slots [--todos 20]

1. The first and the second mission on an OpenCode that has just started.
2. The same worker turns over six slots that OpenCode knows, and each in a new worktree.
3. The memory of the worker process while ten missions are open.
"""

import argparse
import asyncio
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from benchmarks.bare import BareScript
from benchmarks.overhead import LATENCY, OPTIONS, SCENARIO, Bench, mission_bench, warm_six_slots
from benchmarks.stack import Spent, running_stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--todos", type=int, default=20)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.todos))


async def measure(todos: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "model.jsonl"
        with running_stack(SCENARIO, log) as stack:
            bench = await mission_bench(stack, log)
            bench.play({})
            project = stack.repository("project")
            await first_and_second(bench, project)
            await slots_and_new_worktrees(bench, project, todos)
            await ten_open_missions(bench, project)


async def first_and_second(bench: Bench, project: Path) -> None:
    seconds = [(await bench.mission(project))[0] for _ in range(4)]
    later = median(seconds[1:])
    print(
        f"first mission on a fresh OpenCode {seconds[0]:.2f} s, later ones {later:.2f} s: {seconds[0] - later:+.2f} s"
    )


async def slots_and_new_worktrees(bench: Bench, project: Path, todos: int) -> None:
    """Both with six at once and nothing but the turns, so that the directory is the only difference."""
    await warm_six_slots(bench, project)
    bench.play({})
    slots = sorted((bench.stack.home / "missions/repositories").glob("*/slots/[0-9]*"))[:6]
    fresh = new_worktrees(project, bench.stack.home, todos)
    warm = [await _turns(bench, slots, todos) for _ in range(3)]
    cold = await _turns(bench, fresh, todos)
    print(
        f"{todos} TODOs over {len(slots)} slots {median(warm):.2f} s, each in a new worktree {cold:.2f} s: "
        f"slots are {cold / median(warm):.1f} times as fast"
    )


def new_worktrees(project: Path, below: Path, number: int) -> list[Path]:
    directories = [below / f"new-{one}" for one in range(number)]
    for directory in directories:
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(directory)], cwd=project, check=True)
    return directories


async def _turns(bench: Bench, directories: list[Path], todos: int) -> float:
    facts = bench.stack.record("opencode").facts
    auth = ("opencode", str(facts["password"]))
    async with httpx.AsyncClient(base_url=str(facts["url"]), auth=auth, timeout=None, trust_env=False) as http:
        script = BareScript(http, directories, todos=todos, parallel=6)
        began = time.perf_counter()
        await script.work()
        return time.perf_counter() - began


async def ten_open_missions(bench: Bench, project: Path) -> None:
    bench.play(LATENCY)
    worker = Spent.of(bench.stack.record("worker"))
    one_lane = OPTIONS.model_copy(update={"parallel": 1})
    missions = [asyncio.create_task(bench.mission(project, one_lane)) for _ in range(10)]
    while not all(task.done() for task in missions):
        worker.look()
        await asyncio.sleep(0.2)
    longest = max(task.result()[0] for task in missions)
    print(f"ten missions at once, one TODO each at a time: {longest:.1f} s, worker {worker.peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
