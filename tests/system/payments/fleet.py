"""Rounds of two instances that share limits: python -m tests.system.payments.fleet --rounds 50 --seed 1.

In a round both instances take payments of one merchant, something happens to one of them or to the store,
and once that is over one of them alone goes on until it is refused. The daily limit of the merchant must
hold over both, at least nine tenths of it must have been taken, and what took longer than 100 ms is told.
Meanwhile cards of one device are spread over both: both must come to refuse the next one. And one of them
registers a set of rules, which the other one must come to have.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from engine.contract import instance
from engine.contract.instance import PortError
from engine.contract.port import attach_state
from engine.payments.application import open_folder, payments
from engine.payments.capacities import Capacities
from engine.payments.texts import words_text
from gateways.payments.door.allowances import GRANTED, USED, Allowances
from gateways.payments.hashing import Hasher, hash_words, load_key
from tests.gateways.fleet.servers import StoreServer, programs
from tests.system.journaled import Journaled
from tests.system.payments.fleet_client import FREE, Client, day_now
from tests.system.payments.running import RunningPayments
from tests.system.payments.store_proxy import StoreProxy
from tests.system.running import await_true, is_running

LIMIT, AMOUNTS = 1_000_000, (2_000, 12_000)
MODEST = LIMIT // 5
"""One client takes no more at first, so that shares have to move however fast both are."""
NAMES = ("a", "b")
SPREAD = ("a1", "b1", "a2")
"""As many cards of a device as the limit allows, and where they are seen."""
OF_STORE = ("nothing", "store stopped", "store slowed", "store emptied", "store killed", "store replaced")
OF_INSTANCE = ("fleet killed", "worker killed", "door killed", "instance killed")
FAULTS = (*OF_STORE, *OF_INSTANCE)
SLOW_S, SLOW_REQUEST_S = 5.0, 0.1
WAIT_S = 120.0
RULE = """from pinion import DECLINE, rule

@rule("large", code="USER_RULE", action=DECLINE)
def large(p, ctx, params):
    return p.amount > 900000
