"""What a mission needs from this machine, and what of it is there."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.opencode.errors import OpenCodeError
from adapters.opencode.executable import Search
from adapters.opencode.external import ExternalOpenCode
from client.stack.records import look
from runtime.settings import Settings
from runtime.temporal import TemporalError, connect, find_target, is_external, temporal_command

PROJECT = Path(__file__).resolve().parents[1]

LEAST_DISK = 1_000_000_000
"""Bytes below which worktrees and Temporal's database may not fit any more."""

Version = tuple[int, ...]


@dataclass(frozen=True)
class Fact:
    """One thing that was looked for."""

    name: str
    #: What was found: a version, a state. Empty when nothing was.
    found: str = ""
    #: Where: a path or an address.
    where: str = ""
    #: What is wrong and how to mend it; None when nothing is.
    problem: str | None = None
    #: Without it no mission can run. The others are only told.
    needed: bool = True

    @property
    def ok(self) -> bool:
        return self.problem is None

    @property
    def blocks(self) -> bool:
        return self.needed and not self.ok


@dataclass(frozen=True)
class Program:
    """A program on PATH, the least version that works and how to get it."""

    name: str
    least: Version
    get: str
    needed: bool = True

    def look(self, environment: Mapping[str, str]) -> Fact:
        path = shutil.which(self.name, path=environment.get("PATH", ""))
        if path is None:
            return Fact(self.name, problem=f"not found on PATH; {self.get}", needed=self.needed)
        version = version_of(Path(path))
        problem = None
        if version is None:
            problem = f"does not tell its version; {self.get}"
        elif numbers(version) < self.least:
            problem = f"too old, {'.'.join(map(str, self.least))} is needed; {self.get}"
        return Fact(self.name, version or "", path, problem, self.needed)


GIT = Program("git", (2, 25), "install it from https://git-scm.com or with your system's packages")
SETUP_ONLY = (
    Program("node", (18,), "only `make setup` needs it, https://nodejs.org has it", needed=False),
    Program("npm", (8,), "only `make setup` needs it, it comes with Node", needed=False),
)
BUBBLEWRAP = Program("bwrap", (0,), "not needed yet, your system has it as bubblewrap", needed=False)


async def look_around(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Fact]:
    """Everything a mission needs and what else is worth knowing, in the order a person reads it."""
    programs = (GIT, *SETUP_ONLY, BUBBLEWRAP)
    git, *others = [asyncio.to_thread(program.look, environment) for program in programs]
    facts = await asyncio.gather(
        asyncio.to_thread(python),
        git,
        opencode(settings, environment),
        asyncio.to_thread(temporal_program),
        temporal_server(settings),
        asyncio.to_thread(stack, settings),
        asyncio.to_thread(home, settings.home),
        asyncio.to_thread(disk, settings.home),
        *others,
    )
    return list(facts)


def python() -> Fact:
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    return Fact("python", version, sys.executable, "too old, 3.11 is needed: https://www.python.org" if old else None)


async def opencode(settings: Settings, environment: Mapping[str, str]) -> Fact:
    """The one a mission would use: the running one that is named, else the program that would be started."""
    if settings.opencode_url:
        return await running_opencode(settings.opencode_url, settings.opencode_password)
    try:
        found = await Search(environment, settings.opencode, PROJECT).find()
    except OpenCodeError as error:
        return Fact("opencode", problem=f"{error}; `make setup` does so below this project, for itself")
    return Fact("opencode", found.version, str(found.path))


async def running_opencode(url: str, password: str | None) -> Fact:
    server = ExternalOpenCode(url, password)
    try:
        version = await (await server.client()).version()
    except OpenCodeError as error:
        return Fact("opencode", where=without_secrets(url), problem=without_secrets(str(error)))
    finally:
        await server.aclose()
    return Fact("opencode", version, without_secrets(url))


def temporal_program() -> Fact:
    """Only needed where we start the server ourselves."""
    try:
        needed = not is_external()
        path = temporal_command()
    except TemporalError as error:
        return Fact("temporal program", problem=str(error))
    version = version_of(path)
    problem = None if version else "does not run: `make setup` installs it again"
    return Fact("temporal program", version or "", str(path), problem, needed)


async def temporal_server(settings: Settings) -> Fact:
    """A server that somebody named must answer; our own is started when a mission needs it."""
    name = "temporal server"
    try:
        external = is_external()
    except TemporalError as error:
        return Fact(name, problem=str(error))
    if not external and "temporal" not in look(settings).parts:
        return Fact(name, "not running", problem="`mission run` and `mission up` start it", needed=False)
    try:
        where = str(find_target(settings))
        await connect(settings)
    except TemporalError as error:
        return Fact(name, problem=str(error))
    return Fact(name, "reachable", where)


def stack(settings: Settings) -> Fact:
    living = look(settings)
    if not living.parts:
        return Fact("stack", "not running", problem="`mission run` and `mission up` start it", needed=False)
    return Fact("stack", f"running: {', '.join(sorted(living.parts))}", str(settings.processes))


def home(folder: Path) -> Fact:
    """The folder, or the first one above it that exists, must let us write."""
    name = "MISSION_HOME"
    nearest = nearest_existing(folder)
    if not nearest.is_dir():
        problem = f"{nearest} is a file: choose a folder with MISSION_HOME"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        problem = f"{nearest} is not writable: change its permissions or choose another folder with MISSION_HOME"
    else:
        return Fact(name, "writable" if folder.exists() else "will be made", str(folder))
    return Fact(name, "", str(folder), problem)


def disk(folder: Path, least: int = LEAST_DISK) -> Fact:
    nearest = nearest_existing(folder)
    free = shutil.disk_usage(nearest).free
    problem = None
    if free < least:
        problem = f"less than {gigabytes(least)}: free some, or choose a folder on another disk with MISSION_HOME"
    return Fact("free disk", gigabytes(free), str(nearest), problem)


def nearest_existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if os.access(one, os.F_OK))


def version_of(program: Path, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> str | None:
    """The first thing that looks like a version in what `--version` prints."""
    try:
        told = run([program, "--version"], capture_output=True, text=True, timeout=15, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\d+(\.\d+)+", told.stdout)
    return found[0] if found else None


def numbers(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))


def gigabytes(amount: int) -> str:
    return f"{amount / 1e9:.1f} GB"


def without_secrets(text: str) -> str:
    """A user and password inside an address are not for a screen."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)
