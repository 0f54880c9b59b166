"""Logs of the parts: one file each, started afresh when large."""

from pathlib import Path
from typing import BinaryIO

from runtime.settings import Settings

LARGE = 20 * 1024 * 1024


def log_file(settings: Settings, part: str) -> Path:
    return settings.logs / f"{part}.log"


def open_log(settings: Settings, part: str) -> BinaryIO:
    """For a process to write to. A large one makes room; one older generation is kept."""
    settings.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = log_file(settings, part)
    if file.exists() and file.stat().st_size > LARGE:
        file.replace(file.with_suffix(".old.log"))
    return file.open("ab")


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def last_lines(file: Path, count: int, since: int = 0) -> list[str]:
    """The last non-empty lines that were written after byte `since`."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(since if since <= size else 0, size - 200_000))
            lines = stream.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in lines if line.strip()][-count:]
