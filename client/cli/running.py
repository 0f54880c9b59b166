"""Runs a command's body: async or not, its errors in words, its end as an exit code."""

import asyncio
import functools
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, ParamSpec

import typer

from adapters.git.errors import NotAWorkspace, WorkspaceError
from adapters.scripted_model.errors import ScriptedModelError
from client.cli.output import say
from client.errors import Interrupted, UserError
from client.exit_codes import ExitCode
from runtime.settings import Settings
from runtime.temporal import TemporalError

Arguments = ParamSpec("Arguments")

_KNOWN: tuple[tuple[type[Exception], ExitCode], ...] = (
    (TemporalError, ExitCode.UNREACHABLE),
    (ScriptedModelError, ExitCode.BAD_INPUT),
    (NotAWorkspace, ExitCode.BAD_INPUT),
    (WorkspaceError, ExitCode.FAILED),
)
"""Errors of other layers whose message is meant for a person."""


def command(body: Callable[Arguments, Any]) -> Callable[Arguments, None]:
    """What typer calls. The body returns an `ExitCode`, or nothing for OK, or raises."""

    @functools.wraps(body)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        raise typer.Exit(_finish(functools.partial(body, *args, **kwargs)))

    return run


def _finish(body: Callable[[], Any]) -> int:
    """No traceback ever reaches a person; what nobody foresaw goes to a file, whose path they get."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = body()
        if inspect.iscoroutine(result):
            result = asyncio.run(_until_told_to_stop(result))
        sys.stdout.flush()
        return int(result or ExitCode.OK)
    except typer.Exit as ended:
        return ended.exit_code
    except Interrupted as error:
        say(str(error))
        return error.exit_code
    except UserError as error:
        return _failed(str(error), error.exit_code)
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Interrupted.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` has seen enough
        return ExitCode.OK
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}", ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        known = next((code for kind, code in _KNOWN if isinstance(error, kind)), None)
        return _failed(str(error), known) if known is not None else _failed(_kept(error), ExitCode.FAILED)


async def _until_told_to_stop(body: Coroutine[Any, Any, Any]) -> Any:
    """SIGTERM is what Ctrl-C is: the body is cancelled and may still say a word."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await body


def _failed(message: str, code: ExitCode) -> int:
    say(f"Error: {message}")
    return code


def _kept(error: Exception) -> str:
    """Write down what nobody foresaw; what to tell the person."""
    words = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    try:
        log = Settings.from_environment().logs / "cli.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("a") as stream:
            stream.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {sys.argv[1:]}\n{traceback.format_exc()}\n")
    except OSError:
        return f"something unexpected happened: {words}"
    return f"something unexpected happened: {words}\nThe details are in {log}"