"""
SETTINGS = """
[api]
port = 0
[engine]
cpu = "none"
[payments]
port = 0
instance = "{name}"
hash_key_file = "{key}"
[payments.rate]
per_second = 100000
burst = 1000
[payments.fleet]
url = "unix://{store}"
instances = 2
on_store_down = "local"
"""


@dataclass
class Report:
    """What the rounds came to."""

    rounds: Counter[str] = field(default_factory=Counter)
    payments: int = 0
    refused: int = 0
    moves: int = 0
    least_taken: int = LIMIT
    merged_s: list[float] = field(default_factory=list)
    """How long it took until each instance knew the cards of the other, behind a fault."""
    times_s: dict[str, list[float]] = field(default_factory=dict)

    def __str__(self) -> str:
        columns = "rounds", "requests", "p50 ms", "p99 ms", "most ms", "> 100 ms"
        lines = ["fault".ljust(18) + "".join(f"{each:>10}" for each in columns)]
        for fault, count in sorted(self.rounds.items()):
            times = sorted(self.times_s.get(fault, [0.0]))
            middle, most = times[len(times) // 2], times[-1]
            high = times[min(len(times) - 1, len(times) * 99 // 100)]
            slow = sum(each > SLOW_REQUEST_S for each in times)
            shown = "".join(f"{each * 1000:10.1f}" for each in (middle, high, most))
            lines.append(f"{fault:18}{count:10}{len(times):10}{shown}{slow:10}")
        share = self.least_taken / LIMIT
        lines.append(
            f"{self.payments:,} payments approved, {self.refused:,} refused for the limit, {self.moves:,} "
            f"moves of shares; no limit exceeded, at least {share:.1%} of each taken"
        )
        lines.append(
            f"{len(self.merged_s)} devices with cards on both: refused by both, known to both after "
            f"{max(self.merged_s, default=0.0):.2f} s at most"
        )
        return "\n".join(lines)


class FleetRounds:
    """Two instances on one store behind a proxy, and what happens to them."""

    def __init__(self, folder: Path, rounds: int, seed: int, which: str) -> None:
        self._folder = folder
        self._key_file = folder / "fleet.key"
        self._hashes = Hasher(load_key(self._key_file))
        self._random = random.Random(seed)
        self._stores = [self._store(f"store-{at}", which) for at in range(2)]
        self._stores[0].start()
        self._proxy = StoreProxy(folder / "p.sock", self._stores[0].path)
        lines = [
            f'{{"op":"merchant","merchant":"m{number}","limits":{{"EUR":{{"daily":{LIMIT}}}}}}}'
            for number in range(rounds)
        ]
        lines.append(f'{{"op":"merchant","merchant":"{FREE}"}}')
        lines.append('{"op":"account","account":1,"balances":{"EUR":1000000000000}}')
        (folder / "set-up.jsonl").write_text("\n".join(lines))
        self._running: dict[str, RunningPayments] = {}
        self._started: list[RunningPayments] = []
        self.report = Report()
        for name in NAMES:
            self._start(name)
        for name in NAMES:
            self._running[name].await_ready()
        self._clients = {name: Client(self._running[name], name) for name in NAMES}
        self._spreading = {name: Client(self._running[name], f"{name}-s") for name in NAMES}

    def _store(self, name: str, which: str) -> StoreServer:
        place = self._folder / name
        place.mkdir()
        return StoreServer(place, which)

    def _start(self, name: str) -> None:
        config = self._folder / f"{name}.toml"
        config.write_text(SETTINGS.format(name=name, store=self._folder / "p.sock", key=self._key_file))
        options = ("--config", str(config), "--setup", str(self._folder / "set-up.jsonl"), "--lean")
        self._running[name] = RunningPayments(self._folder / name, *options)
        self._started.append(self._running[name])

    def round(self, number: int, fault: str) -> None:
        """Play one round."""
        merchant, device, stopping = f"m{number}", f"d{number}", threading.Event()
        self._spread(device, SPREAD[:2])
        before = {name: len(each.times_s) for name, each in self._clients.items()}
        modest = self._clients[self._random.choice(NAMES)]

        def take_until_stopped(client: Client) -> None:
            while not stopping.is_set():
                if client is modest and client.approved[merchant, day_now()] >= MODEST:
                    client.pay_freely()  # else both take their own part, and nothing has to move
                else:
                    client.pay(merchant, self._amount())

        with ThreadPoolExecutor(len(NAMES)) as pool:
            playing = [pool.submit(take_until_stopped, each) for each in self._clients.values()]
            try:
                time.sleep(self._random.uniform(0.05, 0.4))
                with self._fault(fault):
                    self._spread(device, SPREAD[2:])
                    self._share_rules({"parameters": {"card_1h": 20 + number}, "why": "a round"})
                    time.sleep(self._random.uniform(0.1, 0.5))
                time.sleep(self._random.uniform(0.0, 0.2))
            finally:
                stopping.set()
            for each in playing:
                each.result()
        self._await_merged(device)
        self._await_rules()
        self._take_the_rest(merchant)
        self.report.rounds[fault] += 1
        times = self.report.times_s.setdefault(fault, [])
        for name, client in self._clients.items():
            times += client.times_s[before[name] :]

    def _share_rules(self, body: dict[str, object]) -> None:
        """Let one instance register a set."""
        self._sharing = self._random.choice(NAMES)
        self._shared = self._spreading[self._sharing].register(body)

    def _await_rules(self) -> None:
        """Wait until the other one has it, from there."""
        other = next(each for each in NAMES if each != self._sharing)
        knows = partial(self._spreading[other].knows, self._shared, f"fleet:{self._sharing}")
        await_true(knows, f"{other} has the set of rules of {self._sharing}", WAIT_S)

    def _spread(self, device: str, cards: Sequence[str]) -> None:
        """Let a device be seen with cards, each at the instance that it begins with."""
        for card in cards:
            assert self._spreading[card[0]].pay_with(device, f"{device}-{card}") == "OK"

    def _await_merged(self, device: str) -> None:
        """Wait until each instance knows all of a device's cards; then both refuse another one."""
        began, key = time.monotonic(), hash_words(self._hashes.device(device))
        for name in NAMES:
            await_true(partial(self._knows, name, key), "all is merged", WAIT_S)
        self.report.merged_s.append(time.monotonic() - began)
        for name, client in self._spreading.items():
            for word in ("another", "one more"):
                assert client.pay_with(device, f"{device}-{name}-{word}") == "VELOCITY"

    def _knows(self, name: str, key: tuple[int, int]) -> bool:
        """Tell whether an instance knows every card that a device was spread over."""
        s = attach_state(self._folder / name)[0]
        rows = s["devices"][: int(s["device_table"]["used"])]
        is_its = (rows["key"][:, 0] == key[0]) & (rows["key"][:, 1] == key[1])
        return bool(rows["count"][is_its].sum() == len(SPREAD))

    def _amount(self) -> int:
        return self._random.randrange(*AMOUNTS)

    def _take_the_rest(self, merchant: str) -> None:
        """Let one instance go on alone until nine tenths are taken; no limit is exceeded on the way."""
        client = self._clients[self._random.choice(NAMES)]
        day = day_now()

        def is_taken() -> bool:
            while client.pay(merchant, AMOUNTS[0]):
                self._check(merchant, day)
            return self._taken(merchant, day) >= LIMIT * 9 // 10 - AMOUNTS[1] or day != day_now()

        await_true(is_taken, f"nine tenths of the limit of {merchant} are taken", WAIT_S)
        self._check(merchant, day)
        if day == day_now():
            self.report.least_taken = min(self.report.least_taken, self._taken(merchant, day))

    def _taken(self, merchant: str, day: int) -> int:
        return sum(each.approved[merchant, day] for each in self._clients.values())

    def _check(self, merchant: str, day: int) -> None:
        taken = self._taken(merchant, day)
        assert taken <= LIMIT, f"{taken} of {LIMIT} were taken of {merchant}"

    @contextmanager
    def _fault(self, fault: str) -> Iterator[None]:
        """Let something happen for the block, and have all as it should be behind it."""
        name = self._random.choice(NAMES)
        store = self._stores[0]
        if fault == "store stopped":
            store.signal(signal.SIGSTOP)
            yield
            store.signal(signal.SIGCONT)
        elif fault == "store slowed":
            self._proxy.delay_s = SLOW_S
            yield
            self._proxy.delay_s = 0.0
        elif fault == "store emptied":
            store.command("FLUSHALL")
            yield
        elif fault == "store killed":
            store.stop()
            yield
            store.start()
        elif fault == "store replaced":
            self._stores.reverse()
            self._stores[0].start()
            self._proxy.lead_to(self._stores[0].path)
            yield
            store.stop()
        elif fault == "instance killed":
            self._kill_instance(name)
            yield
        elif fault in OF_INSTANCE:
            process = {"fleet killed": "fleet", "worker killed": "worker", "door killed": "payments"}[fault]
            self._kill(name, process)
            yield
        else:
            yield

    def _kill(self, name: str, process: str) -> None:
        """Kill a process and wait for the next one."""
        data_dir, pid = self._folder / name, self._running[name].pid_of(process)
        os.kill(pid, signal.SIGKILL)

        def is_there_again() -> bool:
            with suppress(PortError, StopIteration):
                now = self._running[name].pid_of(process)
                return now != pid and is_running(now) and bool(instance.read(data_dir).doors)
            return False

        await_true(is_there_again, f"{process} of {name} lives again", WAIT_S)

    def _kill_instance(self, name: str) -> None:
        """Kill the supervisor, with which all of its processes die, and start the instance again."""
        pids = [each.pid for each in instance.read(self._folder / name).processes]
        self._running[name].process.kill()
        self._running[name].process.wait()
        await_true(lambda: not any(map(is_running, pids)), "the children end", WAIT_S)
        self._start(name)
        self._running[name].await_ready()

    def finish(self) -> Report:
        """Stop both instances and hold their journals against each other and against the clients."""
        self._share_rules({"files": {"late.py": RULE}, "why": "a rule"})
        self._await_rules()
        records = []
        for name in NAMES:
            assert self._running[name].stop() == 0, self._running[name].errors.read_text()
            open_folder(self._folder / name, ended)
            records.append(Journaled(self._folder / name, payments(Capacities())))
        for name in NAMES:  # what was asked was granted in advance
            allowances = Allowances(self._folder / name, ["payments"], ["demo"])
            assert 0 < allowances.look(0, USED) <= allowances.look(0, GRANTED)
        assert all(each.state[0]["fleet"][0]["merged"] for each in records)  # a replay needs no store
        rows = [self._rows(record) for record in records]
        for merchant, day in {each for client in self._clients.values() for each in client.approved}:
            found = [of[merchant] for of in rows if of.get(merchant, (0, 0, 0))[0] == day]
            assert sum(spent for _, spent, _ in found) <= LIMIT, f"{merchant}: {found}"
            assert sum(share for _, _, share in found) <= LIMIT, f"{merchant}: {found}"
        for client in self._clients.values():
            self.report.payments += client.count
            self.report.refused += client.refused
        self.report.moves = sum(int(each.state[0]["fleet"][0]["moves"]) for each in records)
        return self.report

    @staticmethod
    def _rows(record: Journaled) -> dict[str, tuple[int, int, int]]:
        """Return by merchant the day, what was spent and what the share is."""
        s = record.state[0]
        found = {}
        for row in s["rows"][: int(s["rows_used"])]:
            moved = int(row["taken"]) - int(row["given"]) if row["share_day"] == row["day"] else 0
            name = words_text(s["merchants"][int(row["merchant"])]["name"])
            found[name] = int(row["day"]), int(row["day_sum"]), LIMIT // len(NAMES) + moved
        return found

    def close(self) -> None:
        """Leave nothing behind."""
        for name in ("_clients", "_spreading"):
            for client in getattr(self, name, {}).values():
                client.close()
        for each in self._started:
            each.clean_up()
        self._proxy.close()
        for store in self._stores:
            store.stop()


def ended(cause: str) -> NoReturn:
    """Fail: rules that a journal names are not there."""
    raise AssertionError(cause)


def play(
    folder: Path,
    faults: list[str],
    seed: int,
    which: str = "valkey",
    say: Callable[[str], None] = lambda text: None,
) -> Report:
    """Play a round for each fault, and leave nothing running."""
    rounds = FleetRounds(folder, len(faults), seed, which)
    try:
        for number, fault in enumerate(faults):
            rounds.round(number, fault)
            say(f"round {number + 1}: {fault}")
        return rounds.finish()
    finally:
        rounds.close()


def faults_of(rounds: int, seed: int) -> list[str]:
    """Return what happens in so many rounds: everything once, then anything."""
    picked = random.Random(seed).choices(FAULTS, k=max(0, rounds - len(FAULTS)))
    return [*FAULTS, *picked][:rounds]


def main() -> None:
    """Play as many rounds as the command line says and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=sorted(programs()), default="valkey")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = faults_of(args.rounds, args.seed)
        print(play(Path(folder), faults, args.seed, args.store, lambda text: print(text, flush=True)))


if __name__ == "__main__":
    main()
