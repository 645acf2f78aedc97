"""The instance file, kept up to date: a full disk delays that, and nothing else."""

import logging
from collections.abc import Callable

from engine.contract import instance
from engine.contract.instance import INSTANCE_FILE, Instance

log = logging.getLogger(__name__)


class Announcement:
    """The writer of the instance file; a reader of an old one finds a process gone, and looks again."""

    def __init__(self, describe: Callable[[], Instance]) -> None:
        self._describe = describe
        self.is_late = False
        """Whether it has to be written anew."""
        self._is_refused = False

    def write(self) -> None:
        """Write the instance file anew, or note that it is late."""
        try:
            instance.write(self._describe())
            self.is_late = self._is_refused = False
        except OSError as error:
            if not self._is_refused:
                log.error("%s cannot be brought up to date, trying again: %s", INSTANCE_FILE, error)
            self.is_late = self._is_refused = True

    def catch_up(self) -> None:
        """Try again what could not be written."""
        if self.is_late:
            self.write()
