"""What `mission doctor` finds, says and ends with. Programs are small real ones in a folder of the test."""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from client.cli.doctor import as_document, doctor, show
from client.installed import GIT, Fact, Program, disk, home, look_around, version_of, without_secrets
from runtime.settings import Settings

app = typer.Typer()
app.command()(doctor)

NOBODY_LISTENS = "127.0.0.1:9"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """A machine with git and OpenCode, a home of its own, and no Temporal named anywhere."""
    program(programs, "git", "git version 2.39.5")
    program(programs, "opencode", "1.18.33")
    chosen = {"PATH": str(programs), "MISSION_HOME": str(tmp_path / "home")}
    for name, value in (chosen | {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml"), "COLUMNS": "200"}).items():
        monkeypatch.setenv(name, value)
    for name in ("TEMPORAL_ADDRESS", "MISSION_OPENCODE", "MISSION_OPENCODE_URL", "MISSION_OPENCODE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return chosen


def program(folder: Path, name: str, says: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


async def facts_of(environment: Mapping[str, str]) -> dict[str, Fact]:
    found = await look_around(Settings.from_environment(environment), environment)
    return {fact.name: fact for fact in found}


async def test_a_machine_with_everything_is_ready(environment: Mapping[str, str]) -> None:
    facts = await facts_of(environment)

    assert not [fact for fact in facts.values() if fact.blocks]
    assert facts["git"].found == "2.39.5"
    assert facts["opencode"].found == "1.18.33"
    assert facts["temporal program"].ok


async def test_what_only_set_up_needs_does_not_keep_missions_from_running(environment: Mapping[str, str]) -> None:
    facts = await facts_of(environment)

    assert not facts["node"].ok
    assert not facts["node"].blocks


async def test_a_named_opencode_that_is_not_supported_is_told_with_a_remedy(
    environment: Mapping[str, str], programs: Path
) -> None:
    old = program(programs, "old-opencode", "1.2.3")

    fact = (await facts_of({**environment, "MISSION_OPENCODE": str(old)}))["opencode"]

    assert fact.blocks
    assert "1.2.3" in str(fact.problem)
    assert "npm install" in str(fact.problem)


async def test_a_named_temporal_that_does_not_answer_blocks(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY_LISTENS)

    facts = await facts_of(environment)

    assert facts["temporal server"].blocks
    assert NOBODY_LISTENS in str(facts["temporal server"].problem)


async def test_a_password_is_never_told(environment: Mapping[str, str]) -> None:
    url = f"http://me:hidden@{NOBODY_LISTENS}"

    facts = await facts_of({**environment, "MISSION_OPENCODE_URL": url, "MISSION_OPENCODE_PASSWORD": "hidden"})

    assert facts["opencode"].blocks
    assert "hidden" not in as_document(list(facts.values()))


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        pytest.param("git version 2.25.0", None, id="just new enough"),
        pytest.param("git version 2.39.5 (Apple Git-154)", None, id="with a suffix"),
        pytest.param("git version 2.9.5", "too old, 2.25 is needed", id="compared by number"),
        pytest.param("hello", "does not tell its version", id="something else"),
    ],
)
def test_a_version_is_compared_by_its_numbers(programs: Path, says: str, problem: str | None) -> None:
    program(programs, "git", says)

    fact = GIT.look({"PATH": str(programs)})

    assert str(fact.problem).startswith(str(problem))


def test_a_missing_program_is_told_with_how_to_get_it(programs: Path) -> None:
    fact = Program("rare", (1,), "dig for it").look({"PATH": str(programs)})

    assert fact.problem == "not found on PATH; dig for it"


def test_a_program_that_fails_has_no_version(programs: Path) -> None:
    broken = programs / "broken"
    broken.write_text("#!/bin/sh\necho 1.2.3\nexit 1\n")
    broken.chmod(0o755)

    assert version_of(broken) is None


def test_a_home_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "is a file" in str(home(tmp_path / "file" / "home").problem)


def test_a_home_that_is_not_there_yet_will_be_made(tmp_path: Path) -> None:
    assert home(tmp_path / "one" / "two").found == "will be made"
    assert not (tmp_path / "one").exists()


def test_too_little_disk_is_told_with_the_limit(tmp_path: Path) -> None:
    assert "less than 1000000000.0 GB" in str(disk(tmp_path, least=10**18).problem)


def test_users_and_passwords_in_addresses_are_hidden() -> None:
    assert without_secrets("at https://me:pw@host:1/x") == "at https://…@host:1/x"


def test_the_table_fits_into_80_columns_and_says_what_is_missing() -> None:
    facts = [
        Fact("git", "2.39.5", "/usr/bin/git"),
        Fact("opencode", problem="was not found " + "anywhere " * 12),
        Fact("bwrap", problem="not found", needed=False),
    ]
    screen = io.StringIO()

    show(facts, Console(width=80, file=screen))

    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[0] for line in lines if line.startswith(("✔", "✘", "–"))] == ["✔", "✘", "–"]
    assert lines[-1] == "Not ready: opencode."


def test_the_command_ends_with_0_when_all_is_there(environment: Mapping[str, str]) -> None:
    result = CliRunner().invoke(app, [])

    assert result.exit_code == 0
    assert "Ready for missions." in result.output


def test_the_command_ends_with_1_and_a_readable_document_when_git_is_missing(
    environment: Mapping[str, str], programs: Path
) -> None:
    (programs / "git").unlink()

    result = CliRunner().invoke(app, ["--json"])

    told = json.loads(result.output)
    assert result.exit_code == 1
    assert not told["ready"]
    assert [fact["name"] for fact in told["facts"] if fact["needed"] and not fact["ok"]] == ["git"]
