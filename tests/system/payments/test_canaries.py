"""Canaries over a running instance: a worse candidate goes, an equal one stays, one that is late goes too."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract import instance
from engine.contract.port import claim_spare
from engine.trials.records import TrialState
from ringbuf.spsc import SpscRing
from tests.system.payments.canaries import Canaries, Ended, settings_of, table_of
from tests.system.payments.running import Body, Caller, RunningPayments
from tests.system.running import await_true

GROSSER, SMALLER = 100, 2_000
"""Ten points more, and a sample that shows them."""
BOUND_MS = 1


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPayments]:
    folder = tmp_path_factory.mktemp("canaries")
    made = RunningPayments(folder / "data", *settings_of(folder))
    try:
        made.await_ready()
        yield made
        made.stop()
    finally:
        made.clean_up()


def test_a_worse_candidate_is_rolled_back_by_its_gate_and_an_equal_one_promoted(
    running: RunningPayments,
) -> None:
    with claim_spare(running.data_dir) as port:
        canaries = Canaries(running.data_dir, running.key, port, 0, GROSSER, SMALLER)
        ended = [canaries.run(0, is_worse) for is_worse in (True, False)]
        canaries.close()

    worse, equal = ended
    assert (worse.state, worse.gate) == (TrialState.ROLLED_BACK, "outcome_rate APPROVE")
    assert 0.04 < worse.rates[0] < 0.06 < 0.12 < worse.rates[1] < 0.18
    assert equal.state == TrialState.PROMOTED
    assert equal.seen > 4 * SMALLER, "of the first step a quarter is a sample; one more is of the second"


def pending(data_dir: Path) -> int:
    """Return how many commands of the payments door the worker has not taken yet."""
    found = instance.read(data_dir)
    ring = instance.attach_commands(found).slots[0]["rings"][found.ring_idx("payments")]
    return len(SpscRing(ring["control"], ring["slots"]))


def test_a_candidate_whose_answers_are_late_is_rolled_back_by_the_door(running: RunningPayments) -> None:
    caller = Caller(running.data_dir, running.key)
    made = caller.ask("POST", "/v1/payments/rulesets", {"parameters": {"score_review": 999}}).reply
    gates = {"max_p99_ms": BOUND_MS, "min_seen": 1}
    start = {"ruleset": made["ruleset"], "steps": [100], "hold": ["1h"], "gates": gates}
    assert caller.ask("POST", "/v1/payments/canary/start", start).status == 200
    body: Body = {
        "request_id": "late", "merchant": "1m", "channel": "pos", "amount": 500, "currency": "EUR",
        "account": 1, "card": {"token": "late", "expiry": "9912"},
    }  # fmt: skip
    worker = running.pid_of("worker")

    def trial() -> Body:
        return caller.ask("GET", "/v1/payments/canary").reply

    def is_late_seen() -> bool:
        """Pay while the worker is stopped for longer than the bound; tell whether the candidate went."""
        other = Caller(running.data_dir, running.key)
        body["request_id"] += "-"
        paying = threading.Thread(target=other.ask, args=("POST", "/v1/payments", body))
        os.kill(worker, signal.SIGSTOP)
        paying.start()
        await_true(lambda: pending(running.data_dir) > 0, "the payment is in the ring")
        since = time.monotonic()
        await_true(lambda: time.monotonic() - since > 2 * BOUND_MS / 1000, "it is late")
        os.kill(worker, signal.SIGCONT)
        paying.join()
        other.close()
        return trial()["state"] == "rolled_back"

    await_true(is_late_seen, "the candidate is rolled back")
    told = trial()
    caller.close()

    assert (told["gate"], told["who"]) == ("latency", "door")
    assert str(told["why"]).startswith("over 1ms: ")


def test_the_table_tells_both_kinds_and_what_went_wrong() -> None:
    rates = (0.05, 0.06)
    found = [
        Ended(0, True, TrialState.ROLLED_BACK, "outcome_rate DECLINE", 72_000, rates, 1.0),
        Ended(0, False, TrialState.ROLLED_BACK, "code_rate OK", 73_000, rates, 2.0),
        Ended(1, False, TrialState.PROMOTED, "", 110_000, rates, 4.0),
    ]

    assert table_of(found).splitlines() == [
        "candidate       runs  rolled back  promoted  seen, mean  s, mean",
        "a point more       1            1         0      72,000      1.0",
        "equal              2            1         1      91,500      3.0",
        "run 0 equal: ROLLED_BACK code_rate OK 5.00% 6.00%",
    ]
