"""`mission down`: end the local stack."""

import asyncio

from client.cli import arguments
from client.cli.output import print_json, say, steps
from client.cli.running import command
from client.stack.ending import end_stack
from runtime.settings import Settings


@command
async def down(as_json: arguments.AsJson = False) -> None:
    """End the local stack, and nothing else. Open missions wait, and go on at the next `mission up`."""
    settings = Settings.from_environment()
    with steps("ending the stack") as progress:
        ended = await asyncio.to_thread(end_stack, settings, progress.show)
    if as_json:
        print_json({"ended": ended})
    else:
        say("The stack is down." if ended else "Nothing was running.")
