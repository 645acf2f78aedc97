"""The command rings that feeders claim from outside, and how the supervisor takes them back."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.contract import instance
from ringbuf.segment import process_start

log = logging.getLogger(__name__)


class Spares:
    """The spare rings of an instance, and who holds each.

    on_freed : called with the ring's name when its holder gave it back or died, and whether nobody else
        holds it by now
    """

    def __init__(self, data_dir: Path, rings: Sequence[str], on_freed: Callable[[str, bool], None]) -> None:
        self._data_dir = data_dir
        self._rings = rings
        self._on_freed = on_freed
        self._claims: dict[str, tuple[int, int | None]] = {}

    def reclaim(self) -> None:
        """Take back the rings whose holder is gone, and note who holds the others."""
        for ring in self._rings:
            holder = _ring_holder(instance.ring_lock_path(self._data_dir, ring))
            known = self._claims.get(ring)
            if known is not None and (holder is None or holder != known):
                self._on_freed(ring, holder is None)
                log.info("command ring %s is free again (process %d is gone)", ring, known[0])
                del self._claims[ring]
            if holder is not None:
                self._claims[ring] = holder


def _ring_holder(path: Path) -> tuple[int, int | None] | None:
    """Return (pid, start time) of the living process that a ring's lock file names."""
    try:
        pid = int(json.loads(path.read_bytes())["pid"])
    except (OSError, ValueError, KeyError):  # no such file, or the folder is out of reach
        return None
    start = process_start(pid)
    return None if start is None else (pid, start)
