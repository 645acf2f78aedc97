"""The gates of a canary on approved amounts, on faults, and the one that a door asks for."""

from typing import Any

import numpy as np
import pytest

from engine.payments.codes import Code
from engine.payments.command_words import TRIAL_COMPARES_AMOUNTS, TRIAL_COMPARES_FAULTS, TRIAL_GATE
from engine.payments.fleet_records import OnStoreDown
from engine.payments.forwarding import Processed
from engine.payments.records import Decision, EventKind, Op
from engine.payments.view.live_view import LiveView
from engine.trials.records import Act, TrialGate, TrialState
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    HOUR_MS,
    SMALL,
    T0,
    Engine,
    command,
    forwarded,
    funded,
    merchant,
    merchant_limits,
    pay,
    processed,
    ruleset,
    settings,
    trial,
)
from tests.engine.payments.fleet_commands import join, store
from tests.engine.payments.invariants import assert_whole

STEP_MS = 2_000
LARGE, SMALL_ONE = 10_000, 400
SUSPECT = 60


def with_canary(compares: int, min_seen: int = 400, percent: int = 50, **limits: Any) -> Engine:
    """Return an engine on which a canary runs whose candidate declines scores from SUSPECT on."""
    engine = Engine(SMALL, settings(), merchant(), *funded(balances={EUR: 10**12}))
    assert engine.one(ruleset(score_decline=SUSPECT, **limits))["payment"] == 2
    start = trial(Act.START, 2, [(percent, HOUR_MS), (percent, 0)], min_seen=min_seen, compares=compares)
    assert engine.one(start)["code"] == Code.OK
    return engine


def of_card(number: int, **given: Any) -> dict[str, Any]:
    """Return what a payment has whose card is one of its own."""
    card = number * 0x9E3779B97F4A7C15 >> 3 & 2**62 - 1
    return {"number": number, "at": T0 + number * STEP_MS, "card": card, **given}


def standing(engine: Engine) -> tuple[TrialState, TrialGate]:
    t = engine.s["trial"][0]
    return TrialState(int(t["state"])), TrialGate(int(t["gate"]))


def decide(engine: Engine, numbers: range, suspects: int) -> Any:
    """Pay so often, two payments of five of large amounts, whose score is `suspects`; return all events."""
    found = []
    for number in numbers:
        is_large = number % 5 < 2
        given = {"amount": LARGE if is_large else SMALL_ONE, "score": suspects if is_large else 0}
        found.append(engine.tell(pay(**of_card(number, sale=True, **given))))
    return np.concatenate(found)


def test_a_candidate_that_approves_less_of_what_is_asked_is_rolled_back_at_a_look() -> None:
    engine = with_canary(TRIAL_COMPARES_AMOUNTS)

    events = decide(engine, range(1000), SUSPECT)

    (told,) = events[events["kind"] == EventKind.TRIAL]
    assert (told["state"], told["rule"]) == (TrialState.ROLLED_BACK, TrialGate.APPROVED_AMOUNT)
    t = engine.s["trial"][0]
    assert min(t["arms"]["decided"]) == 400, "looked at once both arms have decided so many"
    control, canary = t["arms"]
    assert control["withheld"] == 0
    assert canary["withheld"] * 10 > canary["asked"] * 5
    after = events[events["seq"] > told["seq"]]
    assert set(after["cohort"].tolist()) == {0}
    assert_whole(engine.s)


@pytest.mark.parametrize(("compares", "suspects"), [(0, SUSPECT), (TRIAL_COMPARES_AMOUNTS, SUSPECT - 1)])
def test_without_the_gate_or_without_a_difference_it_goes_on(compares: int, suspects: int) -> None:
    engine = with_canary(compares)

    decide(engine, range(900), suspects)

    assert standing(engine) == (TrialState.RUNNING, TrialGate.NONE)


def test_what_the_arms_asked_for_and_withheld_is_what_their_payments_say() -> None:
    engine = with_canary(TRIAL_COMPARES_AMOUNTS, min_seen=10**6)

    events = decide(engine, range(300), SUSPECT)

    decided = events[events["kind"] == EventKind.DECIDED]
    for arm, counted in enumerate(engine.s["trial"][0]["arms"]):
        own = decided[decided["cohort"] == arm]
        roots = np.sqrt(own["amount"]).astype(np.int64)
        withheld = np.where(own["decision"] == Decision.APPROVE, 0, roots)
        assert (counted["asked"], counted["withheld"]) == (roots.sum(), withheld.sum())
        assert counted["asked_squares"] == (roots**2).sum()
        assert counted["withheld_squares"] == counted["asked_withheld"] == (withheld**2).sum()
        assert counted["withheld_max"] == withheld.max()


def fail(engine: Engine, number: int, fails: Processed, only_canary: bool = True) -> int:
    """Let a payment go to the processor, which fails it, of the control's arm or not; return its cohort."""
    given = of_card(number, sale=True)
    event = engine.tell(forwarded(**given))[0]
    is_failed = event["cohort"] == 1 or not only_canary
    outcome = fails if is_failed and number % 4 == 0 else Processed.APPROVED
    engine.tell(processed(int(event["payment"]), outcome, card=given["card"]))
    return int(event["cohort"])


