"""One step of the merge queue: done once, whatever is repeated; undone when the merged commit is red."""

import pytest
from temporalio.exceptions import ApplicationError

from activities import merging
from activities.merging import MergeActivities
from adapters.git.branches import advance
from adapters.git.workspace import Workspace
from tests.activities.hosts import Host, run
from tests.unit.adapters.repositories import Files


async def prepared(host: Host, others: Files, ours: Files) -> tuple[str, str]:
    """(the mission's head, which another TODO has moved on; the commit of T1's work)."""
    onto = await host.worked(others, "T2")
    await advance((await host.project()).workspace, host.branch, onto, None)
    return onto, await host.worked(ours)


def head_of(host: Host) -> str:
    return host.repository.git("rev-parse", host.branch)


async def test_a_merge_holds_both_sides_and_frees_the_slot(host: Host) -> None:
    onto, commit = await prepared(host, {"b.txt": "b\n"}, {"a.txt": "a\n"})
    merged = await run(MergeActivities(host.workspaces).merge, host.merge(commit, onto, "test -f a.txt -a -f b.txt"))
    assert merged.commit == head_of(host)
    assert host.repository.at(merged.commit).keys() == {"README.md", "a.txt", "b.txt"}
    assert [check.commit for check in merged.checks] == [merged.commit]
    slots = (await host.project()).slots
    assert await slots.held_by(host.mission.mission_id) == (f"{host.mission.mission_id}/T2",)
    assert host.repository.git("branch", "--list", host.todo_branch()) == ""


async def test_a_merge_whose_answer_was_lost_gives_the_same_commit_again(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    onto, commit = await prepared(host, {"b.txt": "b\n"}, {"a.txt": "a\n"})
    activities, order = MergeActivities(host.workspaces), host.merge(commit, onto, "test -f a.txt")

    async def lost(workspace: Workspace, branch: str) -> None:
        raise OSError("the worker ends here: the branch has moved, nobody was told")

    with monkeypatch.context() as patch:
        patch.setattr(merging, "delete_branch", lost)
        with pytest.raises(ApplicationError):
            await run(activities.merge, order)
    moved = head_of(host)
    again = await run(activities.merge, order, attempt=2)
    once_more = await run(activities.merge, order, attempt=3)
    assert moved == again.commit == once_more.commit == head_of(host) != onto


async def test_a_red_merged_commit_is_left_and_the_work_lies_in_its_slot_again(host: Host) -> None:
    onto, commit = await prepared(host, {"b.txt": "b\n"}, {"a.txt": "a\n"})
    result = await run(MergeActivities(host.workspaces).merge, host.merge(commit, onto, "test ! -f b.txt"))
    assert (result.commit, result.checks[0].exit_code, head_of(host)) == ("", 1, onto)
    assert not ((await host.slot()).path / "b.txt").exists()
    assert host.repository.git("rev-parse", host.todo_branch()) == commit


async def test_a_conflict_names_its_files_and_moves_nothing(host: Host) -> None:
    onto, commit = await prepared(host, {"a.txt": "theirs\n"}, {"a.txt": "ours\n"})
    result = await run(MergeActivities(host.workspaces).merge, host.merge(commit, onto))
    assert (result.commit, result.conflicts, head_of(host)) == ("", ("a.txt",), onto)
    assert ((await host.slot()).path / "a.txt").read_text() == "ours\n"


async def test_a_branch_that_somebody_moved_is_not_overwritten(host: Host) -> None:
    onto, commit = await prepared(host, {"b.txt": "b\n"}, {"a.txt": "a\n"})
    theirs = host.repository.commit({"c.txt": "c\n"})
    host.repository.git("branch", "-f", host.branch, theirs)
    with pytest.raises(ApplicationError, match=host.branch) as refused:
        await run(MergeActivities(host.workspaces).merge, host.merge(commit, onto))
    assert refused.value.non_retryable
    assert head_of(host) == theirs
