"""When a part that died is started again, and when that is hopeless."""

from dataclasses import dataclass

MOST_FAILED_STARTS = 3
"""In a row, without becoming ready in between: the cause will not go away by itself."""

QUICK_SECONDS = 10.0
LONGEST_WAIT = 5.0


@dataclass
class Restarts:
    """Counts one part's deaths. A part that became ready is always started again: missions wait for it."""

    failed_starts: int = 0
    quick_deaths: int = 0

    def after(self, lived: float, became_ready: bool) -> float | None:
        """Seconds to wait before the next start, or None to give up."""
        self.failed_starts = 0 if became_ready else self.failed_starts + 1
        if self.failed_starts >= MOST_FAILED_STARTS:
            return None
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_SECONDS else 0
        return 0.0 if self.quick_deaths <= 1 else float(min(LONGEST_WAIT, 0.25 * 2 ** (self.quick_deaths - 2)))
