from pathlib import Path

import pytest

from activities.roles import ROLE_NAMES, USER_ROLES, RoleFileError, check_roles, load_role

GOOD = "---\ndescription: mine\nmodel: acme/strong\ntools: [read, write]\n---\nBe careful.\n"


@pytest.mark.parametrize("name", ROLE_NAMES)
def test_a_shipped_role_denies_everything_it_does_not_need(name: str) -> None:
    rules = load_role(name).rules  # type: ignore[arg-type]
    assert (rules[0].permission, rules[0].action) == ("*", "deny")
    outside = [(rule.pattern, rule.action) for rule in rules if rule.permission == "external_directory"]
    assert outside == [("*", "deny"), ("*/opencode/tool-output/*", "allow")]
    assert all(rule.action != "ask" for rule in rules)


def test_a_worker_may_change_files_and_a_reviewer_may_only_read() -> None:
    by_role = {
        name: {rule.permission for rule in load_role(name).rules if rule.action == "allow" and rule.pattern == "*"}
        for name in ROLE_NAMES
    }
    assert by_role["worker"] == {"read", "edit", "grep", "glob", "bash"}
    assert by_role["reviewer"] == by_role["planner"] == {"read", "grep", "glob"}


def own_role(project: Path, name: str, text: str) -> Path:
    file = project / USER_ROLES / f"{name}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_projects_own_role_replaces_the_shipped_one(tmp_path: Path) -> None:
    own_role(tmp_path, "worker", GOOD)
    role = load_role("worker", tmp_path)
    assert (role.prompt, role.model) == ("Be careful.", "acme/strong")
    assert load_role("planner", tmp_path) == load_role("planner")


def test_a_role_of_another_name_is_told_and_ignored(tmp_path: Path) -> None:
    own_role(tmp_path, "architect", GOOD)
    assert check_roles(tmp_path) == (
        ".opencode/orchestrator/roles/architect.md is not a role of this version (planner, worker, reviewer)"
        " and is ignored",
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "line 1: a role file starts with front matter", id="empty"),
        pytest.param("---\ntools: []\nno end", "line 3: the front matter is not closed", id="not closed"),
        pytest.param("---\ntools: [read\n---\nx", r"line \d+:", id="not YAML"),
        pytest.param(
            "---\ntools: [read]\nmodell: a/b\n---\nx", "line 3: unknown key 'modell', did you mean 'model'", id="key"
        ),
        pytest.param("---\ntools: [raed]\n---\nx", "unknown tool 'raed', did you mean 'read'", id="tool"),
        pytest.param("---\npermission: {bash: ask}\n---\nx", "'ask', expected allow or deny", id="ask"),
        pytest.param("---\nmodel: strong\n---\nx", "model is 'strong', expected provider/model", id="model"),
        pytest.param("---\nanswer: plan\n---\nx", "the answer of a worker is 'work_report'", id="answer"),
        pytest.param("---\ntools: [read]\n---\n", "line 3: the prompt below the front matter is empty", id="no prompt"),
        pytest.param("---\n- a\n---\nx", "must be a list of `key: value`", id="a list"),
    ],
)
def test_a_broken_role_file_is_named_with_line_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    file = own_role(tmp_path, "worker", text)
    with pytest.raises(RoleFileError, match=complaint) as error:
        check_roles(tmp_path)
    assert str(error.value).startswith(str(file))


def test_opencodes_own_rules_are_stronger_than_the_tools(tmp_path: Path) -> None:
    own_role(tmp_path, "worker", '---\ntools: [bash]\npermission: {bash: {"rm *": deny}}\n---\nx')
    last = load_role("worker", tmp_path).rules[-1]
    assert (last.permission, last.pattern, last.action) == ("bash", "rm *", "deny")
