from pathlib import Path

import pytest

from client.errors import BadInput, MissionFileError
from client.mission_file import find_mission_file, make_options, read_mission_file, schema

SCHEMA = Path(__file__).parents[3] / "docs" / "mission.schema.json"


def written(folder: Path, text: str) -> Path:
    (folder / "mission.toml").write_text(text)
    return folder


def test_a_file_chooses_every_option(tmp_path: Path) -> None:
    text = 'model = "a/b"\nparallel = 3\nchecks = ["make test"]\nreview = "final"\n[models]\nplanner = "a/big"\n'
    _, chosen = read_mission_file(written(tmp_path, text))
    options = make_options(chosen)
    assert (options.parallel, options.checks, options.review) == (3, ("make test",), "final")
    assert (options.model_for("planner"), options.model_for("worker")) == ("a/big", "a/b")


def test_without_a_file_nothing_is_chosen(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert read_mission_file(tmp_path) == (None, {})


def test_the_file_at_the_top_of_the_repository_counts_in_its_folders(tmp_path: Path) -> None:
    written(tmp_path, "")
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "deep" / "down").mkdir(parents=True)
    assert find_mission_file(project / "deep" / "down") is None  # the one above belongs to another project
    written(project, "")
    assert find_mission_file(project / "deep" / "down") == project / "mission.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("\nparalel = 3\n", "mission.toml:2: unknown key 'paralel': did you mean 'parallel'?", id="typo"),
        pytest.param("x = 1\n", "mission.toml:1: unknown key 'x'; there are model, models", id="far from any"),
        pytest.param('[models]\nworkr = "a/b"\n', ":2: unknown key 'workr' in [models]: did you mean", id="role"),
        pytest.param("parallel = 0\n", "mission.toml:1: parallel = 0: input should be greater", id="limit"),
        pytest.param('parallel = "many"\n', "mission.toml:1: parallel = 'many': input should be a valid", id="kind"),
        pytest.param('review = "all"\n', "review = 'all': input should be 'every', 'final' or 'none'", id="choice"),
        pytest.param("parallel = \n", "mission.toml: is not valid TOML: Invalid value (at line 1", id="no TOML"),
        pytest.param('model = "gpt"\n', "the model 'gpt' is not of the form provider/model", id="model"),
    ],
)
def test_a_broken_file_is_answered_with_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MissionFileError) as caught:
        read_mission_file(written(tmp_path, text))
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mission.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MissionFileError, match="is not UTF-8 text"):
        read_mission_file(tmp_path)


def test_an_option_of_the_command_line_is_named_as_well() -> None:
    with pytest.raises(BadInput, match="max_rounds = 0: input should be greater than or equal to 1"):
        make_options({"max_rounds": 0})


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text() == schema(), "run: python -m client.mission_file > docs/mission.schema.json"
