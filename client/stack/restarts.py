"""When a part that died is started again, and when that is hopeless."""

from dataclasses import dataclass

MOST_FAILED_STARTS = 3
"""Of a part that has never been ready: the cause will not go away by itself."""

QUICK_SECONDS = 10.0
LONGEST_WAIT = 5.0


@dataclass
class Restarts:
    """Counts one part's deaths. A part that was ready once is always started again: missions wait for it."""

    failed_starts: int = 0
    quick_deaths: int = 0
    ever_ready: bool = False

    def after(self, lived: float, became_ready: bool) -> float | None:
        """Seconds to wait before the next start, or None to give up."""
        self.ever_ready = self.ever_ready or became_ready
        self.failed_starts += not became_ready
        if self.failed_starts >= MOST_FAILED_STARTS and not self.ever_ready:
            return None
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_SECONDS else 0
        return 0.0 if self.quick_deaths <= 1 else float(min(LONGEST_WAIT, 0.25 * 2.0 ** min(self.quick_deaths - 2, 10)))
