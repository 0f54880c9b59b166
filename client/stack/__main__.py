"""`python -m client.stack`: what `mission up --detach` leaves running."""

import asyncio
import sys
from datetime import datetime

from client.errors import UserError
from client.stack.supervisor import Supervisor
from runtime.settings import Settings
from runtime.temporal import TemporalError, leave


def main() -> int:
    settings = Settings.from_environment()
    try:
        asyncio.run(Supervisor(settings, _say).run())
    except (UserError, TemporalError) as error:
        _say(f"Error: {error}")
        return 1
    except OSError as error:
        _say(f"Error: {error.filename or settings.home}: {error.strerror or error}")
        return 1
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    leave(main())
