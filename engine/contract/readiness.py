"""Readiness: whether a running instance does its work and, if not, what of it does not.

    it blocks       a command would not be answered: a latch, a rebuilt state, a disk that takes nothing,
                    a worker, journaler or door that is dead or silent
    it degrades     no command waits for it: shadow, history, database, supervisor, alarms

`/readyz`, `/metrics`, `/v1/status` and `pinion status` ask here and nowhere else, so they agree.
"""

import time

import msgspec

from engine.contract import instance
from engine.contract.control_words import DURABLE
from engine.contract.instance import (
    DATABASE,
    HISTORY,
    JOURNALER,
    SHADOW,
    SUPERVISOR,
    WORKER,
    Instance,
    counter_name,
)
from engine.contract.latch import latched_because
from engine.contract.port import EventReader
from ringbuf.atomics import load_acquire
from ringbuf.layout import PUBLISHED
from ringbuf.segment_header import process_start

BACKGROUND = (SUPERVISOR, SHADOW, DATABASE, HISTORY)
HEARTBEAT = ".heartbeat"
BEHIND = ".behind"
"""The counter of a process that says how much of what other instances have is missing here."""
OUTSIDE = ".outside"
"""The counter of a process that is 1 while other instances have no place for this one."""
STANDING = frozenset(name.removeprefix(".") for name in (BEHIND, OUTSIDE, ".stopped"))
"""Counters, without the process in front, that say how something stands; all others only grow."""
SILENT_NS_MAX = 3_000_000_000
"""Of a process that a command waits for: it beats many times a second."""
BACKGROUND_SILENT_NS_MAX = 30_000_000_000
"""Of the others: comparing whole states or waiting for a database may take seconds."""
STALLED_NS_MAX = 3_000_000_000
CLOCK_JUMPED, SHADOW_DIVERGED, SHADOW_STOPPED = "clock_jumped", "shadow_diverged", "shadow_stopped"
ALARMS = {
    CLOCK_JUMPED: (
        counter_name(WORKER, "clock_alarms"),
        "the wall clock jumped by more than 1 s: the engine goes on by the monotonic one till the next start",
    ),
    SHADOW_DIVERGED: (
        counter_name(SHADOW, "differences"),
        "worker and shadow disagree, or the journal cannot be read: see the log, keep the data folder",
    ),
    SHADOW_STOPPED: (
        counter_name(SHADOW, "stopped"),
        "the shadow follows no more and takes no snapshots: see the log; mend it, start again",
    ),
}
"""Reason -> the counter that is not 0 once it is so, and what that means."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of an instance that is not as it should be."""

    reason: str
    detail: str
    process: str | None = None
    age_s: float | None = None
    blocks: bool
    """Whether a command would not be answered."""


