"""Landing: the one moment a mission's work enters the user's own branch, because they said so."""

from dataclasses import dataclass

from adapters.git.command import git, git_bytes, identity
from adapters.git.errors import GitError, MergeRefused
from adapters.git.workspace import Workspace


@dataclass(frozen=True)
class Landed:
    commit: str
    #: There was nothing to do.
    already: bool


async def land(workspace: Workspace, commit: str, base: str, started_from: str, message: str) -> Landed:
    """Raises `MergeRefused`, and then the checkout is as it was."""
    if workspace.private:
        return await _into_files(workspace, commit, base)
    here = workspace.directory
    branch = await git("symbolic-ref", "-q", "--short", "HEAD", cwd=here, ok=(0, 1))
    if branch != started_from:
        raise MergeRefused(
            f"{here} is on {branch or 'no branch'}, the mission started from {started_from or 'a detached HEAD'}: "
            + (
                f"`git switch {started_from}` first"
                if started_from
                else f"merge {commit[:12]} by hand where you want it"
            )
        )
    code, _ = await git_bytes("merge-base", "--is-ancestor", commit, "HEAD", cwd=here, ok=(0, 1, 128))
    if code == 0:
        return Landed(await git("rev-parse", "HEAD", cwd=here), already=True)
    changed = await git("status", "--porcelain", "--untracked-files=no", cwd=here)
    if changed:
        files = ", ".join(line[3:] for line in changed.splitlines()[:5])
        raise MergeRefused(f"{here} has uncommitted changes ({files}): commit or stash them first")
    return await _merge(workspace, commit, message)


async def _merge(workspace: Workspace, commit: str, message: str) -> Landed:
    """With the user's own hooks and identity: it is their checkout."""
    here = workspace.directory
    try:
        env = await identity(here)
        unborn = not await git("rev-parse", "-q", "--verify", "HEAD", cwd=here, ok=(0, 1))
        how = ("--ff-only",) if unborn else ("--no-ff", "--no-edit", "-m", message)
        await git("merge", "-q", *how, commit, cwd=here, env=env, hooks=True)
    except GitError as error:
        files = await git("diff", "--name-only", "--diff-filter=U", cwd=here)
        await git("merge", "--abort", cwd=here, ok=(0, 128))
        if files:
            raise MergeRefused(
                f"these files conflict with your branch: {', '.join(files.splitlines())}. Nothing was changed; "
                f"merge {commit[:12]} by hand, or start a mission that does"
            ) from error
        raise MergeRefused(f"git refused: {error.said.strip()}") from error
    return Landed(await git("rev-parse", "HEAD", cwd=here), already=False)


async def _into_files(workspace: Workspace, commit: str, base: str) -> Landed:
    """A folder without git: write what the mission changed, unless the same files changed meanwhile."""
    where, env = workspace.directory, workspace.env
    listed = await git("diff", "--name-status", "--no-renames", base, commit, cwd=where, env=env)
    wanted = {line.split("\t", 1)[1]: line[0] for line in listed.splitlines()}
    different = await _different(workspace, commit, list(wanted))
    if not different:
        return Landed(commit, already=True)
    if touched := sorted(set(await _different(workspace, base, list(wanted)))):
        raise MergeRefused(f"these files changed since the mission began: {', '.join(touched)}. Nothing was changed")
    for name, what in wanted.items():
        file = where / name
        if what == "D":
            file.unlink(missing_ok=True)
            continue
        mode, _, blob, _ = (await git("ls-tree", "--full-tree", commit, "--", name, cwd=where, env=env)).split(None, 3)
        _, content = await git_bytes("cat-file", "blob", blob, cwd=where, env=env)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if mode == "100755" else 0o644)
    return Landed(commit, already=False)


async def _different(workspace: Workspace, commit: str, names: list[str]) -> list[str]:
    """Which of these files are not as they are in `commit`."""
    different = []
    for name in names:
        code, content = await git_bytes(
            "cat-file", "blob", f"{commit}:{name}", cwd=workspace.directory, env=workspace.env, ok=(0, 128)
        )
        file = workspace.directory / name
        there = file.read_bytes() if file.is_file() else None
        if there != (content if code == 0 else None):
            different.append(name)
    return different
