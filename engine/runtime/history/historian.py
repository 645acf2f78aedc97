"""The history process: follows the journal with a replica of its own, writes what it adds to PostgreSQL.

    journal --> replica --> projection --> history --> PostgreSQL
                 a batch is made ready in a thread while the one before it is written

Apart from the shadow, because a database that is down must not stop the verification. The engine
never waits for it: while the database cannot be reached, at most two batches are kept ready and
the journal keeps the rest. The mark in the database alone says where to go on, so whatever was
killed in between, nothing is missing and nothing is there twice.

Commands that made no event, such as the ticks of a quiet time, are held back until one comes that did,
or for SILENCE_NS: a transaction for each of them would be most of what an idle instance does. A stop
writes what is held, so that the next start goes on at the last snapshot.
"""

import asyncio
import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from engine.contract.projection import Batch, Projection
from engine.runtime.history.tables import FAILURES, History, HistoryError, Mark, unless

log = logging.getLogger(__name__)

Found = TypeVar("Found")

BATCH_COMMANDS = 2**16
PACE_S = 0.1
"""Behind a batch that took all there was: fewer transactions, and history is late by this much."""
QUIET_PACE_S = 0.25
"""The longest pace, after some looks in vain: each is a process that wakes up for nothing."""
PACE_GROWTH = 1.25
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0
PIECE_COMMANDS = 2**12
"""Replayed without a look at the stop: some 20 ms, ten times that where others need the cores."""
FEW_COMMANDS = 2**6
"""They are replayed sooner than a thread is woken up for them."""
BEAT_S = 0.2
"""Between two signs of life while a replica is brought to the mark."""
SILENCE_NS = 30_000_000_000
"""The most time between the first and the last of the commands held back, by their own clock."""
LAST_WRITE_S = 2.0
"""What a stop gives the database to take what was held back."""
DIGEST_BYTES = 16


GoOn = Callable[[], None]


class Stopped(Exception):  # noqa: N818  not an error: what was asked for
    """Exception by which what is going on is given up, because a stop is wanted."""


class CommandSource(Protocol):
    """The durable journal as the historian reads it."""

    def durable_seq(self) -> int:
        """Return the last seq that can no longer be lost."""

    def read(self, first_seq: int, limit: int, go_on: GoOn) -> npt.NDArray[Any]:
        """Return JOURNAL_ENTRY[n] from first_seq on, dense, 1 to `limit` of them; all are durable.

        go_on : called every few thousand commands while looking for first_seq; it raises to give up
        """


