"""Payments that a processor has to approve: pending, then settled by its answer, the timer or a void."""

from typing import Any

import numpy as np
import pytest

from engine.payments.codes import Code
from engine.payments.forwarding import Processed
from engine.payments.kernels.apply import next_due
from engine.payments.kernels.rows import EXPIRED_MAX
from engine.payments.records import (
    WANTS_PARTIAL,
    AccountStatus,
    Clock,
    Decision,
    EventKind,
    Op,
    State,
)
from engine.trials.records import Act
from tests.engine.payments.building import (
    EUR,
    MINUTE_MS,
    SMALL,
    T0,
    Engine,
    account,
    account_balances,
    command,
    forwarded,
    funded,
    merchant,
    operation,
    pay,
    processed,
    ruleset,
    settings,
    trial,
)
from tests.engine.payments.invariants import as_kernels_see, assert_whole

BALANCE = 10**9
LIMIT_MS = 2000
APPROVED, DECLINED, UNKNOWN, NOT_SENT = Processed


def pending(engine: Engine, number: int = 1, **given: Any) -> int:
    """Have a payment pending at T0; return it."""
    event = engine.one(forwarded(number, T0, **given))
    assert event["state"] == State.PENDING
    return int(event["payment"])


def balance(engine: Engine) -> tuple[int, int]:
    """Return total and held of the account."""
    row = engine.s["balances"][0]
    return int(row["total"]), int(row["held"])


def row_of(engine: Engine, payment: int) -> Any:
    """Return the row of a payment."""
    return next(row for row in engine.s["payments"] if row["payment"] == payment)


def owed(engine: Engine) -> list[int]:
    """Return the payments whose reversal is owed, the eldest debt first."""
    found, at = [], int(engine.s["owed"]["oldest"])
    while at:
        found.append(int(engine.s["payments"][at - 1]["payment"]))
        at = int(engine.s["payments"][at - 1]["newer"])
    return found


def said(event: Any) -> tuple[Any, ...]:
    """Return kind, code, decision and state of an event."""
    kind, code = EventKind(int(event["kind"])), Code(int(event["code"]))
    return kind.name, code.name, Decision(int(event["decision"])).name, int(event["state"])


def settled(engine: Engine, *commands: Any) -> Any:
    """Apply commands of which the last settles a payment; return the event that tells it."""
    [event] = [each for each in engine.tell(*commands) if each["kind"] == EventKind.SETTLED]
    assert_whole(engine.s)
    return event


def test_a_forwarded_payment_is_held_as_pending_until_the_processor_answers() -> None:
    engine = Engine()
    event = engine.one(forwarded(1, T0))
    assert said(event) == ("DECIDED", "OK", "APPROVE", State.PENDING)
    assert balance(engine) == (BALANCE, 1000)
    assert engine.s["pending_count"] == 1
    assert_whole(engine.s)


@pytest.mark.parametrize(
    ("is_sale", "state", "standing"),
    [(False, State.OPEN, (BALANCE, 1000)), (True, State.CAPTURED, (BALANCE - 1000, 0))],
)
def test_approved_it_is_what_it_would_have_been_without_a_processor(
    is_sale: bool, state: State, standing: tuple[int, int]
) -> None:
    engine = Engine()
    payment = pending(engine, sale=is_sale)
    event = settled(engine, processed(payment, APPROVED))
    assert said(event) == ("SETTLED", "OK", "APPROVE", state)
    assert (event["payment"], event["reply_seq"], event["approved_amount"]) == (payment, payment, 1000)
    assert (event["captured"], event["held"]) == ((1000, 0) if is_sale else (0, 1000))
    assert balance(engine) == standing
    assert owed(engine) == []
    repeated = engine.one(forwarded(1, T0, sale=is_sale))
    assert said(repeated) == ("DECIDED", "OK", "APPROVE", state)
    assert repeated["replayed"] == 1


