"""Files that are whole or not there."""

import os
import uuid
from pathlib import Path


def write_atomically(file: Path, text: str, mode: int = 0o644) -> None:
    """Replace the file's content in one step: a reader, a kill or a full disk never meets half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
