"""The command line `mission`."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Ctrl-C ends us without a word until a command begins, which then answers for itself."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from client.cli.app import app
    from runtime.temporal import leave

    try:
        app()
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1)
    leave(0)
