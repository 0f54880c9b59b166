"""`mission worker`: the worker process alone."""

import os
import sys

from client.cli import arguments
from client.cli.running import command
from client.errors import PartMissing
from client.stack.parts import WORKER_PROGRAM


@command
def worker(opencode_url: arguments.OpenCodeUrl = None) -> None:  # noqa: ARG001 - its callback did the work
    """Run the worker alone, against any Temporal: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, profiles."""
    if not WORKER_PROGRAM.exists():
        raise PartMissing(f"{WORKER_PROGRAM} is missing: the installation is not whole, run `make setup`")
    # Replaced, not started: whoever supervises us then supervises the worker itself.
    os.execv(sys.executable, [sys.executable, str(WORKER_PROGRAM)])  # noqa: S606 - no shell is meant