def test_an_approved_authorise_is_captured_voided_and_ends_as_any_other() -> None:
    engine = Engine()
    one, other = pending(engine, 1), pending(engine, 2)
    engine.tell(processed(one, APPROVED), processed(other, APPROVED))
    assert engine.one(operation(Op.CAPTURE, one, 5, T0))["state"] == State.CAPTURED
    ended = engine.tell(command(Op.REVIEW, payment=1, received_at=T0 + 8 * 86_400_000))
    assert [said(each)[0] for each in ended] == ["EXPIRED", "MOVED"]
    assert (row_of(engine, other)["state"], owed(engine)) == (State.EXPIRED, [])
    assert_whole(engine.s)


def test_declined_it_releases_the_hold_and_counts_as_a_decline_of_the_card() -> None:
    engine = Engine(SMALL, settings(card_declines_1h=1, scheme_retry=2), merchant(), *funded())
    payment = pending(engine, 1, card=77, bin=411111, bin_digits=6)
    answer = processed(payment, DECLINED, card=77, bin=411111, bin_digits=6)
    event = settled(engine, answer)
    assert said(event) == ("SETTLED", "PROCESSOR_DECLINED", "DECLINE", State.DECLINED)
    assert (event["approved_amount"], event["held"], balance(engine)) == (0, 0, (BALANCE, 0))
    assert owed(engine) == []
    repeated = engine.one(forwarded(1, T0, card=77, bin=411111, bin_digits=6))
    assert said(repeated) == ("DECIDED", "PROCESSOR_DECLINED", "DECLINE", State.DECLINED)
    assert repeated["replayed"] == 1
    assert engine.s["bins"][0]["declines"]["total"] == engine.s["pairs"][0]["declines"]["total"] == 1
    assert Code(int(engine.one(pay(2, T0, card=77))["code"])).name == "VELOCITY"


def test_a_decline_counts_at_the_time_of_the_answer() -> None:
    engine = Engine(SMALL, settings(card_declines_1h=1, double_charge_ms=-1), merchant(), *funded())
    hour = 60 * MINUTE_MS
    first = pending(engine, 1, card=77, limit_ms=2 * hour)
    engine.tell(pay(9, T0 + hour), processed(first, DECLINED, card=77))
    assert Code(int(engine.one(pay(2, T0 + hour + 55 * MINUTE_MS - 1, card=77))["code"])).name == "VELOCITY"
    again = Engine(SMALL, settings(card_declines_1h=1, double_charge_ms=-1), merchant(), *funded())
    first = pending(again, 1, card=77, limit_ms=2 * hour)
    again.tell(pay(9, T0 + hour), processed(first, DECLINED, card=77))
    assert Code(int(again.one(pay(2, T0 + 2 * hour, card=77))["code"])).name == "OK"


def test_a_card_that_has_given_way_is_counted_anew() -> None:
    engine = Engine(SMALL, settings(card_declines_1h=1), merchant(), *funded())
    payment = pending(engine, 1, card=77, limit_ms=10**9)
    engine.tell(*(pay(number, T0, card=1000 + number) for number in range(10, 10 + SMALL.cards)))
    settled(engine, processed(payment, DECLINED, card=77))
    assert Code(int(engine.one(pay(500, T0, card=77))["code"])).name == "VELOCITY"


def test_sums_keep_what_the_processor_declined_and_a_new_try_is_no_double_charge() -> None:
    limited = [account_balances(1, [(EUR, BALANCE, -1, -1, 1500)]), account()]
    engine = Engine(SMALL, settings(), merchant(), *limited)
    payment = pending(engine, 1, card=77, amount=700)
    engine.tell(processed(payment, DECLINED, card=77))
    assert Code(int(engine.one(pay(2, T0, card=77, amount=700))["code"])).name == "OK"
    assert Code(int(engine.one(pay(3, T0, card=78, amount=700))["code"])).name == "SUM_LIMIT"


def test_a_second_payment_beside_a_pending_one_is_a_double_charge() -> None:
    engine = Engine()
    pending(engine, 1, card=77)
    assert Code(int(engine.one(forwarded(2, T0, card=77))["code"])).name == "DOUBLE_CHARGE"


