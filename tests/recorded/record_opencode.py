"""Records what a real OpenCode answers; see README.md."""

import asyncio
import json
import tempfile
from datetime import timedelta
from pathlib import Path

import httpx

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.errors import OpenCodeError
from adapters.opencode.turns import Turn
from tests.unit.adapters.opencode_fixtures import Place, Step, running, take_turn

HERE = Path(__file__).parent
BASH = {"command": "echo hi", "description": "greets"}


def ways(here: Place) -> dict[str, Turn]:
    """One turn for each way a turn can take."""
    full = Step(call="bash", arguments=BASH, tokens=125_000)
    sleep = Step(call="bash", arguments={"command": "sleep 30", "description": "sleeps"})
    return {
        "done": here.turn("done", Step(say="hello")),
        "done-after-a-tool": here.turn("tool", Step(call="bash", arguments=BASH), Step(say="hello")),
        "done-after-compaction": here.turn("compaction", full, Step(say="after it")),
        "length": here.turn("length", Step(say="half", finish="length")),
        "content-filter": here.turn("filter", Step(say="half", finish="content_filter")),
        "empty": here.turn("empty", Step(say="")),
        "failed": here.turn("failed", Step(status=400)),
        "aborted": here.turn("aborted", sleep, time_limit=timedelta(seconds=1)),
    }


async def record(here: Place, url: str, password: str) -> None:
    client = OpenCodeClient(url, password)
    folder = HERE / f"opencode-{await client.version()}"
    folder.mkdir(exist_ok=True)
    async with httpx.AsyncClient(base_url=url, auth=("opencode", password), trust_env=False) as http:
        for name, turn in ways(here).items():
            try:
                await take_turn(client, turn)
            except OpenCodeError as error:
                print(f"{name}: {error}")  # noqa: T201
            answer = await http.get(f"/session/{turn.session_id}/message")
            text = json.dumps(answer.json(), indent=1).replace(str(here.root), "/somewhere")
            (folder / f"messages-{name}.json").write_text(text + "\n")
    await client.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root, running(Path(root)) as server:
        asyncio.run(record(*server))
