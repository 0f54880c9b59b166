"""What is wrong decides who acts: Temporal again, later, or a person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.testing import ActivityEnvironment

from activities.errors import FILE_TRIES, REJECTIONS, translated
from activities.models import ModelMissing
from activities.roles import RoleFileError
from adapters.commands import CommandError
from adapters.git.errors import BranchMoved, GitError, NoSlotFree, NotAWorkspace
from adapters.opencode.errors import ModelFailed, OpenCodeRejected, OpenCodeUnreachable, OpenCodeUnsupported

UNREACHABLE = OpenCodeUnreachable("it has just died")
REJECTED = OpenCodeRejected("bad request", 400)
GIT = GitError(("update-ref",), 128, "disk full")


def raised(error: Exception, attempt: int = 1) -> ApplicationError:
    """What Temporal is told when an adapter raises `error` in this attempt."""

    def work() -> None:
        with translated():
            raise error

    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    with pytest.raises(ApplicationError) as told:
        environment.run(work)
    assert told.value.__cause__ is error
    return told.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(OpenCodeUnsupported("1.2.3 is too old"), "opencode_unsupported", id="an OpenCode we do not know"),
        pytest.param(ModelFailed("ProviderAuthError", "no key"), "provider_refused", id="a provider that refuses"),
        pytest.param(NotAWorkspace("the folder is gone"), "workspace", id="a folder that is gone"),
        pytest.param(BranchMoved("mission/x", "a", "b"), "workspace", id="a branch that somebody moved"),
        pytest.param(ModelMissing("no such model"), "workspace", id="an unknown model"),
        pytest.param(RoleFileError("worker.md:3: no such key"), "workspace", id="a broken role"),
    ],
)
def test_what_only_a_person_can_mend_ends_the_mission_at_once(error: Exception, kind: str) -> None:
    told = raised(error)
    assert (told.type, told.non_retryable) == (kind, True)
    assert str(error) in told.message


@pytest.mark.parametrize(
    ("error", "kind", "tries"),
    [
        pytest.param(REJECTED, "opencode_rejected", REJECTIONS, id="a request that OpenCode refuses"),
        pytest.param(GIT, "files", FILE_TRIES, id="git that fails"),
        pytest.param(OSError("No space left on device"), "files", FILE_TRIES, id="a full disk"),
        pytest.param(CommandError("cannot be run"), "files", FILE_TRIES, id="a command that cannot be run"),
        pytest.param(ZeroDivisionError("oops"), "unexpected", FILE_TRIES, id="a defect of ours"),
    ],
)
def test_what_may_pass_is_tried_again_but_not_for_ever(error: Exception, kind: str, tries: int) -> None:
    assert [raised(error, attempt).non_retryable for attempt in (1, tries - 1, tries)] == [False, False, True]
    assert raised(error).type == kind


def test_an_opencode_that_is_away_is_waited_for_however_long() -> None:
    told = raised(UNREACHABLE, attempt=1000)
    assert (told.type, told.non_retryable) == ("opencode_unreachable", False)


def test_a_free_slot_is_waited_for_without_counting_as_a_failure() -> None:
    told = raised(NoSlotFree("all are in use"), attempt=1000)
    assert (told.type, told.non_retryable, told.category) == ("no_slot", False, ApplicationErrorCategory.BENIGN)
    assert told.next_retry_delay is not None


@pytest.mark.parametrize(
    ("asked", "attempt", "wait"),
    [
        pytest.param(timedelta(hours=1), 1, timedelta(hours=1), id="as long as the provider asks for"),
        pytest.param(None, 2, timedelta(minutes=1), id="longer from attempt to attempt"),
        pytest.param(None, 100, timedelta(minutes=5), id="five minutes at most"),
    ],
)
def test_an_overloaded_provider_is_given_time(asked: timedelta | None, attempt: int, wait: timedelta) -> None:
    told = raised(ModelFailed("APIError", "overloaded", 529, retryable=True, retry_after=asked), attempt)
    assert (told.type, told.non_retryable, told.next_retry_delay) == ("provider_unavailable", False, wait)


def test_a_cancellation_stays_one() -> None:
    with pytest.raises(CancelledError), translated():
        raise CancelledError
