"""Seeded canaries over a running instance: python -m tests.system.payments.canaries --runs 100 --seed 0.

One instance (`clock = "request"`, --lean) sees all runs. In a run a candidate decides for a quarter of the
cards, then for all; it declines a point more than the governing set, or the same. The worse one has to roll
itself back, the equal one to get to its end. Sets are registered and canaries started over HTTP; the payments
come through a spare command ring in batches of thousands, for as many over HTTP would take hours. Scores are
even over 0 to 999, so that a limit of 950 declines 5 per cent; amounts and cards are drawn too, by the seed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.contract.port import Port, attach_state, claim_spare
from engine.payments.command_words import BODY, CARD, KEY
from engine.payments.records import Decision, EventKind, Role
from engine.trials.records import TrialState
from tests.engine.payments.building import T0, pay
from tests.system.payments.running import Body, Caller, RunningPayments, write_settings

POINTS, BASE = 10, 950
"""Of a thousand scores, a point of 100; and the limit of the governing set, which declines the last 50."""
MIN_SEEN = 36_000
STEPS = (25, 100)
"""Of halves 36,000 an arm show one point of five in 99.2 of 100 runs, of a quarter in more than 99.9."""
CARDS, BATCH = 200_000, 4_096
SEEN_MAX = 20
"""A canary that has seen so many times `min_seen` and still goes on has come to nothing."""
STEP_MS = 10
"""Between two payments, of T."""
LIVE = (TrialState.RUNNING, TrialState.PAUSED)
RULES_OF_PAYMENTS = f"""[payments.rules]
score_decline = {BASE}
score_review = "off"
"""
SET_UP = (
    '{"op":"merchant","merchant":"1m"}\n{"op":"account","account":1,"balances":{"EUR":1000000000000000000}}\n'
)
GIVE_UP_S = 60.0
TOLD_RUNS = 10
"""After so many runs a line says how far it is."""


class Ended(NamedTuple):
    """How a canary ended."""

    run: int
    is_worse: bool
    state: TrialState
    gate: str
    seen: int
    rates: tuple[float, float]
    """Declines of both arms, in the last step that had two."""
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether a worse one was rolled back, and an equal one promoted."""
        return self.state == (TrialState.ROLLED_BACK if self.is_worse else TrialState.PROMOTED)


