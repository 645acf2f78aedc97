"""The place of open files and folders: whether they still lie where the next start would look for them."""

import logging
import os
from pathlib import Path

from engine.contract.latch import LATCH_GONE, LATCH_TEXTS
from engine.runtime.shared_memory import Segments

log = logging.getLogger(__name__)


def is_in_place(path: Path, descriptor: int) -> bool:
    """Tell whether `path` leads to what is open as `descriptor`.

    Where that cannot be told, as without permission, it counts as in place: it is not gone.
    """
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    own = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)


class HeldFolder:
    """The data folder of a running instance, held open: its move or removal is noticed, and told once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._was_in_place = True

    def look(self, segments: Segments) -> bool:
        """Tell whether the folder is in its place; where it is not, latch the engine."""
        is_there = is_in_place(self.path, self.descriptor)
        if self._was_in_place and not is_there:
            stops = segments.settings.durability == "sync"
            if stops and not segments.is_latched:
                segments.latch(LATCH_GONE)
            what = "nothing more is accepted and" if stops else "the engine goes on, but"
            mend = "stop, bring it back, start again"
            log.critical("%s: %s: %s no process is started again; %s",
                         self.path, LATCH_TEXTS[LATCH_GONE], what, mend)  # fmt: skip
        self._was_in_place = is_there
        return is_there

    def close(self) -> None:
        """Close the folder."""
        os.close(self.descriptor)
