"""Walk through the API that the demo built: `try_notes_api.py DIR`. Exit code 0 if it does all it should."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

LONGEST_START = 10.0
"""Seconds until the API has to listen."""

ADA = {"name": "ada", "password": "correct horse"}
NOTE = {"title": "milk", "text": "two bottles"}


class WalkError(Exception):
    """The API did not start, or answered something else."""


@dataclass
class Visitor:
    """A client that shows each request and its answer in one line."""

    connection: HTTPConnection
    token: str | None = None

    def ask(self, method: str, path: str, expected: HTTPStatus, body: dict[str, str] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        who = "with token" if self.token else ""
        show(f"{method:<5}{path:<11}{who:<12}{response.status} {response.reason:<13} {shortened(answer)}")
        if response.status != expected:
            raise WalkError(f"{method} {path} should be {expected.value} {expected.phrase}")
        return answer


def walk(visitor: Visitor) -> None:
    visitor.ask("GET", "/health", HTTPStatus.OK)
    visitor.ask("POST", "/register", HTTPStatus.CREATED, ADA)
    visitor.ask("GET", "/notes", HTTPStatus.UNAUTHORIZED)
    visitor.ask("POST", "/login", HTTPStatus.UNAUTHORIZED, {**ADA, "password": "a wrong guess"})
    visitor.token = visitor.ask("POST", "/login", HTTPStatus.OK, ADA)["token"]
    note = visitor.ask("POST", "/notes", HTTPStatus.CREATED, NOTE)
    listed = visitor.ask("GET", "/notes", HTTPStatus.OK)["notes"]
    if listed != [note]:
        raise WalkError(f"the list should hold the new note {note}, it is {listed}")


@contextmanager
def running_api(folder: Path) -> Iterator[HTTPConnection]:
    """The API on a free port, with a database that is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "notes_api", "--port", "0", "--database", f"{scratch}/notes.sqlite3"]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        with (
            (Path(scratch) / "log").open("w+") as log,
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            ) as server,
        ):
            impatience = threading.Timer(LONGEST_START, server.kill)
            impatience.start()
            try:
                assert server.stdout is not None
                started = server.stdout.readline()
                impatience.cancel()
                if not started.startswith("listening on "):
                    raise WalkError(f"the API in {folder} did not start: {last_line(log.name)}")
                yield HTTPConnection(started.rpartition("/")[2].strip(), timeout=LONGEST_START)
            finally:
                impatience.cancel()
                server.terminate()


def shortened(answer: Any) -> str:
    text = json.dumps(answer)
    return text if len(text) <= 34 else text[:31] + "..."


def last_line(file: str) -> str:
    return next(iter(reversed(Path(file).read_text().splitlines())), "it said nothing")


def show(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program for the terminal


def main() -> int:
    parser = argparse.ArgumentParser(description="Walk through the API that the demo built.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the repository that holds notes_api/")
    folder: Path = parser.parse_args().folder
    if not (folder / "notes_api").is_dir():
        parser.error(f"there is no notes_api in {folder}: run the demo first and name its repository")
    try:
        with running_api(folder) as connection:
            walk(Visitor(connection))
    except (WalkError, HTTPException, OSError, ValueError) as error:
        sys.stderr.write(f"not as expected: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
