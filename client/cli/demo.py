"""`mission demo`: a whole mission in a scratch repository, on the scripted model: no key, no network."""

import asyncio
import os
import shutil
import signal
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from adapters.git.command import git
from client.cli import arguments
from client.cli.mission_request import make_request
from client.cli.output import say, steps
from client.cli.run import run_mission
from client.cli.running import command
from client.cli.showing import print_report
from client.errors import BadInput, CommandFailed, Interrupted, PartMissing
from client.exit_codes import ExitCode
from client.stack.ending import end_stack
from client.stack.parts import ROOT
from mission.report import MissionReport, MissionStatus
from runtime.settings import Settings

OBJECTIVE = "Build a REST API with authentication"
SCENARIO = ROOT / "scenarios" / "demo.yaml"
TRY_IT = ROOT / "scenarios" / "try_notes_api.py"
README = "# Notes\n\nA small API for notes. Nothing is here yet: a mission will build it.\n"


@command
async def demo(
    directory: Annotated[
        Path | None, typer.Option("--dir", "-d", metavar="DIR", help="An empty folder; default: a temporary one.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running, to look at it.")] = False,
    plain: arguments.Plain = False,
    as_json: arguments.AsJson = False,
) -> ExitCode:
    """Watch a mission build a REST API in a scratch repository, then try the API. No key, no network."""
    if not SCENARIO.exists():
        raise PartMissing(f"{SCENARIO} is missing: the demo runs from a clone of the project")
    scratch = _scratch(directory)
    settings = _settings_of_its_own(scratch / "home")
    async with _cleaned_up(scratch, settings, keep=keep, ours=directory is None):
        project = await _new_repository(scratch / "notes")
        request = make_request(settings, OBJECTIVE, project, SCENARIO, None)
        try:
            report, link = await run_mission(settings, request, plain=plain, as_json=as_json)
        except Interrupted as error:
            raise Interrupted("Interrupted. The demo's stack has ended, and what it made is removed.") from error
        print_report(report, link if keep else "", as_json=as_json)
        if report.status is not MissionStatus.SEALED:
            raise CommandFailed(f"the demo's mission is {report.status.value}; everything is kept in {scratch}")
        await _try_it(report, project, scratch / "built", quiet=as_json)
    _tell_what_stays(project, report, settings, keep)
    return ExitCode.OK


def _scratch(directory: Path | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="mission-demo-")).resolve()
    folder = directory.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is not an empty folder: the demo wants one of its own")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _settings_of_its_own(home: Path) -> Settings:
    """Nothing of the user's stack is touched: another home, and no Temporal but the demo's."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
    os.environ["MISSION_HOME"] = str(home)
    return Settings.from_environment()


@asynccontextmanager
async def _cleaned_up(scratch: Path, settings: Settings, *, keep: bool, ours: bool) -> AsyncIterator[None]:
    """The stack ends however the demo does. After a failure all files stay, after Ctrl-C none of ours."""
    try:
        yield
    except (Interrupted, asyncio.CancelledError):
        await _end(settings)
        shutil.rmtree(scratch if ours else settings.home, ignore_errors=True)
        raise
    except BaseException:
        await _end(settings)
        raise
    if not keep:
        await _end(settings)
        for folder in (settings.home, scratch / "built"):
            shutil.rmtree(folder, ignore_errors=True)
        await git("worktree", "prune", cwd=scratch / "notes")


async def _end(settings: Settings) -> None:
    """To the end, even if Ctrl-C is pressed again."""
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, lambda: None)
    with steps("ending the demo's stack") as progress:
        await asyncio.to_thread(end_stack, settings, progress.show)


async def _new_repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text(README)
    await git("init", "-q", cwd=folder)
    await git("symbolic-ref", "HEAD", "refs/heads/main", cwd=folder)
    await git("add", "README.md", cwd=folder)
    await git("commit", "-q", "-m", "Say what this will be", cwd=folder)
    return folder


async def _try_it(report: MissionReport, project: Path, target: Path, *, quiet: bool) -> None:
    """Run what the mission built, as it lies on its branch."""
    archive = target.with_suffix(".tar")
    await git("archive", "--format=tar", f"--output={archive}", report.head_commit, cwd=project)
    with tarfile.open(archive) as files:
        files.extractall(target, filter="data")
    archive.unlink()
    say("\nTrying what was built:\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(TRY_IT), str(target), stdout=sys.stderr if quiet else None, cwd=target
    )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if code:
        raise CommandFailed(f"what was built does not work: exit code {code}; it lies in {target}")


def _tell_what_stays(project: Path, report: MissionReport, settings: Settings, keep: bool) -> None:
    say(f"\nThe repository stays in {project}")
    say(f"  git -C {project} log --oneline --graph {report.branch}")
    if not keep:
        say("`mission demo --keep` leaves the stack running, to look at the mission in the Temporal UI.")
    else:
        say(f"Its stack goes on running: MISSION_HOME={settings.home} mission down")