@pytest.mark.parametrize("only_canary", [True, False])
def test_payments_without_a_processor_are_faults_of_their_arm(only_canary: bool) -> None:
    engine = with_canary(TRIAL_COMPARES_FAULTS, min_seen=150)

    cohorts = [fail(engine, number, Processed.NOT_SENT, only_canary) for number in range(600)]

    ended = (TrialState.ROLLED_BACK, TrialGate.FAULT_RATE) if only_canary else (TrialState.RUNNING, 0)
    assert standing(engine) == ended
    arms = engine.s["trial"][0]["arms"]
    if not only_canary:
        wanted = [sum(c == arm for number, c in enumerate(cohorts) if number % 4 == 0) for arm in (0, 1)]
        assert arms["faults"].tolist() == wanted
    assert arms["unserved"].tolist() == [0, 0]
    assert_whole(engine.s)


def test_a_payment_that_comes_to_nothing_in_a_later_step_is_no_fault_of_that() -> None:
    engine = with_canary(TRIAL_COMPARES_FAULTS, min_seen=150)
    earlier = engine.tell(forwarded(**of_card(1, sale=True, limit_ms=HOUR_MS)))[0]
    engine.one(trial(Act.ADVANCE, 2))
    later = engine.tell(forwarded(**of_card(2, sale=True, limit_ms=HOUR_MS)))[0]

    for event in (earlier, later):
        engine.tell(processed(int(event["payment"]), Processed.NOT_SENT, card=77))

    assert engine.s["trial"][0]["arms"]["faults"].sum() == 1
    assert engine.s["trial"][0]["arms"][later["cohort"]]["faults"] == 1


def test_a_processor_that_is_late_is_a_fault_too() -> None:
    engine = with_canary(TRIAL_COMPARES_FAULTS, min_seen=150)
    event = engine.tell(forwarded(**of_card(1, sale=True, limit_ms=100)))[0]
    engine.tell(pay(**of_card(2, sale=True)))

    assert engine.s["trial"][0]["arms"][event["cohort"]]["faults"] == 1
    assert_whole(engine.s)


def test_what_a_store_that_is_down_declines_is_a_fault() -> None:
    engine = with_canary(TRIAL_COMPARES_FAULTS, min_seen=10**6)
    engine.tell(merchant_limits(0, [(EUR, -1, -1, 10**9, -1, -1)]), merchant(begins=False))
    engine.tell(join(2, OnStoreDown.DECLINE), store(False))

    event = engine.tell(pay(**of_card(1, sale=True)))[0]

    assert event["code"] == Code.STORE_DOWN
    assert engine.s["trial"][0]["arms"][event["cohort"]]["faults"] == 1


def test_what_is_refused_for_want_of_room_is_a_fault_and_no_decision() -> None:
    engine = with_canary(TRIAL_COMPARES_FAULTS, min_seen=10**6)
    events = [engine.tell(pay(**of_card(number)))[0] for number in range(SMALL.payments + 30)]

    codes = [Code(int(event["code"])) for event in events]
    arms = engine.s["trial"][0]["arms"]
    assert codes.count(Code.CAPACITY) == 30
    assert arms["unserved"].sum() == arms["faults"].sum() == 30
    assert min(arms["unserved"]) > 5, "a card is of the arm that would have decided"
    assert arms["decided"].sum() == SMALL.payments
    assert_whole(engine.s)


def test_a_rollback_says_which_gate_asks_for_it() -> None:
    engine = with_canary(0)
    asked = trial(Act.ROLL_BACK, 2)
    asked["words"][TRIAL_GATE] = TrialGate.LATENCY

    assert engine.one(asked)["code"] == Code.OK
    assert standing(engine) == (TrialState.ROLLED_BACK, TrialGate.LATENCY)


def test_a_step_counts_amounts_and_faults_anew() -> None:
    engine = with_canary(TRIAL_COMPARES_AMOUNTS | TRIAL_COMPARES_FAULTS, min_seen=10**6)
    decide(engine, range(40), SUSPECT)
    fail(engine, 100, Processed.NOT_SENT, only_canary=False)
    engine.tell(command(Op.TICK, received_at=T0 + DAY_MS))
    engine.one(trial(Act.ADVANCE, 2))

    arms = engine.s["trial"][0]["arms"]
    assert all(not arms[name].any() for name in arms.dtype.names)


def test_a_gate_that_there_is_not_is_shown_as_none() -> None:
    engine = with_canary(0)
    asked = trial(Act.ROLL_BACK, 2)
    asked["words"][TRIAL_GATE] = 99
    engine.one(asked)

    shown = LiveView(engine.replica.state).trial()

    assert (shown.state, shown.gate, shown.gate_of) == (TrialState.ROLLED_BACK, TrialGate.NONE, "")
