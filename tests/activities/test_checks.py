"""Commands decide in the slot that holds the work; what they said can be read afterwards."""

import hashlib
import json

from activities.checks import CheckActivities
from tests.activities.hosts import Host, run
from tests.unit.adapters.repositories import Repository


async def test_every_check_leaves_its_evidence(host: Host) -> None:
    commit = await host.worked({"a.txt": "a\n"})
    order = host.checks(commit, "cat a.txt; exit 3", "echo fine")
    result = await run(CheckActivities(host.workspaces).run_checks, order)
    assert [(one.exit_code, one.green, one.tail) for one in result.evidence] == [(3, False, "a"), (0, True, "fine")]
    written = json.loads((host.folder / "evidence/T1-1.json").read_text())
    assert [one["commit"] for one in written] == [commit, commit]
    for one in written:
        assert hashlib.sha256((host.folder / one["log"]).read_bytes()).hexdigest() == one["log_sha256"]


async def test_checks_see_the_commit_and_leave_nothing_behind(host: Host) -> None:
    commit = await host.worked({"a.txt": "a\n"})
    slot = await host.slot()
    (slot.path / "a.txt").write_text("changed after the commit\n")
    checks = CheckActivities(host.workspaces)
    result = await run(checks.run_checks, host.checks(commit, "grep -qx a a.txt && echo more >> a.txt && touch left"))
    assert result.green
    assert (slot.path / "a.txt").read_text() == "a\n"
    assert not (slot.path / "left").exists()


async def test_the_whole_is_checked_in_a_slot_of_its_own(host: Host) -> None:
    commit = await host.worked({"a.txt": "a\n"})
    order = host.checks(commit, "test -f a.txt && pwd", todo_id="final")
    result = await run(CheckActivities(host.workspaces).check_the_whole, order)
    assert result.green
    assert result.evidence[0].tail == str((await host.slot("final")).path)


async def test_the_projects_own_files_are_untouched_by_checks(host: Host) -> None:
    commit = await host.worked({"README.md": "changed\n"})
    await run(CheckActivities(host.workspaces).run_checks, host.checks(commit, "rm README.md"))
    assert Repository(host.repository.path).git("status", "--porcelain", "--", "README.md") == ""
