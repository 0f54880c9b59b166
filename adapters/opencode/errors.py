"""What can go wrong with OpenCode, by what the caller does about it.

OpenCodeError
├── OpenCodeUnreachable    no answer, or it ended in the middle        -> again with the same ids: nothing is lost
├── OpenCodeRejected       it understood the request and refuses it    -> another request is needed
├── OpenCodeUnsupported    not there, or a version we do not know      -> a person installs another one
└── TurnFailed             the request was fine, its turn gave no answer
    ├── ModelFailed        the provider's doing                        -> again later, if `retryable`
    ├── TurnAborted        somebody ended it                           -> a new turn, if one is still wanted
    ├── TurnSuperseded     a newer prompt came before it was answered  -> a new turn
    └── TurnTimedOut       it took longer than its limit; it is aborted
"""

from datetime import timedelta


class OpenCodeError(Exception):
    """Base of everything this adapter raises on purpose; the message is for a person."""


class OpenCodeUnreachable(OpenCodeError):
    """No answer: not started yet, dead, or the connection broke. Retry with the same ids."""


class OpenCodeRejected(OpenCodeError):
    """The server refused the request, with this HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class OpenCodeUnsupported(OpenCodeError):
    """There is no OpenCode, or none of a version that this adapter was tried with."""


class TurnFailed(OpenCodeError):
    """The turn ended without an answer."""


class ModelFailed(TurnFailed):
    """The provider or its model failed, after OpenCode's own retries."""

    def __init__(
        self,
        name: str,
        message: str,
        status_code: int | None = None,
        *,
        retryable: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        #: OpenCode's word for it: APIError, ProviderAuthError, ContextOverflowError …
        self.name = name
        self.message = message
        self.status_code = status_code
        #: The same turn may succeed later.
        self.retryable = retryable
        #: What the provider asked us to wait.
        self.retry_after = retry_after


class TurnAborted(TurnFailed):
    """Somebody aborted the session; going on would undo that."""


class TurnSuperseded(TurnFailed):
    """Our message is not the last prompt any more: posting it again would run it again, after the newer one."""


class TurnTimedOut(TurnFailed):
    """The time limit passed. The session was aborted and does nothing any more."""