class Readiness:
    """The judgement of one instance, by a reader of its own; `look` often, so that a stall is noticed."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._counters = reader.counters()
        self._journal = instance.attach_journal(reader.instance).control
        self._waiting: tuple[int, int] | None = None  # D, and since when commands wait behind it

    def look(self) -> int:
        """Return for how long D has stood still while commands wait, in ns as far as looks tell."""
        durable = int(load_acquire(self._journal, DURABLE))
        if load_acquire(self._journal, PUBLISHED) <= durable:
            self._waiting = None
            return 0
        now = time.monotonic_ns()
        if self._waiting is None or self._waiting[0] != durable:
            self._waiting = durable, now
        return now - self._waiting[1]

    def latched(self) -> str | None:
        """Return why nothing more is accepted, None while everything is."""
        return latched_because(self._journal)

    def heartbeat_ages_ns(self) -> dict[str, int | None]:
        """Return how long ago each process gave its last sign of life; None: it never did."""
        names = [name for name in self._counters if name.endswith(HEARTBEAT)]
        return {name.removesuffix(HEARTBEAT): self._counters.age_ns(name) for name in names}

    def alarms(self) -> dict[str, bool]:
        """Return which alarms are raised."""
        return {reason: self._counters[counter] > 0 for reason, (counter, _) in ALARMS.items()}

    def troubles(self, running: Instance) -> list[Trouble]:
        """Return all that is not as it should be, what blocks first; nothing: all is well."""
        found = [*self._of_the_engine(), *self._of_processes(running), *self._among_others()]
        for reason, is_raised in self.alarms().items():
            if is_raised:
                found.append(Trouble(reason=reason, detail=ALARMS[reason][1], blocks=False))
        return sorted(found, key=lambda each: not each.blocks)

    def _of_the_engine(self) -> list[Trouble]:
        found = []
        latched = self.latched()
        if latched is not None:
            detail = f"the engine accepts nothing more: {latched}; mend it, then start again"
            found.append(Trouble(reason="latched", detail=detail, blocks=True))
        if self._reader.state_turn() & 1:
            detail = "the state is being rebuilt: the worker was started again"
            found.append(Trouble(reason="recovering", detail=detail, process=WORKER, blocks=True))
        stalled_ns = self.look()
        if latched is None and stalled_ns > STALLED_NS_MAX:
            detail = (
                f"nothing became durable for {stalled_ns / 1e9:.1f} s or more though commands wait behind "
                f"seq {self._reader.durable_seq()}: the journaler or its disk stands still"
            )
            age_s = round(stalled_ns / 1e9, 3)
            found.append(
                Trouble(reason="stalled", detail=detail, process=JOURNALER, age_s=age_s, blocks=True)
            )
        return found

    def _among_others(self) -> list[Trouble]:
        found = []
        for name in self._counters:
            if name.endswith(OUTSIDE) and self._counters[name] > 0:
                process = name.removesuffix(OUTSIDE)
                detail = f"other instances have no place for this one: the log of {process} says why"
                found.append(Trouble(reason="outside", detail=detail, process=process, blocks=True))
            if name.endswith(BEHIND) and (lacking := self._counters[name]) > 0:
                process = name.removesuffix(BEHIND)
                detail = (
                    f"{lacking} of what other instances have is missing here: the log of {process} says why"
                )
                found.append(Trouble(reason="behind", detail=detail, process=process, blocks=True))
        return found

    def _of_processes(self, running: Instance) -> list[Trouble]:
        pids = {each.name: each.pid for each in running.processes}
        ages_ns = self.heartbeat_ages_ns()
        needed = [name for name in ages_ns if name not in (*BACKGROUND, JOURNALER)]  # the worker, the doors
        if running.durability == "sync":
            needed.append(JOURNALER)
        names = [*needed, *(name for name in pids if name not in needed)]
        found = [
            self._of_process(running, name, pids.get(name), ages_ns.get(name), name in needed)
            for name in names
        ]
        return [each for each in found if each is not None]

    def _of_process(
        self, running: Instance, name: str, pid: int | None, age_ns: int | None, blocks: bool
    ) -> Trouble | None:
        """Judge one process, by its heartbeat alone where its pid is not known; None: all is well."""
        shown = name if pid is None else f"{name} (pid {pid})"
        age_s = None if age_ns is None else round(age_ns / 1e9, 3)
        if pid is not None and process_start(pid) is None:
            causes = [each.cause for each in running.endings if each.process == name]
            detail = f"{shown} does not run{''.join(f': {cause}' for cause in causes)}"
            return Trouble(reason="not_running", detail=detail, process=name, age_s=age_s, blocks=blocks)
        if age_ns is None:
            detail = f"{shown} has given no sign of life yet"
        elif age_ns > (SILENT_NS_MAX if blocks else BACKGROUND_SILENT_NS_MAX):
            detail = f"{shown} gave no sign of life for {age_ns / 1e9:.1f} s"
        else:
            return None
        return Trouble(reason="silent", detail=detail, process=name, age_s=age_s, blocks=blocks)
