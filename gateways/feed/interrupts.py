"""The stop signals as KeyboardInterrupt, but never between handing a batch over and counting it.

    with interrupts:    what is in here is done whole; an interrupt is raised at its end

Otherwise commands could be on their way of which nobody knows.
"""

import signal
from types import TracebackType

from engine.contract.stop_signals import stop_signals


class Interrupts:
    """The stop signals of this process; reusable as a context manager, not nested."""

    def __init__(self) -> None:
        self._is_held = False
        self._is_due = False

    def install(self) -> None:
        """Take the signals from now on."""
        for number in stop_signals():
            signal.signal(number, self.take)

    def take(self, number: int, frame: object) -> None:
        """Handle a signal: interrupt at once, or at the end of what must not be interrupted."""
        if self._is_held:
            self._is_due = True
        else:
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self._is_held = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_held = False
        if self._is_due:
            self._is_due = False
            raise KeyboardInterrupt
