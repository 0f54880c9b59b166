"""Errors of the adapters as Temporal failures: what is retried here, and what no retry can mend.

OpenCodeUnreachable, OpenCodeRejected (first tries)    -> retried: infrastructure
ModelFailed, retryable                                 -> retried after what the provider asks for
ModelFailed, not retryable; OpenCodeUnsupported        -> fails the mission: a person must act
GitError, OSError                                      -> retried (a full disk can be emptied)
NotAWorkspace, BranchMoved, RoleFileError              -> fails the mission: a person must act
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from activities.models import ModelMissing
from activities.roles import RoleFileError
from adapters.commands import CommandError
from adapters.git.errors import BranchMoved, GitError, NoSlotFree, NotAWorkspace
from adapters.opencode.errors import ModelFailed, OpenCodeError, OpenCodeRejected, OpenCodeUnsupported

REJECTIONS = 5
"""A request that OpenCode refuses so often is wrong, not early."""

SLOT_WAIT = timedelta(seconds=2)
"""Work of other missions takes minutes; asking every two seconds costs nothing."""

FILE_TRIES = 8
"""With the waits of the retry policy about a minute; what git or the disk refuse for longer, a person must see."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Adapter errors as `ApplicationError`s whose type and message say what a person needs to know."""
    try:
        yield
    except ModelFailed as error:
        raise _model_failure(error) from error
    except OpenCodeRejected as error:
        final = activity.info().attempt >= REJECTIONS
        raise ApplicationError(str(error), type="opencode_rejected", non_retryable=final) from error
    except OpenCodeUnsupported as error:
        raise ApplicationError(str(error), type="opencode_unsupported", non_retryable=True) from error
    except OpenCodeError as error:
        raise ApplicationError(str(error), type="opencode_unreachable") from error
    except NoSlotFree as error:
        # Not an error but a queue: it shows in the Temporal UI as such and is not counted as a failure.
        benign = ApplicationErrorCategory.BENIGN
        raise ApplicationError(str(error), type="no_slot", next_retry_delay=SLOT_WAIT, category=benign) from error
    except (NotAWorkspace, BranchMoved, RoleFileError, ModelMissing) as error:
        raise ApplicationError(str(error), type="workspace", non_retryable=True) from error
    except (GitError, CommandError, OSError) as error:
        raise ApplicationError(str(error), type="files", non_retryable=_tried_enough()) from error
    except (ApplicationError, CancelledError):
        raise
    except Exception as error:
        # A defect of ours, most likely: retrying it for ever would look like a mission that works.
        said = f"{type(error).__name__}: {error}"
        raise ApplicationError(said, type="unexpected", non_retryable=_tried_enough()) from error


def _tried_enough() -> bool:
    return activity.info().attempt >= FILE_TRIES


def _model_failure(error: ModelFailed) -> ApplicationError:
    if not error.retryable:
        return ApplicationError(str(error), type="provider_refused", non_retryable=True)
    # OpenCode has tried for over a minute already; hurrying would only add to the storm.
    wait = error.retry_after or min(timedelta(seconds=30) * activity.info().attempt, timedelta(minutes=5))
    return ApplicationError(str(error), type="provider_unavailable", next_retry_delay=wait)
