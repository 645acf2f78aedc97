"""Between the sockets and the disk: pairs in the order of arrival, a bounded queue, a thread that writes.

    arrived, answered -> Arrivals (order) -> Keeper.offer (bounded) -> thread -> RecordWriter

Nobody waits for the disk. A pair for which the queue has no room is dropped and counted. A request that is
not answered holds back those that arrived after it; where these grow too many its own pair is given up.
"""

import threading
from collections import deque
from collections.abc import Callable

from pinion.capture.records import Record
from pinion.capture.writer import RecordWriter

QUEUED_BYTES_MAX = 1 << 26
HELD_BYTES_MAX = 1 << 26
PAIR_BYTES = 1024
"""What a pair costs beside its bodies."""
BATCH_MAX = 32
"""So many pairs are encoded at once: the sockets' thread waits for that long at most."""
PAUSE_S = 0.02


class Place:
    """The place of a request in the order of arrival."""

    __slots__ = ("is_closed", "pair", "size")

    def __init__(self) -> None:
        self.is_closed = False
        self.pair: Record | None = None
        self.size = 0


class Arrivals:
    """Puts pairs, which come once they are answered, in the order in which their requests arrived.

    offer : takes each pair, None for one that is dropped, and its size in bytes
    """

    def __init__(self, offer: Callable[[Record | None, int], None]) -> None:
        self._offer = offer
        self._places: deque[Place] = deque()
        self._held_bytes = 0

    def arrived(self) -> Place:
        """Return the place of a request that arrives now."""
        place = Place()
        self._places.append(place)
        return place

    def close(self, place: Place, pair: Record | None, size: int) -> None:
        """Give a place its pair, None where that is dropped; no effect where it was given up.

        size : of what is kept in bytes
        """
        if place.is_closed:
            return
        place.is_closed, place.pair, place.size = True, pair, size
        self._held_bytes += size
        self._pass_on()
        while self._held_bytes > HELD_BYTES_MAX:
            self._places[0].is_closed = True
            self._pass_on()

    def _pass_on(self) -> None:
        while self._places and self._places[0].is_closed:
            place = self._places.popleft()
            self._held_bytes -= place.size
            self._offer(place.pair, place.size)


class Keeper:
    """Takes pairs from the thread of the sockets and writes them in another one.

    limit : so many pairs are kept, None: all
    """

    def __init__(self, writer: RecordWriter, limit: int | None = None) -> None:
        self.writer = writer
        self._limit = limit
        self._queue: deque[tuple[int, Record, int]] = deque()
        self._missing = 0
        self._offered_bytes = self._written_bytes = 0
        self._is_ending = threading.Event()

    @property
    def dropped(self) -> int:
        """How many pairs are dropped so far."""
        return self.writer.dropped + self._missing

    def offer(self, pair: Record | None, size: int) -> None:
        """Take a pair to be written, or drop it where there is no room; None is a dropped one."""
        if pair is None or self._offered_bytes - self._written_bytes + size > QUEUED_BYTES_MAX:
            self._missing += 1
            return
        self._offered_bytes += size
        self._queue.append((self._missing, pair, size))
        self._missing = 0

    def end(self) -> None:
        """Have `run` return once everything is written."""
        self._is_ending.set()

    def run(self) -> None:
        """Write what is offered until the end, or until there are as many pairs as the limit says."""
        while not self._is_full:
            is_ending = self._is_ending.wait(PAUSE_S)
            while self._queue and not self._is_full:
                self._write_batch()
            if is_ending:
                break
        if not self._is_full:
            self.writer.append((), self._missing)
            self._missing = 0

    @property
    def _is_full(self) -> bool:
        return self._limit is not None and self.writer.records >= self._limit

    def _write_batch(self) -> None:
        """Write what stands first in the queue, up to where pairs are missing."""
        room = BATCH_MAX if self._limit is None else min(BATCH_MAX, self._limit - self.writer.records)
        missing, pair, size = self._queue.popleft()
        pairs = [pair]
        while self._queue and len(pairs) < room and not self._queue[0][0]:
            _, pair, more = self._queue.popleft()
            pairs.append(pair)
            size += more
        self.writer.append(pairs, missing)
        self._written_bytes += size
