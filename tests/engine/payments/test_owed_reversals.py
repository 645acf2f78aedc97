"""Reversals that are owed to a processor: what a void of a forwarded payment does, and what a debt keeps."""

import pytest

from engine.payments.records import Field, Op, State
from tests.engine.payments.building import (
    MINUTE_MS,
    SMALL,
    T0,
    Engine,
    command,
    forwarded,
    operation,
    pay,
    processed,
    reverse,
)
from tests.engine.payments.invariants import assert_whole
from tests.engine.payments.test_forwarding import (
    APPROVED,
    BALANCE,
    UNKNOWN,
    balance,
    owed,
    pending,
    row_of,
    said,
)


def test_a_confirmed_reversal_is_owed_no_more_and_confirmed_once() -> None:
    engine = Engine()
    one, other = pending(engine, 1), pending(engine, 2)
    engine.tell(processed(one, UNKNOWN), processed(other, UNKNOWN))
    assert owed(engine) == [one, other]
    assert said(engine.one(command(Op.CONFIRMED, payment=one)))[:2] == ("DONE", "OK")
    assert owed(engine) == [other]
    assert said(engine.one(command(Op.CONFIRMED, payment=one)))[:2] == ("DONE", "NOT_OPEN")
    assert_whole(engine.s)


def test_a_payment_whose_reversal_is_owed_gives_way_to_no_other() -> None:
    engine = Engine()
    payment = pending(engine)
    engine.tell(processed(payment, UNKNOWN))
    engine.tell(*(pay(number, T0, merchant=5) for number in range(10, 9 + SMALL.payments)))
    later = T0 + 5 * MINUTE_MS
    engine.tell(*(pay(number, later, merchant=5) for number in range(500, 500 + SMALL.payments)))
    assert row_of(engine, payment)["state"] == State.DECLINED
    engine.tell(command(Op.CONFIRMED, payment=payment))
    later += 5 * MINUTE_MS
    engine.tell(*(pay(number, later, merchant=5) for number in range(900, 900 + SMALL.payments)))
    assert not any(row["payment"] == payment for row in engine.s["payments"])
    assert_whole(engine.s)


def test_a_pending_payment_is_neither_captured_nor_refunded_nor_voided_in_part() -> None:
    engine = Engine()
    payment = pending(engine)
    for number, (op, amount) in enumerate(
        [(Op.CAPTURE, -1), (Op.CAPTURE, 1), (Op.REFUND, -1), (Op.VOID, 999)]
    ):
        event = engine.one(operation(op, payment, number, T0, amount=amount))
        assert said(event)[1] == "NOT_OPEN"
        assert (event["field"], event["state"], event["amount"]) == (Field.PAYMENT, State.PENDING, 0)
    assert said(engine.one(operation(Op.VOID, payment, 9, T0, amount=1001)))[1] == "EXCEEDS_AUTHORISED"
    assert balance(engine) == (BALANCE, 1000)


@pytest.mark.parametrize("by_request", [False, True])
@pytest.mark.parametrize("is_sale", [False, True])
def test_a_void_of_a_pending_payment_declines_it_and_owes_the_reversal(
    by_request: bool, is_sale: bool
) -> None:
    engine = Engine()
    payment = pending(engine, sale=is_sale)
    void = reverse(1, T0) if by_request else operation(Op.VOID, payment, 5, T0, amount=1000)
    moved, event = engine.tell(void)
    assert said(moved) == ("MOVED", "OK", "APPROVE", State.VOIDED)
    assert (moved["amount"], moved["held"]) == (1000, 0)
    assert said(event) == ("SETTLED", "REVERSED", "DECLINE", State.VOIDED)
    assert (owed(engine), balance(engine)) == ([payment], (BALANCE, 0))
    repeated = engine.one(void)
    assert (repeated["replayed"], repeated["amount"], said(repeated)[1]) == (1, 1000, "OK")
    assert said(engine.one(forwarded(1, T0, sale=is_sale)))[1:3] == ("REVERSED", "DECLINE")
    assert said(engine.one(processed(payment, APPROVED)))[1] == "NOT_OPEN"
    assert_whole(engine.s)


def test_a_whole_void_of_a_forwarded_payment_owes_the_reversal_and_one_in_part_does_not() -> None:
    engine = Engine()
    whole, in_part, captured, own = (pending(engine, number) for number in (1, 2, 3, 4))
    engine.tell(*(processed(each, APPROVED) for each in (whole, in_part, captured, own)))
    engine.tell(operation(Op.VOID, whole, 5, T0), operation(Op.VOID, in_part, 6, T0, amount=400))
    engine.tell(operation(Op.CAPTURE, captured, 7, T0, amount=1), operation(Op.VOID, captured, 8, T0))
    assert owed(engine) == [whole]
    engine.tell(operation(Op.VOID, in_part, 9, T0))
    assert owed(engine) == [whole, in_part]
    plain = int(engine.one(pay(9, T0))["payment"])
    engine.tell(operation(Op.VOID, plain, 10, T0))
    assert owed(engine) == [whole, in_part]
    assert_whole(engine.s)