def test_without_an_answer_in_time_the_hold_is_released_and_a_reversal_owed() -> None:
    engine = Engine()
    payment = pending(engine)
    assert len(engine.tell(pay(2, T0 + LIMIT_MS - 1))) == 1
    event = settled(engine, pay(3, T0 + LIMIT_MS))
    assert said(event) == ("SETTLED", "PROCESSOR_DOWN", "DECLINE", State.DECLINED)
    assert (event["session"], event["req_seq"], event["held"], event["approved_amount"]) == (0, 0, 0, 0)
    assert owed(engine) == [payment]
    assert engine.s["cards"][0]["declines"]["total"] == 0
    assert said(engine.one(forwarded(1, T0 + LIMIT_MS)))[1] == "PROCESSOR_DOWN"


def test_by_the_engines_clock_the_runtime_is_told_when_an_answer_is_late() -> None:
    engine = Engine(SMALL, settings(Clock.ENGINE), merchant(), *funded())
    engine.eng_ts = T0 * 1_000_000
    payment = pending(engine)
    due = int(next_due(as_kernels_see(engine.s)))
    assert due == (T0 + LIMIT_MS) * 1_000_000
    engine.eng_ts = due - 1
    assert len(engine.tell(command(Op.TICK))) == 0
    engine.eng_ts = due
    assert said(engine.one(command(Op.TICK)))[:2] == ("SETTLED", "PROCESSOR_DOWN")
    assert owed(engine) == [payment]


@pytest.mark.parametrize(("outcome", "owes"), [(UNKNOWN, True), (NOT_SENT, False)])
def test_a_door_that_gives_up_releases_the_hold_at_once(outcome: Processed, owes: bool) -> None:
    engine = Engine()
    payment = pending(engine)
    event = settled(engine, processed(payment, outcome))
    assert said(event) == ("SETTLED", "PROCESSOR_DOWN", "DECLINE", State.DECLINED)
    assert (owed(engine), balance(engine)) == ([payment] if owes else [], (BALANCE, 0))
    assert engine.s["cards"][0]["declines"]["total"] == 0


@pytest.mark.parametrize("second", list(Processed))
@pytest.mark.parametrize("first", list(Processed))
def test_a_second_answer_changes_nothing(first: Processed, second: Processed) -> None:
    engine = Engine()
    payment = pending(engine)
    engine.tell(processed(payment, first))
    before = balance(engine), owed(engine), row_of(engine, payment).tobytes()
    event = engine.one(processed(payment, second))
    assert said(event)[:2] == ("DONE", "NOT_OPEN")
    assert (balance(engine), owed(engine), row_of(engine, payment).tobytes()) == before
    assert_whole(engine.s)


def test_a_late_approval_changes_nothing_and_the_reversal_stays_owed() -> None:
    engine = Engine()
    payment = pending(engine)
    engine.tell(pay(3, T0 + LIMIT_MS))
    assert said(engine.one(processed(payment, APPROVED)))[:2] == ("DONE", "NOT_OPEN")
    assert (owed(engine), row_of(engine, payment)["state"]) == ([payment], State.DECLINED)
    assert balance(engine) == (BALANCE, 1000)  # of the other payment


def test_an_answer_about_no_payment_is_not_found() -> None:
    engine = Engine()
    assert said(engine.one(processed(99, APPROVED)))[:2] == ("DONE", "NOT_FOUND")
    assert said(engine.one(command(Op.CONFIRMED, payment=99)))[:2] == ("DONE", "NOT_FOUND")


def test_another_body_under_the_key_of_a_pending_payment_is_a_duplicate() -> None:
    engine = Engine()
    payment = pending(engine)
    event = engine.one(forwarded(1, T0, body=999))
    assert (said(event)[1], event["state"], event["payment"]) == ("DUPLICATE", State.PENDING, payment)
    repeated = engine.one(forwarded(1, T0))
    assert (said(repeated)[1], repeated["state"], repeated["replayed"]) == ("OK", State.PENDING, 1)


