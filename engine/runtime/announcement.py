"""The instance file, kept up to date: a full disk delays that, and nothing else."""

import logging
from collections.abc import Callable

from engine import instance
from engine.instance import INSTANCE_FILE, Instance

log = logging.getLogger(__name__)


class Announcement:
    """Says who runs where. Who reads an old one finds a process gone, and looks again."""

    def __init__(self, describe: Callable[[], Instance]) -> None:
        self._describe = describe
        self._is_late = False

    def write(self) -> None:
        """Write it anew, or note that it is late."""
        try:
            instance.write(self._describe())
            self._is_late = False
        except OSError as error:
            if not self._is_late:
                log.error("%s cannot be brought up to date, trying again: %s", INSTANCE_FILE, error)
            self._is_late = True

    def catch_up(self) -> None:
        """Try again what could not be written."""
        if self._is_late:
            self.write()
