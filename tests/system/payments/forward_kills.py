"""Rounds in which processes die while payments are at a processor that fails in every way.

    python -m tests.system.payments.forward_kills --rounds 200 --seed 1 [--door iso8583]

As in kills.py clients ask for payments and more, and a process is killed; here each payment is forwarded to
a sample processor, which is slow, late, silent or down now and then, or gone for a while. Behind every round
both sides agree: what the processor approved is approved here or was reversed there, nothing was asked for
twice, nothing is pending, owed or held beyond what is open. With `--door iso8583` terminals ask by messages,
and it is that door which is killed.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from engine.contract.port import attach_state
from engine.payments.forwarding import Forwarding
from engine.payments.kernels.digest import used_of
from engine.payments.records import State
from pinion.cli.payments.sample.book import APPROVED
from tests.gateways.iso8583.client import Message, reversal
from tests.system.payments import iso_running
from tests.system.payments.clients import Client, set_up_of
from tests.system.payments.iso_running import BATCH, IsoPlayer
from tests.system.payments.kills import CLIENTS, WAIT_S, Kills, MakePlayer, Report, Start
from tests.system.payments.processors import RunningProcessor
from tests.system.payments.running import RunningPayments, write_settings
from tests.system.running import await_true

SETTINGS = """
[payments.forward]
url = "{url}"
deadline_ms = 400
[history]
enabled = false
"""
HTTP, ISO8583 = "payments", "iso8583"
DOORS = (HTTP, ISO8583)
VICTIMS = {door: (door, "worker", "supervisor", f"{door} and worker", "all") for door in DOORS}
FAULTS = ("decline", "slow", "late", "twice", "forget", "reset", "lose", "down")
DELAY_S = 0.7
"""What is slow or late comes behind the deadline."""
SHARE_MAX, GONE = 10, 0.2
"""Of a hundred requests that meet with one fault; and of the rounds in which the processor is gone."""
GOOD = (State.OPEN, State.CAPTURED)


class Terminal(IsoPlayer):
    """Pays by messages that a processor may decline or never answer, and reverses some authorisations."""

    def __init__(self, data_dir: Path, number: int, seed: int) -> None:
        super().__init__(data_dir, number, seed)
        self.known: set[str] = set()

    def _is_decided(self, reply: Message) -> bool:
        return super()._is_decided(reply) or (reply["39"] == DOWN and "37" in reply)

    def _play_batch(self) -> None:
        messages = [self._payment() for _ in range(BATCH)]
        approved = []
        for message, reply in zip(messages, self._answers(messages), strict=True):
            if reply["39"] not in ENDS:
                self.faults.append(f"{message} was answered {reply}")
                return
            self.counts["answers"] += 1
            self.known.add(f"a-{int(reply['37'])}")
            self._told.append((message, reply))
            if reply["39"] == "00" and message["t"] == "0100":
                approved.append(message)
        back = self._random.sample(approved, len(approved) // 2)
        self._tell([(reversal(each, self._next()), "00") for each in back])


ENDS, DOWN = ("00", "05", "91"), "91"
"""What a processor that fails can make of a payment of a card that pays once; the last with its number."""


def terminal(data_dir: Path, key: str, number: int, seed: int) -> Terminal:
    """Return a terminal with an account of its own; whose messages its address serves needs no key."""
    return Terminal(data_dir, number + 1, seed)


PLAYERS: dict[str, MakePlayer] = {HTTP: Client, ISO8583: terminal}
SET_UPS: dict[str, Callable[[int], str]] = {HTTP: set_up_of, ISO8583: iso_running.set_up_of}


class ForwardKills(Kills):
    """An instance before a processor, under load at one of its doors, whose processes are killed."""

    def __init__(
        self, start: Start, data_dir: Path, seed: int, processor: RunningProcessor, door: str = HTTP
    ) -> None:
        super().__init__(start, data_dir, seed, PLAYERS[door])
        self.victims = VICTIMS[door]
        self._processor = processor

    def _round(self, victim: str) -> None:
        pick = self._random
        self._processor.fail(**{fault: pick.randrange(SHARE_MAX) for fault in FAULTS})
        is_gone = pick.random() < GONE
        if is_gone:
            self._processor.stop()
        super()._round(victim)
        self._processor.fail()
        if is_gone:
            self._processor.start()
        self._agree(victim)

    def _agree(self, victim: str) -> None:
        """Wait until nothing is owed or pending, then hold both sides against each other."""
        [s] = attach_state(self._data_dir)
        at_work = ("owed_count", "pending_count")
        await_true(lambda: not any(s[name] for name in at_work), f"all is settled behind {victim}", WAIT_S)
        rows = s["payments"][: used_of(s, "payments")]
        here = {f"a-{int(row['payment'])}": row for row in rows if row["forwarding"] != Forwarding.NONE}
        there = self._processor.entries
        good = {name for name, row in here.items() if row["state"] in GOOD}
        approved = {name for name, entry in there.items() if entry.outcome == APPROVED}
        assert approved == good, f"behind {victim}: {approved ^ good}"
        twice = [name for name, entry in there.items() if entry.asked > 1]
        assert not twice, f"behind {victim}: {twice} were sent more than once"
        held: Counter[int] = Counter()
        for row in rows:
            held[int(row["balance"])] += int(row["held"])
        balances = s["balances"][: used_of(s, "balances")]
        assert all(balance["held"] == held[at] for at, balance in enumerate(balances)), f"behind {victim}"
        outcomes = Counter(entry.outcome for entry in there.values())
        self.report.counts |= Counter({f"{outcome} there": n for outcome, n in outcomes.items()})
        self.report.counts |= Counter({"good here": len(good)})


def play(folder: Path, rounds: int, seed: int, door: str = HTTP) -> Report:
    """Start a processor and an instance within a folder, play the rounds, and leave nothing running."""
    data_dir = folder / "data"
    started: list[RunningPayments] = []
    with RunningProcessor(delay_s=DELAY_S, seed=seed) as processor:
        settings = SETTINGS.format(url=processor.url) + (iso_running.LOCAL if door == ISO8583 else "")
        options = write_settings(folder, SET_UPS[door](CLIENTS), settings)

        def start() -> RunningPayments:
            started.append(RunningPayments(data_dir, *options))
            return started[-1]

        try:
            kills = ForwardKills(start, data_dir, seed, processor, door)
            try:
                return kills.run(rounds)
            finally:
                kills.close()
        finally:
            for each in started:
                each.clean_up()


def main() -> None:
    """Play as many rounds as the command line says and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--door", choices=DOORS, default=HTTP, help="at which is asked (default %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(play(Path(folder), args.rounds, args.seed, args.door))


if __name__ == "__main__":
    main()
