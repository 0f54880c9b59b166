"""What a person gets who asks for something that cannot be: a sentence, the right exit code, and nothing started."""

from pathlib import Path

import pytest

from tests.integration.stacks import Stack, repository

ONE_TODO = "plan: [{id: T1, title: Write one, files: [one.txt]}]\n"


@pytest.fixture
def person(tmp_path: Path) -> Stack:
    """Somebody with nothing running: these mistakes are to be found before anything starts."""
    return Stack(tmp_path / "person")


def refused(person: Stack, *arguments: str | Path, code: int = 2) -> str:
    """The words, on one line: where they break depends on the terminal."""
    said = person.mission(*arguments, check=code).stderr
    assert not any(person.processes.glob("*")), "something was started"
    return " ".join(said.replace("│", " ").split())


def test_an_empty_objective_is_refused_with_an_example(person: Stack) -> None:
    assert 'mission run "Add a login page"' in refused(person, "run", "  ")


def test_an_objective_far_too_long_is_refused_with_the_limit(person: Stack) -> None:
    said = refused(person, "start", "x" * 100_000)
    assert "20,000 characters" in said
    assert len(said) < 500


def test_a_folder_that_does_not_exist_is_named(person: Stack, tmp_path: Path) -> None:
    assert f"{tmp_path / 'nowhere'} does not exist" in refused(person, "run", "x", "--dir", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('modle = "x"\n', "mission.toml:1: unknown key 'modle': did you mean 'model'?"),
        ("parallel = 0\n", "mission.toml:1: parallel = 0"),
        ('model = "x\n', "mission.toml: is not valid TOML"),
    ],
)
def test_a_broken_mission_file_is_refused_with_its_line(person: Stack, tmp_path: Path, text: str, words: str) -> None:
    project = repository(tmp_path / "project", {"mission.toml": text})
    assert words in refused(person, "start", "x", "--dir", project)


@pytest.mark.parametrize(
    ("text", "words"),
    [("plon: []\n", "s.yaml:1: unknown key 'plon', did you mean 'plan'?"), ("plan: [\n", "s.yaml:2: not YAML")],
)
def test_a_broken_scenario_is_refused_with_its_line(person: Stack, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    assert words in refused(person, "model", "--scenario", tmp_path / "s.yaml")


def test_a_temporal_that_does_not_answer_is_named(person: Stack) -> None:
    person.environment["TEMPORAL_ADDRESS"] = "127.0.0.1:9"
    assert "no Temporal answers at 127.0.0.1:9" in refused(person, "list", code=5)


def test_without_a_stack_a_person_is_told_how_to_start_one(person: Stack) -> None:
    assert "mission up" in refused(person, "show", "x", code=5)


def test_a_password_on_the_command_line_is_refused(person: Stack) -> None:
    said = refused(person, "worker", "--opencode-url", "http://opencode:secret@127.0.0.1:4096")
    assert "MISSION_OPENCODE_PASSWORD" in said
    assert "secret" not in said


def test_an_opencode_address_that_is_none_is_refused(person: Stack) -> None:
    assert "http://127.0.0.1:4096" in refused(person, "run", "x", "--opencode-url", "127.0.0.1:4096")


@pytest.mark.parametrize(
    "plan",
    [
        "plan: []\n",
        "plan: [{id: T1, title: a}, {id: T1, title: b}]\n",
        "plan: [{id: T1, title: a, depends_on: [T9]}]\n",
        "plan: [{id: T1, title: a, depends_on: [T2]}, {id: T2, title: b, depends_on: [T1]}]\n",
    ],
    ids=["no TODO", "an id twice", "an unknown dependency", "a cycle"],
)
def test_a_plan_that_cannot_be_ends_the_mission_as_failed(
    stack: Stack, project: Path, tmp_path: Path, plan: str
) -> None:
    (tmp_path / "s.yaml").write_text(plan)
    report, _ = stack.run(project, tmp_path / "s.yaml", check=1)
    assert report.reason.startswith("the planner gave no valid plan")
    assert "validation error" not in report.reason


def test_an_unknown_id_is_answered_with_the_nearest(stack: Stack, project: Path, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(ONE_TODO)
    known = stack.start(project, tmp_path / "s.yaml")
    assert known in stack.mission("show", known[:-1] + "x", check=2).stderr


def test_a_stack_that_is_up_keeps_its_opencode(stack: Stack) -> None:
    said = stack.mission("up", "--detach", "--opencode-url", "http://127.0.0.1:9", check=2).stderr
    assert "`mission down` first" in said
