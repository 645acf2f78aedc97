"""What `/v1/status`, `/v1/latency` and the `status` channel say of the instance."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.process.documents import Document
from api.process.live import Counts
from engine.contract import instance
from engine.contract.instance import Instance, NoInstanceError, PortError
from engine.contract.latch import LATCH_GONE, LATCH_TEXTS
from engine.contract.port import EventReader
from engine.contract.readiness import Readiness, Trouble
from ringbuf.atomics import load_acquire
from ringbuf.layout import PUBLISHED, RELEASED

PERCENTILES = (50.0, 90.0, 99.0, 99.9, 100.0)
RATED = {"commands": "worker.commands", "events": "worker.events"}
"""Rates and the counters they come from."""
HEARTBEAT = ".heartbeat"
RATE_MIN_S = 0.2
RING_WAIT = "from the door's stamp on the command to the engine's clock reading of its batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfApplication:
    """What a status tells of the application beyond what it tells of any."""

    counts: Callable[[], Document]
    """Numbers of its state."""
    counted: Callable[[], dict[str, int]]
    """What it counts in its state and tells the rate of."""
    step: str
    """What its kernel does with a command."""
    lost: str
    """What nobody has any more where nothing is written to disk."""


class StatusReport:
    """Status documents; keeps the last counts for rates."""

    def __init__(
        self,
        *,
        data_dir: Path,
        reader: EventReader,
        view: Counts,
        own: Callable[[], Document],
        of_application: OfApplication,
    ) -> None:
        self._data_dir = data_dir
        self._reader = reader
        self._view = view
        self._own = own
        self._of_application = of_application
        self._commands = instance.attach_commands(instance.read(data_dir)).slots[0]["rings"]
        self._running = instance.read(data_dir)
        self.readiness = Readiness(reader)
        self._rated_at = time.monotonic()
        self._rated = self._counts()
        self._rates: dict[str, float] = dict.fromkeys(self._rated, 0.0)

    def document(self) -> Document:
        """Return processes, rings, durability, lag and rates."""
        running = self.running()
        # First: seq only grows, so it is never below what is durable.
        durable_seq = self._reader.durable_seq()
        seq = self._view.seq
        troubles = self.troubles()
        blocking = [each.detail for each in troubles if each.blocks]
        document: Document = {
            "epoch": running.epoch,
            "application": running.application,
            "config": running.config,
            "started_at": running.started_at,
            "uptime_s": round((time.time_ns() - running.started_at) / 1e9, 3),
            "durability": running.durability,
            "latched": self.readiness.latched(),
            "ready": not blocking,
            "troubles": troubles,
            "warning": "; ".join(blocking) or self._durability_warning(running.durability),
            "seq": seq,
            "durable_seq": durable_seq,
            "eng_ts": self._view.eng_ts,
            "processes": [
                {"name": each.name, "pid": each.pid, "heartbeat_age_ms": self._heartbeat_age_ms(each.name)}
                for each in running.processes
            ],
            "endings": running.endings,
            "rings": [
                {"name": name, "depth": depth, "capacity": running.command_slots}
                for name, depth in zip(running.rings, self.ring_depths(), strict=True)
            ],
            "lag": {
                "durable_commands": max(0, seq - durable_seq),
                "history": self._history_lag(running.history, durable_seq),
            },
            "rates": self._rates_now(),
            "counters": self.counters(),
            **self._of_application.counts(),
            "capacities": {
                name: {"used": used, "capacity": capacity}
                for name, (used, capacity) in self._view.capacity_use().items()
            },
            "api": self._own() | {"events_missed": self._reader.lost, "laps": self._reader.laps},
        }
        return document

    def running(self) -> Instance:
        """Return what the instance file says, which is rewritten whenever a process ends or starts."""
        try:
            self._running = instance.read(self._data_dir)
        except NoInstanceError:  # we run on it: its advice to start one would be wrong
            gone = LATCH_TEXTS[LATCH_GONE]
            self._unreadable = f"{self._data_dir}: {gone}; stop the instance, bring it back, start again"
        except PortError as error:  # the data folder is out of reach: what was known last
            self._unreadable = str(error)
        else:
            self._unreadable = ""
        return self._running

    def troubles(self) -> list[Trouble]:
        """Return all that is not as it should be, what blocks first."""
        found = self.readiness.troubles(self.running())
        if self._unreadable:
            found.append(Trouble(reason="folder", detail=self._unreadable, blocks=False))
        return found

    def _history_lag(self, dsn: str, durable_seq: int) -> int | None:
        """Return how many durable commands came since the database lacked none that did anything.

        None where there is no history.
        """
        return max(0, durable_seq - self._reader.counters()["history.complete_seq"]) if dsn else None

    def latency(self) -> Document:
        """Return the histogram of every stage, in nanoseconds."""
        stages, meanings = {}, {"ring_wait": RING_WAIT, "step": self._of_application.step}
        for name, histogram in self._reader.histograms().items():
            stages[name] = {
                "meaning": meanings.get(name, name),
                "count": histogram.count,
                "percentiles_ns": {f"p{share:g}": histogram.percentile(share) for share in PERCENTILES},
                "buckets": [
                    {"upper_ns": upper_ns, "count": count} for upper_ns, count in histogram.buckets()
                ],
            }
        return {"unit": "ns", "stages": stages}

    def ring_depths(self) -> list[int]:
        """Return how many commands wait in each command ring."""
        return [
            max(0, int(load_acquire(ring["control"], PUBLISHED) - load_acquire(ring["control"], RELEASED)))
            for ring in self._commands
        ]

    def counters(self) -> dict[str, int]:
        """Return every counter that counts something."""
        counters = self._reader.counters()
        return {name: counters[name] for name in counters if not name.endswith(HEARTBEAT)}

    def silence_ns(self, process: str) -> int | None:
        """Return how long ago a process gave its last sign of life, None if it gives none."""
        name = process + HEARTBEAT
        counters = self._reader.counters()
        return counters.age_ns(name) if name in counters else None

    def _heartbeat_age_ms(self, process: str) -> float | None:
        silent_ns = self.silence_ns(process)
        return None if silent_ns is None else round(silent_ns / 1e6, 1)

    def _counts(self) -> dict[str, int]:
        counters = self._reader.counters()
        counts = {name: counters[counter] for name, counter in RATED.items()}
        return counts | self._of_application.counted()

    def _rates_now(self) -> Document:
        now = time.monotonic()
        elapsed_s = now - self._rated_at
        if elapsed_s >= RATE_MIN_S:
            counts = self._counts()
            self._rates = {
                name: round((count - self._rated[name]) / elapsed_s, 1) for name, count in counts.items()
            }
            self._rated, self._rated_at = counts, now
        return {f"{name}_per_s": rate for name, rate in self._rates.items()}

    def _durability_warning(self, durability: str) -> str | None:
        """Say plainly what a mode that does not wait for the disk means."""
        if durability == "sync":
            return None
        return (
            f"durability mode {durability!r}: nothing is written to disk; "
            f"{self._of_application.lost} are lost when the instance stops"
        )
