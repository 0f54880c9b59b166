"""How commands end: one number a script can act on."""

from enum import IntEnum

from mission.report import MissionStatus


class ExitCode(IntEnum):
    OK = 0  #: sealed, or the command did what it says
    FAILED = 1  #: the mission or the command failed
    BAD_INPUT = 2  #: a wrong option, file or id
    CANCELLED = 3  #: the mission was cancelled
    EXHAUSTED = 4  #: the mission used up its rounds
    UNREACHABLE = 5  #: Temporal or another part is not there
    INTERRUPTED = 130  #: Ctrl-C or SIGTERM; the mission goes on


MEANINGS = {
    ExitCode.OK: "sealed, or done",
    ExitCode.FAILED: "failed",
    ExitCode.BAD_INPUT: "wrong option, file or id",
    ExitCode.CANCELLED: "cancelled",
    ExitCode.EXHAUSTED: "rounds used up",
    ExitCode.UNREACHABLE: "Temporal or another part is not there",
    ExitCode.INTERRUPTED: "interrupted; the mission goes on",
}


def exit_code_of(status: MissionStatus) -> ExitCode:
    """What `run` and `watch` end with; a mission that goes on is no failure."""
    match status:
        case MissionStatus.FAILED:
            return ExitCode.FAILED
        case MissionStatus.CANCELLED:
            return ExitCode.CANCELLED
        case MissionStatus.EXHAUSTED:
            return ExitCode.EXHAUSTED
        case _:
            return ExitCode.OK
