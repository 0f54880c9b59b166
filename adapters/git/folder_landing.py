"""Landing in a folder without git: the mission's files are written there, and no `.git` is left behind."""

import os
import tempfile
from pathlib import Path

from adapters.git.base import FOLDER_REF, folder_commit, tree_of_folder
from adapters.git.command import require_hash
from adapters.git.errors import GitError, MergeRefused
from adapters.git.repository import Workspace

ABSENT = "000000"

Entries = dict[str, tuple[str, str, str]]
"""Path to its mode at the base, and its mode and blob now; `ABSENT` where it is not there."""


async def land_in_folder(workspace: Workspace, commit: str, base: str, message: str) -> tuple[str, bool]:
    """The commit the folder is at now, and whether it was there already. Raises `MergeRefused` before it writes."""
    now, _ = await folder_commit(workspace)
    wanted = await _changes(workspace, base, commit)
    changed = await _changes(workspace, base, now)
    open_ = {path: entry for path, entry in wanted.items() if changed.get(path) != entry}
    if not open_:
        return now, True
    unseen = (
        path for path, (old, _, _) in open_.items() if old == ABSENT and os.path.lexists(workspace.directory / path)
    )
    if clash := sorted({*unseen, *(path for path in open_ if path in changed)}):
        names = ", ".join(path.encode(errors="replace").decode() for path in clash[:8])
        raise MergeRefused(
            f"these files of {workspace.directory} have changed or appeared since the mission began: {names}. "
            "Nothing was changed; move them away, then land again, and bring the two together"
        )
    tree = await _write(workspace, now, open_)
    landed = await workspace.git("commit-tree", tree, "-p", now, "-p", commit, "-m", message)
    await workspace.git("update-ref", FOLDER_REF, landed.text)
    return landed.text, False


async def _write(workspace: Workspace, now: str, entries: Entries) -> str:
    """Change just these paths in the folder. Git writes them, and refuses if a file changed a moment ago."""
    with tempfile.TemporaryDirectory(dir=workspace.home) as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        await tree_of_folder(workspace, before, now)
        await workspace.git("read-tree", now, index=after)
        lines = b"".join(
            f"{mode} {blob}\t{path}\0".encode(errors="surrogateescape") for path, (_, mode, blob) in entries.items()
        )
        await workspace.git("update-index", "-z", "--index-info", index=after, stdin=lines)
        tree = (await workspace.git("write-tree", index=after)).text
        try:
            await workspace.git("read-tree", "-m", "-u", now, tree, index=before)
        except GitError as error:
            raise MergeRefused(f"the folder could not be changed: {error.said}") from error
    return tree


async def _changes(workspace: Workspace, base: str, commit: str) -> Entries:
    listing = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", require_hash(base), commit)
    raw = (await workspace.git(*listing)).names
    fields = (entry.split() for entry in raw[::2])
    return {path: (old.lstrip(":"), new, blob) for (old, new, _, blob, _), path in zip(fields, raw[1::2], strict=True)}