class Traffic:
    """Payments of many cards through a ring of a running instance, each batch answered before the next.

    port : a command ring that nobody else uses
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._session = port.next_session()
        self._records = np.repeat(np.atleast_1d(pay(0, sale=True)), BATCH)
        self._sent = 0

    def play(self, draw: np.random.Generator, count: int) -> tuple[int, int]:
        """Send payments and take their answers; return how many came, and of these how many are declines."""
        records = self._records[:count]
        numbers = self._sent + 1 + np.arange(count)
        self._sent += count
        records["gw_ts"], records["req_seq"], records["session"] = 0, numbers, self._session
        records["roles"], records["received_at"] = Role.ALL, T0 + numbers * STEP_MS
        records["score"] = draw.integers(0, 1000, count)
        records["amount"] = np.clip(draw.lognormal(8, 1.2, count), 101, 10**7).astype(np.int64)
        cards = draw.integers(1, CARDS, count)
        words = records["words"]
        words[:, KEY] = words[:, BODY] = numbers
        words[:, CARD] = cards.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(2)
        words[:, CARD + 1] = cards
        return self._answered(records)

    def _answered(self, records: Any) -> tuple[int, int]:
        sent = answered = declined = 0
        deadline = time.monotonic() + GIVE_UP_S
        while answered < len(records):
            if sent < len(records):
                sent += self._port.submit(records[sent:])
            events = self._port.drain()
            decided = events["decision"][events["kind"] == EventKind.DECIDED]
            answered += len(decided)
            declined += int((decided == Decision.DECLINE).sum())
            if len(events) == 0:
                assert time.monotonic() < deadline, f"{answered} of {len(records)} answers came"
                self._port.await_events(0.01)
        return answered, declined


class Canaries:
    """An instance that runs canary after canary; point : scores that the worse candidate declines more."""

    def __init__(
        self, data_dir: Path, key: str, port: Port, seed: int, point: int = POINTS, min_seen: int = MIN_SEEN
    ) -> None:
        self._caller = Caller(data_dir, key)
        self._trial = attach_state(data_dir)[0]["trial"]
        self._traffic = Traffic(port)
        self._seed = seed
        self._min_seen = min_seen
        self._sets = {
            True: self._registered({"score_decline": BASE - point}),
            False: self._registered({"small_then_large_ms": 600_001}),
        }
        self._base = int(self._ask("GET", "/v1/payments/rulesets")["governing"])

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()

    def run(self, run: int, is_worse: bool) -> Ended:
        """Play one canary to its end."""
        began = time.monotonic()
        draw = np.random.default_rng((self._seed, run, is_worse))
        gates = {"min_seen": self._min_seen}
        start = {"ruleset": self._sets[is_worse], "steps": list(STEPS), "hold": ["0", "0"], "gates": gates}
        self._ask("POST", "/v1/payments/canary/start", start)
        rates = (0.0, 0.0)
        for _ in range(0, SEEN_MAX * self._min_seen, BATCH):
            self._traffic.play(draw, BATCH)
            trial = self._trial[0].copy()
            if 0 < trial["percent"] < 100:
                rates = rates_of(trial)
            if TrialState(int(trial["state"])) not in LIVE:
                break
        said = self._ask("GET", "/v1/payments/canary")
        state = TrialState[said["state"].upper()]
        if state == TrialState.PROMOTED:
            self._ask("POST", f"/v1/payments/rulesets/{self._base}/activate", {})
        elif state in LIVE:
            self._ask("POST", "/v1/payments/canary/rollback", {"ruleset": self._sets[is_worse]})
        gate = f"{said['gate'] or ''} {said['gate_of'] or ''}".strip()
        return Ended(run, is_worse, state, gate, said["seen"], rates, time.monotonic() - began)

    def _registered(self, parameters: Body) -> int:
        return int(self._ask("POST", "/v1/payments/rulesets", {"parameters": parameters})["ruleset"])

    def _ask(self, method: str, path: str, body: Body | None = None) -> Body:
        answer = self._caller.ask(method, path, body)
        assert answer.status == 200, f"{method} {path} {body}: {answer}"
        return answer.reply


def rates_of(trial: Any) -> tuple[float, float]:
    """Return the declines of both arms, of one."""
    control, canary = (
        int(arm["outcomes"][Decision.DECLINE]) / max(1, int(arm["decided"])) for arm in trial["arms"]
    )
    return control, canary


def settings_of(folder: Path) -> tuple[str, ...]:
    """Write what such an instance is started with; return its options."""
    return (*write_settings(folder, SET_UP, f'clock = "request"\n{RULES_OF_PAYMENTS}'), "--lean")


def played(canaries: Canaries, runs: int, tell: Callable[[str], None]) -> Iterator[Ended]:
    """Play so many runs of both kinds in turn; yield how each ended."""
    for run in range(runs):
        for is_worse in (True, False):
            yield canaries.run(run, is_worse)
        if run == 0 or (run + 1) % TOLD_RUNS == 0:
            tell(f"{run + 1} of {runs} runs of each kind")


def table_of(ended: Sequence[Ended]) -> str:
    """Return how the runs ended, as a table of both kinds."""
    heads = ("runs", "rolled back", "promoted", "seen, mean", "s, mean")
    widths = (6, 13, 10, 12, 9)
    titles = [f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)]
    lines = [f"{'candidate':14}{''.join(titles)}"]
    for is_worse, name in ((True, "a point more"), (False, "equal")):
        own = [each for each in ended if each.is_worse == is_worse]
        counts = [sum(each.state == state for each in own) for state in ENDS]
        seen = sum(each.seen for each in own) / max(1, len(own))
        seconds = sum(each.seconds for each in own) / max(1, len(own))
        lines.append(f"{name:14}{len(own):6}{counts[0]:13}{counts[1]:10}{seen:12,.0f}{seconds:9.1f}")
    for each in ended:
        if not each.is_right:
            control, canary = each.rates
            kind = "worse" if each.is_worse else "equal"
            lines.append(f"run {each.run} {kind}: {each.state.name} {each.gate} {control:.2%} {canary:.2%}")
    return "\n".join(lines)


ENDS = (TrialState.ROLLED_BACK, TrialState.PROMOTED)


def main() -> int:
    """Start an instance, play the runs, print the table; 1 where fewer than 99 of 100 of a kind are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="of each kind (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default 0)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        running = RunningPayments(Path(folder, "data"), *settings_of(Path(folder)))
        try:
            running.await_ready()
            with claim_spare(running.data_dir) as port:
                canaries = Canaries(running.data_dir, running.key, port, asked.seed)
                ended = list(played(canaries, asked.runs, lambda line: print(line, file=sys.stderr)))
                canaries.close()
            running.stop()
        finally:
            running.clean_up()
    print(table_of(ended))
    wrong = [sum(not each.is_right for each in ended if each.is_worse == kind) for kind in (True, False)]
    return 0 if max(wrong) * 100 <= asked.runs else 1


if __name__ == "__main__":
    sys.exit(main())