class FollowingReplica(Protocol):
    """A private state to which entries of the journal are applied (engine.contract.replica.Replica)."""

    state: npt.NDArray[Any]

    @property
    def seq(self) -> int:
        """The last command applied."""

    def apply(self, records: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Apply JOURNAL_ENTRY[n]; return their events, EVENT[m]."""


Report = Callable[[int, int, str], None]
"""report(seq, complete_seq, error): history goes to seq and lacks no event up to complete_seq; "" = no error.

Where the database was not reached yet, both are the seq that was known before."""


@dataclass(frozen=True, slots=True)
class _Ready:
    batch: Batch
    digest: bytes
    has_more: bool
    """More was durable than the batch took."""


class Historian:
    """Writer of history: follows the journal until it is stopped, and tries a lost database again, forever.

    Parameters
    ----------
    new_replica : given the seq that history goes to, returns a replica at or before it
    report : called when the mark is known, several times a second until a replica is there, after
        every batch, and whenever something goes wrong
    known_seq : how far history went when somebody knew last, reported until the database tells
    folder : of the journal; where it is gone that is said, once, and not everything that fails of it
    """

    def __init__(
        self,
        *,
        dsn: str,
        source: CommandSource,
        projection: Projection,
        new_replica: Callable[[int], FollowingReplica],
        report: Report,
        batch_commands: int = BATCH_COMMANDS,
        pace_s: float = PACE_S,
        known_seq: int = 0,
        folder: Path | None = None,
    ) -> None:
        self._dsn = dsn
        self._source = source
        self._projection = projection
        self._new_replica = new_replica
        self._report = report
        self._batch_commands = batch_commands
        self._pace_s = self._rest_s = pace_s
        self._replica: FollowingReplica | None = None
        self._ready: deque[_Ready] = deque()
        self._held: npt.NDArray[Any] | None = None
        """Entries that the replica has applied and no batch holds: the last ones, without an event."""
        self._no_events: npt.NDArray[Any] = np.zeros(0)
        self._seq = known_seq
        self._folder = folder
        self._is_reached = False
        self._stop = threading.Event()
        self._retry_s = RETRY_FIRST_S
        self._last_error = ""
        self._history: History | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`; a batch being written then is given up, the next start writes it.

        What is held back is written, where the database takes it soon.
        An error that is not the database's is raised: a damaged journal, or a fault of ours.
        """
        cutting = asyncio.create_task(self._cut_at(stop), name="stop")
        try:
            while not stop.is_set():
                try:
                    await self._follow_once(stop)
                except Stopped:
                    break
                except (*FAILURES, HistoryError) as error:
                    if not stop.is_set():
                        self._note(error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._retry_s)
                self._retry_s = min(2 * self._retry_s, RETRY_MAX_S)
        finally:
            cutting.cancel()

    async def _cut_at(self, stop: asyncio.Event) -> None:
        """At a stop, tell the thread and drop the connection: a hanging server would not answer a cancel."""
        await stop.wait()
        self._stop.set()
        if self._held is not None:
            await asyncio.sleep(LAST_WRITE_S)  # cut short by the end of all that is written
        if self._history is not None:
            self._history.abort()

    def _go_on(self) -> None:
        """Raise Stopped at a stop; for the thread."""
        if self._stop.is_set():
            raise Stopped

    def _note(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if self._folder is not None and not self._folder.is_dir():  # whatever failed, failed of that
            text = f"{self._folder} is gone: stop the instance, bring it back, start again"
        if text != self._last_error:  # once, not at every attempt of a long outage
            stands = f"stands at seq {self._seq}" if self._is_reached else "was not reached yet"
            log.warning("history %s, trying again: %s", stands, text)
        self._last_error = text
        self._say(text)

    async def _follow_once(self, stop: asyncio.Event) -> None:
        """Follow over one connection, until it fails or is cut."""
        # A server that hangs answers no sooner than it likes.
        async with await unless(stop, History.connect(self._dsn), Stopped()) as history:
            self._history = history
            # One task serves all rests: a new one for each would be most of what a rest costs.
            stopping = asyncio.create_task(stop.wait(), name="rest")
            try:
                await history.migrate(self._projection.migrations, self._projection.session)
                await self._find_place(await history.mark())
                while not stop.is_set():
                    seq = self._seq
                    if not await self._step(history):
                        await self._rest(stopping, is_quiet=self._seq == seq)
                if self._held is not None and not self._ready:
                    self._ready.append(self._ready_of(self._held, self._no_events, has_more=False))
                    await self._write_oldest(history)
            finally:
                stopping.cancel()
                self._history = None

    async def _rest(self, stopping: asyncio.Task[bool], is_quiet: bool) -> None:
        """Wait for more, the longer the longer nothing was written."""
        longer_s = min(self._rest_s * PACE_GROWTH, max(self._pace_s, QUIET_PACE_S))
        self._rest_s = longer_s if is_quiet else self._pace_s
        await asyncio.wait((stopping,), timeout=self._rest_s)

    async def _find_place(self, mark: Mark) -> None:
        """Bring the replica to the mark; what is ready and not in the database yet stays ready."""
        self._seq, self._is_reached = mark.seq, True
        self._say("")
        durable_seq = self._source.durable_seq()
        if mark.seq > durable_seq:
            raise HistoryError(
                f"history goes to seq {mark.seq}, the journal to {durable_seq}: the database belongs to "
                f"another journal; give it an empty database, or the right data folder"
            )
        if mark.seq and await self._beside(self._digest_at, mark.seq) != mark.digest:
            raise HistoryError(
                f"command {mark.seq} of the journal is not the one that history ends with: the database "
                f"belongs to another journal; give it an empty database, or the right data folder"
            )
        while self._ready and self._ready[0].batch.last_seq <= mark.seq:
            self._ready.popleft()
        if self._replica is None or self._first_unwritten() != mark.seq + 1:
            self._ready.clear()
            self._held = None
            log.info("history stands at seq %d of %d: a replica is brought there", mark.seq, durable_seq)
            self._replica = await self._beside(self._replica_at, mark.seq)
            log.info("history goes on behind seq %d", mark.seq)

    def _first_unwritten(self) -> int:
        """Return the first seq that the database has not, as far as was noted here."""
        assert self._replica is not None
        if self._ready:
            return self._ready[0].batch.first_seq
        return self._replica.seq + 1 if self._held is None else int(self._held["seq"][0])

    async def _beside(self, function: Callable[[int], Found], seq: int) -> Found:
        """Call `function` in a thread, with signs of life meanwhile; raise Stopped where that gave up."""
        call = asyncio.create_task(asyncio.to_thread(function, seq))
        while not (await asyncio.wait((call,), timeout=BEAT_S))[0]:
            self._say("")
        return call.result()

    def _digest_at(self, seq: int) -> bytes:
        return digest_of(self._source.read(seq, 1, self._go_on))

    def _replica_at(self, seq: int) -> FollowingReplica:
        self._go_on()
        replica = self._new_replica(seq)
        while replica.seq < seq:
            entries = self._source.read(replica.seq + 1, min(seq - replica.seq, PIECE_COMMANDS), self._go_on)
            replica.apply(entries)
            self._go_on()
        assert replica.seq == seq, "a replica begins at the mark or before it"
        self._projection.open(replica.state)
        return replica

    async def _step(self, history: History) -> bool:
        """Write a batch while the next is made ready; tell whether there is more to do at once."""
        assert self._replica is not None
        if not self._ready and self._source.durable_seq() <= self._replica.seq:
            self._say("")  # nothing new, as mostly: without a thread
            return False
        is_first = not self._ready
        if is_first and self._source.durable_seq() - self._replica.seq <= FEW_COMMANDS:
            prepared = self._prepare()
            self._ready.extend(() if prepared is None else (prepared,))
            self._say("")
            return prepared is not None
        preparing = asyncio.create_task(asyncio.to_thread(self._prepare))
        try:
            has_more = await self._write_oldest(history)
        finally:
            # The thread changes the replica: what it makes is kept, whatever happens here but a stop.
            prepared = await preparing
            if prepared is not None:
                self._ready.append(prepared)
        self._say("")
        is_behind = any(each.has_more for each in self._ready)
        return has_more or is_behind or (is_first and prepared is not None)

    async def _write_oldest(self, history: History) -> bool:
        """Write what has been ready longest; tell whether there is more where that came from."""
        if not self._ready:
            return False
        oldest = self._ready[0]
        await history.project(oldest.batch, oldest.digest)
        self._seq = oldest.batch.last_seq
        self._retry_s = RETRY_FIRST_S
        if self._last_error:
            log.info("history goes on behind seq %d", self._seq)
            self._last_error = ""
        self._ready.popleft()
        return oldest.has_more

    def _prepare(self) -> _Ready | None:
        """Apply the next commands and make their rows; None where there are no more, or enough ready."""
        replica = self._replica
        assert replica is not None
        durable_seq = self._source.durable_seq()
        if len(self._ready) > 1 or durable_seq <= replica.seq:
            return None
        held_count = 0 if self._held is None else len(self._held)
        entries = self._source.read(replica.seq + 1, self._batch_commands - held_count, self._go_on)
        events = []
        looks = self._projection.looks(entries)
        for first, end in _pieces(len(entries), looks):
            self._go_on()
            events.append(replica.apply(entries[first:end]))
            if end - 1 in looks:
                self._projection.look(entries[end - 1], replica.state)
        self._go_on()
        made = np.concatenate(events)
        entries = entries.copy() if self._held is None else np.concatenate((self._held, entries))
        has_more = replica.seq < durable_seq
        if len(made) == 0 and not has_more and self._may_wait(entries):
            self._held, self._no_events = entries, made
            return None
        return self._ready_of(entries, made, has_more)

    def _may_wait(self, entries: npt.NDArray[Any]) -> bool:
        """Tell whether entries without an event may be held back."""
        held_ns = entries["eng_ts"][-1] - entries["eng_ts"][0]
        return len(entries) < self._batch_commands and bool(held_ns < SILENCE_NS)

    def _ready_of(self, entries: npt.NDArray[Any], events: npt.NDArray[Any], has_more: bool) -> _Ready:
        """Make the batch of all entries that are in none yet."""
        assert self._replica is not None
        batch = self._projection.batch(entries, events, self._replica.state)
        self._held = None
        return _Ready(batch, digest_of(entries), has_more)

    def _say(self, error: str) -> None:
        complete_seq = self._seq
        if self._held is not None and self._held["seq"][0] == self._seq + 1:
            complete_seq = int(self._held["seq"][-1])
        self._report(self._seq, complete_seq, error)


def _pieces(count: int, looks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of pieces of at most PIECE_COMMANDS that end behind every place of `looks`."""
    first = 0
    for stop in (*(place + 1 for place in looks), count):
        while first < stop:
            end = min(first + PIECE_COMMANDS, stop)
            yield first, end
            first = end


def digest_of(entries: npt.NDArray[Any]) -> bytes:
    """Return the digest of the last of some journal entries."""
    return hashlib.blake2b(np.asarray(entries[-1]).tobytes(), digest_size=DIGEST_BYTES).digest()
