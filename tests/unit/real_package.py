"""A small well-known package from the package index, with its own test suite: real code for a mission to change."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

NAME, VERSION = "sqlparse", "0.5.3"
SHA256 = "09f67787f56a0b16ecdbde1bfc7f5d9c3371ca683cfeaa8e6ff60b4807ec9272"
LONGEST_DOWNLOAD = 300
"""Seconds."""

# No binaries, because only the source distribution holds the tests. No build isolation, because pip asks the
# package's build backend for its metadata: that is hatchling, which we have, and would be downloaded again.
_ONLY_THE_SOURCE = ["--require-hashes", "--no-deps", "--no-binary=:all:", "--no-build-isolation"]


class CannotDownloadError(Exception):
    """The package index is out of reach, or it does not have this file."""


def unpack_real_package(folder: Path, cache: Path) -> Path:
    """A git repository below `folder` with one commit: the package as it was released. Downloaded once."""
    with tarfile.open(_source_distribution(cache)) as archive:
        archive.extractall(folder, filter="data")
    repository = folder / f"{NAME}-{VERSION}"
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", f"Release {VERSION}")
    return repository


def _source_distribution(cache: Path) -> Path:
    kept = cache / f"{NAME}-{VERSION}.tar.gz"
    if not (kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == SHA256):
        cache.mkdir(parents=True, exist_ok=True)
        # Several test processes may come here at once: each downloads for itself, the rename is atomic.
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _download(Path(scratch)).replace(kept)
    return kept


def _download(folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", *_ONLY_THE_SOURCE]
    done = subprocess.run(
        [*command, "--requirement", str(requirements), "--dest", str(folder)],
        capture_output=True,
        text=True,
        timeout=LONGEST_DOWNLOAD,
        check=False,
    )
    if done.returncode:
        raise CannotDownloadError(f"pip could not download {NAME} {VERSION}:\n{done.stderr}")
    return folder / f"{NAME}-{VERSION}.tar.gz"


def _git(repository: Path, *arguments: str) -> None:
    """With neither the user's settings nor their identity."""
    someone = {"NAME": "Release", "EMAIL": "release@example.org"}
    identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in someone.items()}
    nobodys = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(repository), *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**environment, **identity, **nobodys})
