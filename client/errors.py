"""What goes wrong in a way a person can mend. The message is what they read, after `Error:`.

UserError
├─ BadInput                an option, argument or file is wrong
│  ├─ MissionFileError     the project's mission.toml
│  └─ UnknownMission       no mission has this id
├─ CommandFailed           it was understood and could not be done
├─ PartMissing             Temporal, the worker or another part is not there
│  ├─ StackFailed          a part of the local stack does not start
│  └─ ConnectionLost       Temporal answered before and does not now
└─ Interrupted             Ctrl-C or SIGTERM
"""

from client.exit_codes import ExitCode


class UserError(Exception):
    """Root; the message names the thing, the limit and what to do."""

    exit_code = ExitCode.FAILED


class BadInput(UserError):
    """An option, argument or file is wrong."""

    exit_code = ExitCode.BAD_INPUT


class MissionFileError(BadInput):
    """The project's `mission.toml` cannot be used: file, line, what is wrong."""


class UnknownMission(BadInput):
    """No mission has this id; the message offers the nearest."""


class CommandFailed(UserError):
    """It was understood and could not be done."""


class PartMissing(UserError):
    """Temporal, the worker or another part is not there."""

    exit_code = ExitCode.UNREACHABLE


class StackFailed(PartMissing):
    """A part of the local stack does not start, or does not stay."""


class ConnectionLost(PartMissing):
    """Temporal answered before and does not now."""


class Interrupted(UserError):
    """Ctrl-C or SIGTERM; the message says what goes on and how to return to it."""

    exit_code = ExitCode.INTERRUPTED
