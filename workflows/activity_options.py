"""The named timeouts and retry policies, with their reasons.

One owner of retries: the activity. Failures of the infrastructure (a dead worker, an OpenCode that restarts, a
provider that is overloaded) are retried here and never count as an attempt at a TODO. Failures of an agent are
values, not errors. Errors that no retry can mend are raised non-retryable by the activity itself.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

HEARTBEAT_TIMEOUT = timedelta(seconds=5)
"""A dead worker is noticed after this long. Activities beat every second."""

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30))
"""Short first waits: the usual reason is a part that is back within two seconds."""

LONGEST_OUTAGE = timedelta(hours=24)
"""After a day without success something is wrong that waiting will not mend."""


class ActivityOptions(TypedDict):
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


def _options(longest: timedelta) -> ActivityOptions:
    return ActivityOptions(
        start_to_close_timeout=longest,
        schedule_to_close_timeout=longest + LONGEST_OUTAGE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=SOON,
        # A cancelled mission says so when its sessions are aborted and its leftovers saved, not before.
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


FILES = _options(timedelta(minutes=10))
"""Git and small files; a large repository on a slow disk takes minutes."""


def turn(limit_minutes: float) -> ActivityOptions:
    """An agent's turn ends itself at its limit; ours lies behind it, for starting the server and committing."""
    return _options(timedelta(minutes=limit_minutes) + timedelta(minutes=10))


def checks(limit_minutes: float, commands: int) -> ActivityOptions:
    """Every command has its own limit; ours covers all of them, one after the other."""
    return _options(timedelta(minutes=limit_minutes) * max(1, commands) + timedelta(minutes=5))