def test_part_of_an_amount_is_forwarded_where_that_is_all_there_is() -> None:
    engine = Engine(SMALL, settings(), merchant(), *funded(1, {EUR: 600}))
    event = engine.one(forwarded(1, T0, options=WANTS_PARTIAL))
    assert (said(event)[1], event["approved_amount"], event["state"]) == ("PARTIAL", 600, State.PENDING)
    assert said(settled(engine, processed(int(event["payment"]), APPROVED)))[1] == "PARTIAL"
    assert balance(engine) == (600, 600)


def test_what_is_not_approved_is_not_pending() -> None:
    engine = Engine()
    assert engine.one(forwarded(1, T0, score=750))["state"] == State.REVIEW
    assert engine.one(forwarded(2, T0, score=950))["state"] == State.DECLINED
    reviewed = engine.one(operation(Op.REVIEW, int(engine.s["seq"]) - 1, 3, T0, kind=1))
    assert reviewed["state"] == State.OPEN
    assert_whole(engine.s)


def test_an_account_that_is_closed_meanwhile_changes_nothing_for_a_pending_payment() -> None:
    engine = Engine()
    payment = pending(engine)
    engine.tell(account(status=AccountStatus.CLOSED, begins=True))
    assert settled(engine, processed(payment, APPROVED))["state"] == State.OPEN


def test_more_late_answers_than_leave_with_one_command_are_told_in_parts() -> None:
    engine = Engine(SMALL, settings(), merchant(), *funded())
    many = EXPIRED_MAX + 5
    for number in range(many):
        pending(engine, number)
    events = engine.tell(pay(200, T0 + LIMIT_MS))
    assert [each["kind"] for each in events] == [EventKind.SETTLED] * EXPIRED_MAX + [EventKind.DECIDED]
    assert len(owed(engine)) == many
    assert balance(engine)[1] == 1000
    later = engine.tell(pay(201, T0 + LIMIT_MS))
    assert [each["kind"] for each in later] == [EventKind.SETTLED] * 5 + [EventKind.DECIDED]
    assert_whole(engine.s)


def test_a_shorter_deadline_waits_for_the_longer_one_before_it() -> None:
    engine = Engine()
    one, other = pending(engine, 1, limit_ms=5000), pending(engine, 2, limit_ms=100)
    engine.tell(pay(3, T0 + 4999))
    assert owed(engine) == []
    engine.tell(pay(4, T0 + 5000))
    assert owed(engine) == [one, other]
    assert_whole(engine.s)


def test_an_answer_that_was_forgotten_is_no_hindrance() -> None:
    engine = Engine()
    payment = pending(engine, limit_ms=10**9)
    engine.tell(*(pay(number, T0, merchant=5) for number in range(10, 10 + SMALL.answers // 2)))
    engine.tell(*(forwarded(number, T0, limit_ms=10**9) for number in range(300, 300 + SMALL.answers)))
    settled(engine, processed(payment, DECLINED))
    assert row_of(engine, payment)["state"] == State.DECLINED


def test_the_flag_of_forwarding_changes_no_decision() -> None:
    for number, given in enumerate([{}, {"score": 950}, {"amount": 2 * 10**9}, {"account": 9}]):
        plain, other = Engine(), Engine()
        one = plain.one(pay(number, T0, **given))
        two = other.one(forwarded(number, T0, **given))
        assert [one[name] for name in ("code", "rule", "field", "decision", "matched")] == [
            two[name] for name in ("code", "rule", "field", "decision", "matched")
        ]


def test_on_trial_a_payment_counts_by_the_code_of_its_decision() -> None:
    plain, other = Engine(), Engine()
    for engine in (plain, other):
        engine.tell(ruleset(score_review=100), trial(Act.SHADOW, 2, max_disagree_ppm=10**6))
    for number, score in enumerate((-1, 200, 950, -1)):
        plain.tell(pay(number, T0, score=score))
        told = other.tell(forwarded(number, T0, score=score))
        if told[0]["state"] == State.PENDING:
            other.tell(processed(int(told[0]["payment"]), DECLINED, number))
    one, two = (engine.s["trial"][0] for engine in (plain, other))
    for name in one.dtype.names:
        assert np.array_equal(one[name], two[name]), name
    assert plain.s["trial"][0]["seen"] == 4
    assert_whole(other.s)
