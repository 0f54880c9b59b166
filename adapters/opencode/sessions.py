"""Sessions that are opened once: a book of which session belongs to which key, kept where a kill cannot lose it.

OpenCode's v2 call `POST /api/session` takes an own id and would need no book, but it costs 50 ms of the server's one
thread where `POST /session` costs 12 (1.18.33): with a dozen sessions a mission that is most of our overhead. A kill
between making a session and noting it leaves an empty session behind and nothing else: a prompt is only ever posted
to a session that is in the book.
"""

from dataclasses import dataclass
from pathlib import Path

from adapters.files import write_atomically
from adapters.opencode.client import NewSession, OpenCodeClient


@dataclass(frozen=True)
class OpenSession:
    """A session and whether anything can be in it."""

    id: str
    #: Made by this very call: no prompt was ever posted to it.
    fresh: bool


@dataclass(frozen=True)
class SessionBook:
    """One folder beside OpenCode's database; one small file a session."""

    folder: Path

    async def open(self, client: OpenCodeClient, key: str, new: NewSession) -> OpenSession:
        """The key's session; made now if there is none. The file's name is the key, so keys are file names."""
        if known := self.find(key):
            return OpenSession(known, fresh=False)
        made = await client.create_session(new)
        write_atomically(self.folder / key, made)
        return OpenSession(made, fresh=True)

    def find(self, key: str) -> str | None:
        try:
            return (self.folder / key).read_text() or None
        except FileNotFoundError:
            return None

    def forget(self, key: str) -> None:
        """The session is gone, for instance with a database that somebody deleted."""
        (self.folder / key).unlink(missing_ok=True)
