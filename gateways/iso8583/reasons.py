"""Why connections ended, in the log: a few lines a second, for whoever sends rubbish sends much of it."""

import logging
from collections.abc import Callable

LINES_MAX, EACH_S = 5, 1.0
log = logging.getLogger("pinion.doors")


class Reasons:
    """Tells reasons; time : seconds, never back."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._until = 0.0
        self._told = 0
        self._untold = 0

    def tell(self, who: str, reason: str) -> None:
        """Log why a connection ended, or count it where there were enough lines for now."""
        now = self._time()
        if now >= self._until:
            if self._untold:
                log.warning("%d more connections over ISO 8583 ended within %g s", self._untold, EACH_S)
            self._until, self._told, self._untold = now + EACH_S, 0, 0
        if self._told == LINES_MAX:
            self._untold += 1
            return
        self._told += 1
        log.warning("a connection over ISO 8583 of %s was ended: %s", who, reason)
