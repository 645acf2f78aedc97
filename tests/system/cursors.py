"""The cursors of a running instance, looked at all the time: what must hold between them, and over time.

    snapshot, shadow, history, JT <= D <= J      applied <= J      E <= intent      E <= events(J)

None of the words ever decreases within an epoch, so of two that must be in order the lower one is
read first: it can only have fallen behind since.
"""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.contract import instance
from engine.contract.control_words import DURABLE
from engine.contract.instance import HISTORY, SHADOW, WORKER, PortError, counter_name
from ringbuf.atomics import load_acquire
from ringbuf.layout import END, INTENT, PUBLISHED, RELEASED
from tests.system.journaled import Journaled

LOOK_AGAIN_S = 0.001
SAMPLES_OF_ONE_LOOK = 5
FOLLOWERS = (
    *(counter_name(SHADOW, "snapshot_seq"), counter_name(SHADOW, "seq")),
    *(counter_name(HISTORY, "seq"), counter_name(HISTORY, "complete_seq")),
)
APPLIED = counter_name(WORKER, "commands")
GROWING = ("JT", "D", "J", "E", "intent")


class Cursors(threading.Thread):
    """Samples until told to stop, epoch after epoch, and notes what it should not have seen."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(name="cursors", daemon=True)
        self.wrong: list[str] = []
        self.sample_count = 0
        self._data_dir = data_dir
        self._stopping = threading.Event()
        self._durable: dict[int, int] = {}  # epoch -> the last D seen
        self._events: dict[tuple[int, int], int] = {}  # (epoch, J) -> the greatest E seen before it

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(LOOK_AGAIN_S):
            with suppress(PortError):  # nothing runs at the moment
                found = instance.read(self._data_dir)
                # Before the first worker has recovered, J does not yet stand where the files end.
                if any(each.name == SHADOW for each in found.processes):
                    self._watch(found)

    def _watch(self, found: instance.Instance) -> None:
        """Sample as long as this epoch is the present one."""
        words = instance.attach_journal(found).control, instance.attach_events(found).control
        counters = instance.attach_counters(found)
        before = dict.fromkeys(GROWING, 0)
        while instance.read(self._data_dir).epoch == found.epoch and not self._stopping.wait(LOOK_AGAIN_S):
            for _ in range(SAMPLES_OF_ONE_LOOK):
                before = self._sample(found.epoch, words, counters, before)

    def _sample(self, epoch: int, words: Any, counters: Any, before: dict[str, int]) -> dict[str, int]:
        journal, events = words
        followers = {name: counters[name] for name in FOLLOWERS if name in counters}
        tail = int(load_acquire(journal, RELEASED))
        durable = int(load_acquire(journal, DURABLE))
        applied = counters[APPLIED]
        end = int(load_acquire(events, END))
        intent = int(load_acquire(events, INTENT))
        head = int(load_acquire(journal, PUBLISHED))
        now = {"JT": tail, "D": durable, "J": head, "E": end, "intent": intent}
        if not max(tail, *followers.values()) <= durable <= head or applied > head or end > intent:
            self.wrong.append(f"epoch {epoch}: {now}, applied {applied}, {followers}")
        if any(now[name] < before[name] for name in GROWING):
            self.wrong.append(f"epoch {epoch}: {now} after {before}")
        self._durable[epoch] = durable
        self._events[epoch, head] = max(end, self._events.get((epoch, head), 0))
        self.sample_count += 1
        return now

    def check(self, record: Journaled) -> None:
        """Hold what was seen against the journal: D was on the disk, E no further than what J makes."""
        assert not self.wrong, "\n".join(self.wrong[:10])
        last_of = {
            int(epoch): int(seq) for epoch, seq in zip(record.epochs, record.entries["seq"], strict=True)
        }
        for epoch, durable in self._durable.items():
            last = max((seq for other, seq in last_of.items() if other <= epoch), default=0)
            assert durable <= last, f"epoch {epoch}: D was {durable}, the journal then ended at {last}"
        for (epoch, head), end in self._events.items():
            # What was in the ring when everything died is not known; nor what it made.
            if head <= last_of.get(epoch, 0):
                assert end <= record.slot_ends[head], (
                    f"epoch {epoch}: E {end} before J {head}: {record.slot_ends[head]}"
                )
