"""Rounds in which processes die while payments are at a processor that fails in every way.

    python -m tests.system.payments.forward_kills --rounds 200 --seed 1

As in kills.py clients ask for payments and more, and a process is killed; here each payment is forwarded to
a sample processor, which is slow, late, silent or down now and then, or gone for a while. Behind every round
both sides agree: what the processor approved is approved here or was reversed there, nothing was asked for
twice, nothing is pending, owed or held beyond what is open.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from engine.contract.port import attach_state
from engine.payments.forwarding import Forwarding
from engine.payments.kernels.digest import used_of
from engine.payments.records import State
from pinion.cli.payments.sample.book import APPROVED
from tests.system.payments.clients import set_up_of
from tests.system.payments.kills import CLIENTS, WAIT_S, Kills, Report, Start
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
VICTIMS = ("payments", "worker", "supervisor", "payments and worker", "all")
FAULTS = ("decline", "slow", "late", "twice", "forget", "reset", "lose", "down")
DELAY_S = 0.7
"""What is slow or late comes behind the deadline."""
SHARE_MAX, GONE = 10, 0.2
"""Of a hundred requests that meet with one fault; and of the rounds in which the processor is gone."""
GOOD = (State.OPEN, State.CAPTURED)


class ForwardKills(Kills):
    """An instance before a processor, under load, whose processes are killed."""

    def __init__(self, start: Start, data_dir: Path, seed: int, processor: RunningProcessor) -> None:
        super().__init__(start, data_dir, seed)
        self.victims = VICTIMS
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


def play(folder: Path, rounds: int, seed: int) -> Report:
    """Start a processor and an instance within a folder, play the rounds, and leave nothing running."""
    data_dir = folder / "data"
    started: list[RunningPayments] = []
    with RunningProcessor(delay_s=DELAY_S, seed=seed) as processor:
        options = write_settings(folder, set_up_of(CLIENTS), SETTINGS.format(url=processor.url))

        def start() -> RunningPayments:
            started.append(RunningPayments(data_dir, *options))
            return started[-1]

        try:
            kills = ForwardKills(start, data_dir, seed, processor)
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
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(play(Path(folder), args.rounds, args.seed))


if __name__ == "__main__":
    main()
