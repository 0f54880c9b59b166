"""What became of a turn: a table of message lists, and whole lists that a real server gave."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from adapters.opencode.models import Message, SessionStatus
from adapters.opencode.turn_state import TurnState, classify, model_failure, trace

RECORDED = sorted((Path(__file__).parents[2] / "recorded").glob("opencode-*"))
BUSY = SessionStatus(type="busy")
COMPACTION = {"type": "compaction"}
CONTINUE = {"type": "text", "text": "Continue if you have next steps", "synthetic": True}
APIERROR = {"name": "APIError", "data": {"message": "no", "statusCode": 429, "isRetryable": True}}


def user(name: str, *parts: Mapping[str, object]) -> Message:
    return Message.model_validate({"info": {"id": name, "role": "user"}, "parts": parts or [{"type": "text"}]})


def said(
    finish: str | None = "stop", *, completed: bool = True, error: object = None, summary: bool = False
) -> Message:
    info = {
        "id": "a",
        "role": "assistant",
        "finish": finish,
        "error": error,
        "summary": summary,
        "time": {"created": 1, "completed": 2 if completed else None},
    }
    return Message.model_validate({"info": info})


U, NEXT = user("U"), user("V")
ABORT = said(None, error={"name": "MessageAbortedError", "data": {"message": "Aborted"}})
STEP, OPEN, END, FAILED = said("tool-calls"), said(None, completed=False), said(), said(None, error=APIERROR)
SUMMARY, BLOCKED = said(summary=True), said("content-filter", error={"name": "ContentFilterError"})

TABLE: list[tuple[str, list[Message], SessionStatus | None, TurnState]] = [
    ("no messages", [], None, TurnState.ABSENT),
    ("another turn only", [NEXT, END], None, TurnState.ABSENT),
    ("another turn runs", [NEXT, OPEN], BUSY, TurnState.ABSENT),
    ("just accepted", [U], BUSY, TurnState.RUNNING),
    ("in a step", [U, STEP, OPEN], BUSY, TurnState.RUNNING),
    ("waiting to try again", [U, OPEN], SessionStatus(type="retry"), TurnState.RUNNING),
    ("answered, not yet at rest", [U, END], BUSY, TurnState.RUNNING),
    ("killed before the first step", [U], None, TurnState.CUT_OFF),
    ("killed in a step", [U, STEP, OPEN], None, TurnState.CUT_OFF),
    ("killed between two steps", [U, STEP], None, TurnState.CUT_OFF),
    ("killed after an unknown finish", [U, said("unknown")], None, TurnState.CUT_OFF),
    ("killed before a compaction", [U, END, user("C", COMPACTION)], None, TurnState.CUT_OFF),
    ("killed after the summary", [U, STEP, user("C", COMPACTION), SUMMARY], None, TurnState.CUT_OFF),
    (
        "killed after the continuation",
        [U, user("C", COMPACTION), SUMMARY, user("D", CONTINUE)],
        None,
        TurnState.CUT_OFF,
    ),
    ("the provider failed", [U, STEP, FAILED], None, TurnState.FAILED),
    (
        "the summary failed",
        [U, user("C", COMPACTION), said(None, error=APIERROR, summary=True)],
        None,
        TurnState.FAILED,
    ),
    ("failed, tried again", [U, FAILED, END], None, TurnState.DONE),
    ("aborted", [U, ABORT], None, TurnState.ABORTED),
    ("aborted in a pause", [U, said(None)], None, TurnState.ABORTED),
    ("answered", [U, STEP, END], None, TurnState.DONE),
    ("cut at the limit", [U, said("length")], None, TurnState.DONE),
    ("blocked by the provider", [U, BLOCKED], None, TurnState.DONE),
    (
        "answered after a compaction",
        [U, user("C", COMPACTION), SUMMARY, user("D", CONTINUE), END],
        None,
        TurnState.DONE,
    ),
    ("answered, then a newer prompt", [U, END, NEXT, OPEN], BUSY, TurnState.DONE),
    ("unanswered, then a newer prompt", [U, OPEN, NEXT, END], None, TurnState.SUPERSEDED),
    ("failed, then a newer prompt", [U, FAILED, NEXT], BUSY, TurnState.SUPERSEDED),
    ("aborted, then a newer prompt", [U, ABORT, NEXT, END], None, TurnState.SUPERSEDED),
]


@pytest.mark.parametrize(("messages", "status", "state"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_turn_is_what_its_messages_and_status_say(
    messages: list[Message], status: SessionStatus | None, state: TurnState
) -> None:
    assert classify(messages, "U", status) is state


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
@pytest.mark.parametrize(
    ("name", "state", "text", "tokens"),
    [
        ("done", TurnState.DONE, "hello", 100),
        ("done-after-a-tool", TurnState.DONE, "hello", 200),
        ("done-after-compaction", TurnState.DONE, "after it", 125_200),
        ("length", TurnState.DONE, "half", 100),
        ("content-filter", TurnState.DONE, "half", 100),
        ("empty", TurnState.DONE, "", 100),
        ("failed", TurnState.FAILED, "", 0),
        ("aborted", TurnState.ABORTED, "", 0),
    ],
)
def test_recorded_turns_are_understood(folder: Path, name: str, state: TurnState, text: str, tokens: int) -> None:
    messages = TypeAdapter(list[Message]).validate_json((folder / f"messages-{name}.json").read_text())
    turn = trace(messages, messages[0].info.id)
    assert classify(messages, messages[0].info.id, None) is state
    assert turn.text == text
    assert sum(step.info.tokens.input for step in turn.steps) == tokens


def test_text_of_a_broken_try_is_not_part_of_the_answer() -> None:
    parts = [
        {"type": "step-start"},
        {"type": "text", "text": "hel"},
        {"type": "step-start"},
        {"type": "reasoning", "text": "I should greet"},
        {"type": "text", "text": "hello"},
    ]
    answer = Message.model_validate({**END.model_dump(by_alias=True), "parts": parts})
    assert trace([U, answer], "U").text == "hello"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"retry-after-ms": "1500", "retry-after": "7"}, timedelta(seconds=1.5)),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, timedelta(0)),
        ({}, None),
    ],
)
def test_what_the_provider_asks_us_to_wait_is_kept(headers: dict[str, str], wait: timedelta | None) -> None:
    error = {"name": "APIError", "data": {"isRetryable": True, "statusCode": 429, "responseHeaders": headers}}
    failure = model_failure(trace([U, said(None, error=error)], "U"))
    assert (failure.retryable, failure.status_code, failure.retry_after) == (True, 429, wait)


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        ({"name": "ProviderAuthError", "data": {"providerID": "p", "message": "no key"}}, False),
        ({"name": "ContextOverflowError", "data": {"message": "too large"}}, False),
        ({"name": "APIError", "data": {"message": "bad", "isRetryable": False}}, False),
        ({"name": "UnknownError", "data": {"message": "error in the stream"}}, True),
    ],
)
def test_only_what_may_pass_is_worth_trying_again(error: dict[str, object], retryable: bool) -> None:
    failure = model_failure(trace([U, said(None, error=error)], "U"))
    assert failure.retryable is retryable
