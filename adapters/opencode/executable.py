"""Which OpenCode to run: found, looked through, and of a version that was tried."""

import asyncio
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.opencode.errors import OpenCodeUnsupported

SUPPORTED = ((1, 18), (1, 19))
INSTALL = "`npm install -g opencode-ai@1.18.33` installs one that works"


@dataclass(frozen=True)
class Executable:
    path: Path
    version: str


def check_version(version: str, where: str) -> None:
    """Raises `OpenCodeUnsupported` with what was found and what to do."""
    numbers = re.match(r"(\d+)\.(\d+)\.", version)
    if not numbers or (int(numbers[1]), int(numbers[2])) not in SUPPORTED:
        known = " or ".join(f"{major}.{minor}.x" for major, minor in SUPPORTED)
        raise OpenCodeUnsupported(f"{where} is OpenCode {version}, but {known} is needed: {INSTALL}")


@dataclass
class Search:
    """Where to look: a program that was asked for, else `PATH`, else what the project's set-up installed."""

    environment: Mapping[str, str]
    explicit: Path | None = None
    project: Path | None = None
    _found: tuple[str, Executable] | None = field(default=None, init=False)

    def candidates(self) -> list[Path]:
        return [_program(path) for path in self._launchers()]

    def stamp(self) -> str:
        """Changes when another program might be chosen: it was replaced, or one was installed before it."""
        stats = [(path, path.stat()) for path in self.candidates()]
        return ";".join(f"{path}:{stat.st_mtime_ns}:{stat.st_size}" for path, stat in stats)

    async def find(self) -> Executable:
        """The first one of a supported version. Raises `OpenCodeUnsupported` that names all that were found."""
        # Asking takes 0.7 s, which a restart need not spend.
        stamp = self.stamp()
        if self._found is None or self._found[0] != stamp:
            self._found = stamp, await self._first_supported()
        return self._found[1]

    async def _first_supported(self) -> Executable:
        problems = []
        for path in self.candidates():
            try:
                version = await asyncio.to_thread(_version_of, path, self.environment)
                check_version(version, str(path))
                return Executable(path, version)
            except OpenCodeUnsupported as error:
                problems.append(str(error))
        if problems:
            raise OpenCodeUnsupported("; ".join(problems))
        if self.explicit is not None:
            raise OpenCodeUnsupported(f"{self.explicit} is not a program; {INSTALL}")
        raise OpenCodeUnsupported(f"OpenCode was not found on PATH; {INSTALL}")

    def _launchers(self) -> Iterator[Path]:
        if self.explicit is not None:
            if found := shutil.which(self.explicit):
                yield Path(found)
            return
        if found := shutil.which("opencode", path=self.environment.get("PATH", "")):
            yield Path(found)
        installed = self.project and shutil.which(self.project / "tools" / "node_modules" / ".bin" / "opencode")
        if installed:
            yield Path(installed)


def _program(launcher: Path) -> Path:
    """The server itself instead of npm's launching script, whose process id would be another one's."""
    real = launcher.resolve()
    with real.open("rb") as file:
        if file.read(2) != b"#!":
            return real
    system = {"Darwin": "darwin", "Linux": "linux"}.get(platform.system(), "")
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    modules = [folder for folder in real.parents if folder.name == "node_modules"]
    for folder in modules:
        for program in sorted(folder.glob(f"opencode-{system}-{machine}*/bin/opencode")):
            return program
    return real


def _version_of(path: Path, environment: Mapping[str, str]) -> str:
    try:
        told = subprocess.run(
            [path, "--version"], env=environment, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise OpenCodeUnsupported(f"{path} does not tell its version: {error}; {INSTALL}") from error
    return told.stdout.strip().splitlines()[-1] if told.stdout.strip() else "of an unknown version"
