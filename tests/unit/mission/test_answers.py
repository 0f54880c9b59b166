import pytest

from mission.answers import InvalidAnswer, Verdict, WorkReport, parse_answer


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"approved": true}', id="bare"),
        pytest.param('All good.\n```json\n{"approved": true}\n```', id="fenced"),
        pytest.param('{"approved": false}\nOn second thought:\n{"approved": true, "issues": []}', id="the last counts"),
        pytest.param('Braces { are not json } but {"approved": true} is', id="among braces"),
        pytest.param('{"approved": true, "summary": "uses {} and \\"}\\""}', id="braces in strings"),
    ],
)
def test_an_answer_is_the_last_json_object_of_the_text(text: str) -> None:
    assert parse_answer(text, Verdict).approved


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "no JSON object", id="empty"),
        pytest.param('{"approved": tru', "no JSON object", id="broken"),
        pytest.param("[1, 2]", "no JSON object", id="a list"),
        pytest.param('{"verdict": "yes"}', "approved: Field required", id="another shape"),
        pytest.param('{"approved": "perhaps"}', "approved: .*valid boolean", id="wrong type"),
    ],
)
def test_an_invalid_answer_says_what_to_mend(text: str, complaint: str) -> None:
    with pytest.raises(InvalidAnswer, match=complaint):
        parse_answer(text, Verdict)


def test_a_report_needs_a_summary() -> None:
    with pytest.raises(InvalidAnswer, match="summary"):
        parse_answer('{"summary": ""}', WorkReport)
