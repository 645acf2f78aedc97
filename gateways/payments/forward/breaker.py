"""A breaker: who fails a few times in a row is left alone for a while, longer each time."""

from collections.abc import Callable

FAILURES_MAX = 5
"""In a row; then nothing is sent for a while."""
PAUSE_S, PAUSE_S_MAX = 0.25, 8.0


class Breaker:
    """Tells whether the processor is asked at all; now : the event loop's time.

    Behind a pause one request is let through: what becomes of it ends the pauses or begins a longer one.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures = 0
        self._pause_s = PAUSE_S
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether one request at a time may be sent at most."""
        return self._failures >= FAILURES_MAX

    @property
    def is_pausing(self) -> bool:
        """Whether nothing is to be sent now."""
        return self.is_open and self._now() < self._open_until

    def lets_through(self) -> bool:
        """Tell whether a request may be sent; who is told so tells how it ended."""
        if self.is_pausing:
            return False
        if self.is_open:
            self._open_until = self._now() + self._pause_s  # of those that come now, one
        return True

    def succeeded(self) -> None:
        """Take note that the processor has answered."""
        self._failures = 0
        self._pause_s = PAUSE_S

    def failed(self) -> None:
        """Take note that it has not."""
        self._failures += 1
        if self._failures == FAILURES_MAX:
            self._open_until = self._now() + self._pause_s
        elif self.is_open:
            self._pause_s = min(2 * self._pause_s, PAUSE_S_MAX)
            self._open_until = self._now() + self._pause_s
