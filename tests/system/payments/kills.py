"""Rounds in which a process is killed under load: python -m tests.system.payments.kills --rounds 100.

In a round clients ask for payments and more (clients.py), one or all processes are killed at a random
moment, and once everything lives again the clients ask for all that they were told once more. At the
end the journal is replayed: worker, shadow and replay have one state, and it has what clients know.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.contract import instance
from engine.contract.instance import HISTORY, PortError, counter_name
from engine.contract.port import EventReader
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.history.projection import PaymentsProjection
from engine.payments.kernels.digest import used_of
from tests.engine.payments.history.rows import TABLES
from tests.payments.books import money_lost
from tests.system.cursors import Cursors
from tests.system.history_rows import compare_rows
from tests.system.journaled import Journaled
from tests.system.payments.clients import Client, set_up_of
from tests.system.payments.running import RunningPayments, write_settings
from tests.system.payments.tools import digest_at, pinion
from tests.system.running import await_true, is_running

CLIENTS = 4
SUPERVISOR = "supervisor"
TOGETHER = ("worker and journaler", "all")
"""What is killed beside each process alone."""
WAIT_S = 120.0
Start = Callable[[], RunningPayments]


class Player(Protocol):
    """Who asks for payments while processes die, and knows what it was told."""

    faults: list[str]
    counts: Counter[str]

    @property
    def known(self) -> Collection[str]:
        """The ids of all payments that it was told of."""

    def play(self, stopping: threading.Event) -> None:
        """Ask until told to stop, and end once the last request was answered."""

    def check(self) -> None:
        """Ask again: everything is as it was told."""

    def close(self) -> None:
        """Close its connections."""


MakePlayer = Callable[[Path, str, int, int], Player]
"""Makes one of a data folder, its key, a number of its own and a seed."""


@dataclass
class Report:
    """What the rounds came to."""

    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    payments: int = 0
    recovery_s_max: dict[str, float] = field(default_factory=dict)
    looks: int = 0
    """At the cursors."""
    rows: int = 0
    """Of the database, all as a fresh projection makes them."""
    digest: str = ""

    def __str__(self) -> str:
        lines = [f"{'killed':24}{'times':>8}{'longest s':>11}"]
        lines += [f"{of:24}{n:8}{self.recovery_s_max[of]:11.1f}" for of, n in sorted(self.killed.items())]
        counts = ", ".join(f"{name} {count:,}" for name, count in sorted(self.counts.items()))
        lines += [
            f"{self.rounds} rounds, {self.payments:,} payments; {counts}",
            f"{self.looks:,} looks at the cursors; {self.rows:,} rows of history, as a fresh projection's",
            f"worker, shadow and replay have the digest {self.digest}",
        ]
        return "\n".join(lines)


class Kills:
    """An instance under load whose processes are killed.

    start : starts it, and again
    player : makes each of those who ask
    """

    def __init__(self, start: Start, data_dir: Path, seed: int, player: MakePlayer = Client) -> None:
        self._start = start
        self._data_dir = data_dir
        self._random = random.Random(seed)
        self._running = start()
        self._running.await_ready()
        self._names = {each.name for each in instance.read(data_dir).processes}
        self._cursors = Cursors(data_dir)
        self._clients = [player(data_dir, self._running.key, number, seed) for number in range(CLIENTS)]
        self.victims = (*sorted(self._names), *TOGETHER)
        self.report = Report()

    def run(self, rounds: int) -> Report:
        """Play the rounds, look at everything, stop the instance, and return what was seen."""
        self._cursors.start()
        for number in range(rounds):
            all_once = number < len(self.victims)
            victim = self.victims[number] if all_once else self._random.choice(self.victims)
            self._round(victim)
        if HISTORY in self._names:
            await_true(self._has_followed, "history has all that was answered", WAIT_S)
        told = json.loads(pinion("digest", "--data", str(self._data_dir), "--wait", str(WAIT_S)))
        assert self._running.stop() == 0, self._running.errors.read_text()
        self._cursors.stop()
        self._cursors.join()
        record = self._checked_journal(told["seq"], told["digest"])
        if HISTORY in self._names:
            rows = compare_rows(self._data_dir, record, PaymentsProjection(), TABLES)
            self.report.rows = asyncio.run(rows)
        return self.report

    def close(self) -> None:
        """Leave nothing behind."""
        self._cursors.stop()
        for client in self._clients:
            client.close()

    def _round(self, victim: str) -> None:
        stopping = threading.Event()
        with ThreadPoolExecutor(len(self._clients)) as pool:
            playing = [pool.submit(client.play, stopping) for client in self._clients]
            try:
                time.sleep(self._random.uniform(0.05, 0.6))
                self._kill(victim)
                time.sleep(self._random.uniform(0.05, 0.3))
            finally:
                stopping.set()
            for each in playing:
                each.result()
            for each in [pool.submit(client.check) for client in self._clients]:
                each.result()
        faults = [fault for client in self._clients for fault in client.faults]
        assert not faults, f"behind the death of {victim}: " + "\n".join(faults[:10])
        self.report.rounds += 1

    def _kill(self, victim: str) -> None:
        """Kill -9 and wait until everything lives again."""
        began = time.monotonic()
        pids = {each.name: each.pid for each in instance.read(self._data_dir).processes}
        names = list(pids) if victim == "all" else victim.split(" and ")
        for name in names:
            with suppress(ProcessLookupError):
                os.kill(pids[name], signal.SIGKILL)
        if SUPERVISOR in names:
            self._running.process.wait()
            await_true(lambda: not any(map(is_running, pids.values())), "the children end", WAIT_S)
            self._running = self._start()
            self._running.await_ready()
        await_true(lambda: self._is_whole(pids, names), f"all live again behind {victim}", WAIT_S)
        self.report.killed[victim] += 1
        longest = self.report.recovery_s_max
        longest[victim] = max(longest.get(victim, 0.0), time.monotonic() - began)

    def _is_whole(self, before: dict[str, int], killed: Sequence[str]) -> bool:
        """Tell whether every process lives, those that were killed as new ones that are ready."""
        try:
            now = {each.name: each.pid for each in instance.read(self._data_dir).processes}
        except PortError:
            return False
        are_new = all(now.get(name) != before[name] for name in killed)
        return are_new and now.keys() == self._names and all(map(is_running, now.values()))

    def _has_followed(self) -> bool:
        with EventReader.attach(self._data_dir) as reader:
            last = max(int(name.removeprefix("a-")) for each in self._clients for name in each.known)
            return int(reader.counters()[counter_name(HISTORY, "complete_seq")]) >= last

    def _checked_journal(self, seq: int, digest: str) -> Journaled:
        """Hold the journal against the clients, the cursors and the digest of worker and shadow at seq."""
        errors = self._running.errors.read_text()
        assert "the shadow stops" not in errors, errors
        pinion("journal", "verify", str(self._data_dir))
        record = Journaled(self._data_dir, payments(Capacities()))
        record.check_order()
        self._cursors.check(record)
        assert digest_at(self._data_dir, seq) == digest
        known = {name for client in self._clients for name in client.known}
        s = record.state[0]
        rows = s["payments"][: used_of(s, "payments")]
        assert sorted(int(name.removeprefix("a-")) for name in known) == sorted(rows["payment"].tolist())
        assert money_lost(record.state) == {}
        self.report.payments, self.report.digest = len(known), digest
        self.report.looks = self._cursors.sample_count
        for client in self._clients:
            self.report.counts += client.counts
        return record


def play(folder: Path, rounds: int, seed: int) -> Report:
    """Start an instance within a folder, play the rounds, and leave nothing running."""
    data_dir = folder / "data"
    options = write_settings(folder, set_up_of(CLIENTS))
    started: list[RunningPayments] = []

    def start() -> RunningPayments:
        started.append(RunningPayments(data_dir, *options))
        return started[-1]

    try:
        kills = Kills(start, data_dir, seed)
        try:
            return kills.run(rounds)
        finally:
            kills.close()
    finally:
        for each in started:
            each.clean_up()


def main() -> None:
    """Play as many rounds as the command line says and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(play(Path(folder), args.rounds, args.seed))


if __name__ == "__main__":
    main()
