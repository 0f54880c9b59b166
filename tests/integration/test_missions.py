"""Whole missions: the command line, Temporal, the worker process, OpenCode, git, and a scripted model."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mission.report import MissionStatus, Stage
from tests.integration.stacks import SCENARIOS, Stack, git, repository, requests, turns

SIX_FILES = SCENARIOS / "six-files.yaml"


def scenario(folder: Path, **content: Any) -> Path:
    file = folder / f"scenario-{len(list(folder.glob('scenario-*')))}.json"
    file.write_text(json.dumps({"name": "test", **content}))
    return file


def todo(todo_id: str, file: str, **more: Any) -> dict[str, Any]:
    return {"id": todo_id, "title": f"Write {file}", "files": [file], "checks": [f"test -s {file}"], **more}


def write(path: str, content: str) -> dict[str, Any]:
    return {"write": {"path": path, "content": content}}


def say(summary: str) -> dict[str, Any]:
    return {"say": {"summary": summary}}


def everything_below(folder: Path) -> dict[str, str]:
    """Every file with its hash, but what a mission may add."""
    ignored = (
        ".opencode/missions/",
        ".git/worktrees/",
        ".git/objects/",
        ".git/refs/heads/mission",
        ".git/logs/refs/heads/mission",
    )
    files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*")) if file.is_file()}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in files.items()
        # OpenCode keeps a project's id in `.git/opencode`, as it does wherever it is used.
        if not name.startswith(ignored) and name not in (".git/info/exclude", ".git/opencode")
    }


def test_six_files_are_planned_written_reviewed_merged_and_sealed(stack: Stack, project: Path, tmp_path: Path) -> None:
    before = everything_below(project)
    log = tmp_path / "model.jsonl"
    report, shown = stack.run(project, SIX_FILES, log=log)
    assert report.status is MissionStatus.SEALED
    assert "sealed" in shown
    for number in range(1, 7):
        assert git(project, "show", f"{report.branch}:f{number}.txt")
    assert Counter(turn[0] for turn in turns(log)) == {"planner": 1, "worker": 12, "reviewer": 7}
    assert everything_below(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_what_a_mission_leaves_behind_can_be_read(stack: Stack, project: Path) -> None:
    report, _ = stack.run(project, SIX_FILES)
    folder = project / ".opencode/missions" / report.mission_id
    assert "- [x] **T6**" in (folder / "todo.md").read_text()
    evidence = json.loads((folder / "evidence/T1-1.json").read_text())[0]
    log = (folder / evidence["log"]).read_bytes()
    assert hashlib.sha256(log).hexdigest() == evidence["log_sha256"]
    assert evidence["exit_code"] == 0


def test_work_is_sent_back_by_a_red_check_and_by_the_reviewer(stack: Stack, project: Path, tmp_path: Path) -> None:
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt", checks=["grep -q good a.txt"]), todo("T2", "b.txt")],
        work={
            "T1": [[write("a.txt", "bad\n"), say("wrote a")], [write("a.txt", "good\n"), say("mended a")]],
            "T2": [[write("b.txt", "b\n"), say("wrote b")], [write("b.txt", "b, longer\n"), say("longer")]],
        },
        review={"T2": [{"approved": False, "issues": ["too short"]}, {"approved": True}]},
    )
    report, _ = stack.run(project, file)
    stages = {one.id: [attempt.stage for attempt in one.attempts] for one in report.todos}
    assert stages == {"T1": [Stage.RED, Stage.APPROVED], "T2": [Stage.REJECTED, Stage.APPROVED]}
    assert git(project, "show", f"{report.branch}:a.txt") == "good"
    assert git(project, "show", f"{report.branch}:b.txt") == "b, longer"


def test_a_conflict_is_resolved_by_the_agent_that_did_the_work(stack: Stack, tmp_path: Path) -> None:
    project = repository(tmp_path / "project", {"shared.txt": "base\n"})
    one, two = todo("T1", "one"), todo("T2", "two")
    for wanted, word in ((one, "one"), (two, "two")):
        wanted.update(files=[], checks=[f"grep -q {word} shared.txt"])
    file = scenario(
        tmp_path,
        plan=[one, two],
        work={name: [[write("shared.txt", f"{word}\n"), say(word)]] for name, word in (("T1", "one"), ("T2", "two"))},
        resolve={name: [write("shared.txt", "one\ntwo\n"), say("kept both")] for name in ("T1", "T2")},
    )
    report, _ = stack.run(project, file)
    assert git(project, "show", f"{report.branch}:shared.txt") == "one\ntwo"
    assert sum(attempt.stage is Stage.CONFLICT for view in report.todos for attempt in view.attempts) == 1


def test_a_conflict_that_is_left_in_the_file_is_not_merged(stack: Stack, tmp_path: Path) -> None:
    """The checks pass with the markers in it, and a resolver is not reviewed: only looking for them helps."""
    project = repository(tmp_path / "project", {"shared.txt": "base\n"})
    file = scenario(
        tmp_path,
        plan=[todo(name, "shared.txt", files=[], checks=["test -s shared.txt"]) for name in ("T1", "T2")],
        work={
            name: [
                [write("shared.txt", f"{name}\n"), say(name)],
                [say("x")],
                [write("shared.txt", "both\n"), say("both")],
            ]
            for name in ("T1", "T2")
        },
        resolve={name: [say("looks fine")] for name in ("T1", "T2")},
    )
    report, _ = stack.run(project, file)
    assert git(project, "show", f"{report.branch}:shared.txt") == "both"
    late = max(report.todos, key=lambda view: len(view.attempts))
    assert [attempt.stage for attempt in late.attempts] == [Stage.CONFLICT, Stage.FAILED, Stage.APPROVED]


def test_a_red_seal_leads_to_another_round(stack: Stack, project: Path, tmp_path: Path) -> None:
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt")],
        work={"T1": [[write("a.txt", "a\n"), say("a")]], "T2": [[write("b.txt", "b\n"), say("b")]]},
        replan=[[todo("T2", "b.txt")]],
        checks=["test -s b.txt"],
    )
    report, _ = stack.run(project, file)
    assert (report.status, report.round) == (MissionStatus.SEALED, 2)


def test_a_plan_with_a_cycle_is_asked_for_again_and_then_given_up(stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    file = scenario(tmp_path, plan=[todo("T1", "a", depends_on=["T2"]), todo("T2", "b", depends_on=["T1"])])
    report, shown = stack.run(project, file, check=1, log=log)
    assert report.status is MissionStatus.FAILED
    assert "the dependencies form a cycle" in report.reason
    assert "the dependencies form a cycle" in shown
    assert [turn[3] for turn in turns(log)] == ["plan", "repair", "repair"]


def test_an_invalid_answer_is_repaired_and_the_work_is_not_done_again(
    stack: Stack, project: Path, tmp_path: Path
) -> None:
    log = tmp_path / "model.jsonl"
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt")],
        work={"T1": [[write("a.txt", "a\n"), say("a")]]},
        faults=[
            {"role": "worker", "todo": "T1", "kind": "invalid_answer"},
            {"role": "reviewer", "todo": "T1", "kind": "malformed_json"},
        ],
    )
    report, _ = stack.run(project, file, log=log)
    assert len(report.todos[0].attempts) == 1
    assert [turn[3] for turn in turns(log)] == ["plan", "work", "work", "repair", "review", "repair"]


def test_an_agent_that_only_says_it_is_done_is_found_out(stack: Stack, project: Path, tmp_path: Path) -> None:
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt")],
        work={"T1": [[write("a.txt", "a\n"), say("a")]]},
        faults=[{"role": "worker", "todo": "T1", "attempt": 1, "kind": "false_done"}],
    )
    report, _ = stack.run(project, file)
    assert [attempt.stage for attempt in report.todos[0].attempts] == [Stage.RED, Stage.APPROVED]


def test_a_check_that_hangs_is_ended_and_named(stack: Stack, project: Path, tmp_path: Path) -> None:
    (project / "mission.toml").write_text("check_minutes = 0.03\nmax_attempts = 1\n")
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt", checks=["sleep 300"])],
        work={"T1": [[write("a.txt", "a\n"), say("a")]]},
    )
    report, _ = stack.run(project, file, check=1)
    assert "time limit" in report.todos[0].attempts[0].checks[0].ended


def test_a_folder_without_git_works_and_stays_without(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine\n")
    report, _ = stack.run(folder, SIX_FILES)
    assert report.status is MissionStatus.SEALED
    assert sorted(path.name for path in folder.iterdir()) == [".opencode", "notes.txt"]
    stack.mission("land", report.mission_id)
    assert (folder / "f6.txt").exists()
    assert not (folder / ".git").exists()


def test_a_repository_without_commits_works(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    report, _ = stack.run(folder, SIX_FILES)
    assert report.status is MissionStatus.SEALED
    stack.mission("land", report.mission_id)
    assert (folder / "f1.txt").exists()


def test_a_dirty_checkout_is_left_out_and_said_so_or_taken_along(stack: Stack, project: Path) -> None:
    (project / "README.md").write_text("# Changed\n")
    report, _ = stack.run(project, SIX_FILES)
    assert any("not included" in note for note in report.notes)
    assert git(project, "show", f"{report.branch}:README.md") == "# A project"
    report, _ = stack.run(project, SIX_FILES, "--include-changes")
    assert git(project, "show", f"{report.branch}:README.md") == "# Changed"
    assert (project / "README.md").read_text() == "# Changed\n"


def test_landing_brings_the_branch_in_once(stack: Stack, project: Path) -> None:
    report, _ = stack.run(project, SIX_FILES)
    assert "f1.txt" in stack.mission("diff", report.mission_id).stdout
    stack.mission("land", report.mission_id)
    assert (project / "f1.txt").exists()
    head = git(project, "rev-parse", "HEAD")
    assert "already" in stack.mission("land", report.mission_id).stderr
    assert git(project, "rev-parse", "HEAD") == head


def test_a_dirty_checkout_is_not_landed_on(stack: Stack, project: Path) -> None:
    report, _ = stack.run(project, SIX_FILES)
    (project / "README.md").write_text("# Changed\n")
    refused = stack.mission("land", report.mission_id, check=1)
    assert "README.md" in refused.stderr
    assert (project / "README.md").read_text() == "# Changed\n"


def test_two_missions_in_one_repository_both_run(stack: Stack, project: Path) -> None:
    first, second = stack.start(project, SIX_FILES), stack.start(project, SIX_FILES)
    for mission_id in (first, second):
        stack.mission("watch", mission_id)
        assert stack.report(mission_id).status is MissionStatus.SEALED


def test_the_models_are_checked_before_anything_is_paid(stack: Stack, project: Path, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    report, shown = stack.run(project, SIX_FILES, "--worker-model", "scripted/modell", check=1, log=log)
    assert report.status is MissionStatus.FAILED
    assert "did you mean 'model'" in shown
    assert requests(log) == []


def test_a_broken_role_file_is_named_before_anything_is_paid(stack: Stack, project: Path) -> None:
    roles = project / ".opencode/orchestrator/roles"
    roles.mkdir(parents=True)
    (roles / "worker.md").write_text("---\ntools: [raed]\n---\nWork.\n")
    _, shown = stack.run(project, SIX_FILES, check=1)
    assert "worker.md: unknown tool 'raed', did you mean 'read'?" in shown.replace("\n", " ")


def test_a_mission_that_never_gets_there_ends_exhausted(stack: Stack, project: Path, tmp_path: Path) -> None:
    file = scenario(
        tmp_path,
        plan=[todo("T1", "a.txt", checks=["false"])],
        work={"T1": [[write("a.txt", "a\n"), say("a")]]},
        replan=[[todo("T1", "a.txt", title="again", checks=["false", "true"])]],
    )
    report, _ = stack.run(project, file, "--max-rounds", "2", check=4)
    assert report.status is MissionStatus.EXHAUSTED
    assert len(report.todos[0].attempts) == 6


@pytest.mark.parametrize("review", ["final", "none"])
def test_reviews_can_be_left_out(stack: Stack, project: Path, tmp_path: Path, review: str) -> None:
    log = tmp_path / "model.jsonl"
    stack.run(project, SIX_FILES, "--review", review, log=log)
    assert sum(turn[0] == "reviewer" for turn in turns(log)) == (review == "final")
