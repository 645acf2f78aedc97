"""Payments, answers of a processor, timers, voids and captures in any order come out as in a plain model."""

import os
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from engine.payments.codes import Code
from engine.payments.forwarding import Forwarding, Processed
from engine.payments.records import EventKind, Op, State
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    SMALL,
    T0,
    Engine,
    command,
    forwarded,
    funded,
    merchant,
    operation,
    pay,
    processed,
    reverse,
    settings,
)
from tests.engine.payments.invariants import assert_whole, money

BALANCE, AMOUNT, LIMIT_MS, HOLD_DAYS = 10**7, 1000, 2000, 7
PLACES = st.sampled_from((0, 0, 0, 1, 2))
"""Of the payments the first ones: each meets with much."""
AMOUNTS = st.sampled_from((-1, -1, 1, 400, AMOUNT, AMOUNT + 1))
OUTCOMES = st.sampled_from((*(Processed.APPROVED,) * 4, *Processed))
ACTIONS = st.one_of(
    st.tuples(st.just("pay"), st.booleans(), st.booleans()),
    st.tuples(st.just("answer"), PLACES, OUTCOMES),
    st.tuples(
        st.just("wait"), st.sampled_from((1, 1, 1, LIMIT_MS - 1, LIMIT_MS, DAY_MS, HOLD_DAYS * DAY_MS))
    ),
    st.tuples(st.just("operate"), PLACES, st.sampled_from((Op.CAPTURE, Op.VOID, Op.REFUND)), AMOUNTS),
    st.tuples(st.just("reverse"), PLACES),
    st.tuples(st.just("repeat"), PLACES),
    st.tuples(st.just("confirm"), PLACES),
)


@dataclass
class Expected:
    """What a payment must be."""

    payment: int
    number: int
    is_sale: bool
    forwards: bool
    due: int
    state: State = State.PENDING
    code: str = "OK"
    held: int = AMOUNT
    captured: int = 0
    refunded: int = 0
    approved: int = AMOUNT
    is_owed: bool = False
    was_reversed: bool = False


@dataclass
class Model:
    """The same as the engine, in the plainest words; each method is one command."""

    now: int = T0
    payments: list[Expected] = field(default_factory=list)

    def end_due(self) -> None:
        for each in self.payments:
            if each.due <= self.now and each.state == State.PENDING:
                self.end(each, "PROCESSOR_DOWN", State.DECLINED, owes=True)
            elif each.due <= self.now and each.state == State.OPEN:
                each.state, each.held = State.EXPIRED, 0

    def pay(self, payment: int, number: int, is_sale: bool, forwards: bool) -> None:
        due = self.now + (LIMIT_MS if forwards else HOLD_DAYS * DAY_MS)
        made = Expected(payment, number, is_sale, forwards, due)
        if not forwards:
            self.approve(made)
        self.payments.append(made)

    def approve(self, each: Expected) -> None:
        each.state, each.due = State.OPEN, self.now + HOLD_DAYS * DAY_MS
        if each.is_sale:
            each.state, each.held, each.captured = State.CAPTURED, 0, each.held

    def end(self, each: Expected, code: str, state: State, owes: bool) -> None:
        each.state, each.code, each.held, each.approved, each.is_owed = state, code, 0, 0, owes

    def answer(self, each: Expected, outcome: Processed) -> None:
        if each.state != State.PENDING:
            return
        if outcome == Processed.APPROVED:
            self.approve(each)
        elif outcome == Processed.DECLINED:
            self.end(each, "PROCESSOR_DECLINED", State.DECLINED, owes=False)
        else:
            self.end(each, "PROCESSOR_DOWN", State.DECLINED, owes=outcome == Processed.UNKNOWN)

    def operate(self, each: Expected, op: Op, amount: int) -> None:
        if op == Op.REFUND:
            left = each.captured - each.refunded
            if 0 < left and amount <= left:
                each.refunded += left if amount < 0 else amount
            return
        amount = each.held if amount < 0 else amount
        if not 0 < amount <= each.held:
            return
        if each.state == State.PENDING:
            if op == Op.VOID and amount == each.held:
                self.end(each, "REVERSED", State.VOIDED, owes=True)
            return
        each.held -= amount
        each.captured += amount if op == Op.CAPTURE else 0
        if each.held == 0:
            each.state = State.CAPTURED if each.captured else State.VOIDED
            each.is_owed = each.state == State.VOIDED and each.forwards

    def reverse(self, each: Expected) -> None:
        if not each.was_reversed:
            each.was_reversed = True
            self.operate(each, Op.VOID, -1)


class Pair:
    """The engine and the model, told the same."""

    def __init__(self) -> None:
        funds = funded(1, {EUR: BALANCE})
        self.engine = Engine(SMALL, settings(card_1m=-1, card_1h=-1), merchant(), *funds)
        self.model = Model()
        self.number = 0
        self.settled: set[int] = set()

    def do(self, action: tuple[Any, ...]) -> None:
        """Take one action on both."""
        kind, *said = action
        self.number += 1
        if kind == "wait":
            self.model.now += said[0]
            self.tell(command(Op.REVIEW, payment=1, received_at=self.model.now))
        elif kind == "pay":
            make = forwarded if said[1] else pay
            event = self.tell(make(self.number, self.model.now, sale=said[0]))
            self.model.pay(int(event["payment"]), self.number, *said)
        elif said[0] < len(self.model.payments):
            self._do_to(self.model.payments[said[0]], kind, said[1:])

    def _do_to(self, each: Expected, kind: str, said: list[Any]) -> None:
        model, now = self.model, self.model.now
        if kind == "answer":
            self.tell(processed(each.payment, said[0], each.number))
            model.answer(each, said[0])
        elif kind == "operate":
            self.tell(operation(said[0], each.payment, self.number, now, amount=said[1]))
            model.operate(each, *said)
        elif kind == "reverse" and now < T0 + DAY_MS:  # a day later it is one that has not come yet
            self.tell(reverse(each.number, now))
            model.reverse(each)
        elif kind == "confirm":
            self.tell(command(Op.CONFIRMED, payment=each.payment))
            each.is_owed = False
        elif kind == "repeat" and now < T0 + DAY_MS:
            make = forwarded if each.forwards else pay
            event = self.tell(make(each.number, now, sale=each.is_sale))
            assert (event["replayed"], event["payment"]) == (1, each.payment)
            assert Code(int(event["code"])).name == each.code
            assert (event["state"] == State.PENDING) == (each.state == State.PENDING)

    def tell(self, each: Any) -> Any:
        """Apply a command; return the event that answers it. A payment is settled once at most."""
        self.model.end_due()
        events = self.engine.tell(each)
        for event in events[events["kind"] == EventKind.SETTLED]:
            assert int(event["payment"]) not in self.settled
            self.settled.add(int(event["payment"]))
        return next(event for event in events if event["kind"] not in (EventKind.SETTLED, EventKind.EXPIRED))

    def compare(self) -> None:
        """Assert that every payment is what the model says."""
        rows = {int(row["payment"]): row for row in self.engine.s["payments"] if row["payment"]}
        for each in self.model.payments:
            row = rows[each.payment]
            assert State(int(row["state"])) == each.state
            assert Code(int(row["code"])).name == each.code
            standing = [int(row[name]) for name in ("held", "captured", "refunded", "approved_amount")]
            assert standing == [each.held, each.captured, each.refunded, each.approved]
            assert (row["forwarding"] == Forwarding.OWED) == each.is_owed
            assert (each.payment in self.settled) == (each.forwards and each.state != State.PENDING)
        moved = sum(each.captured - each.refunded for each in self.model.payments)
        assert money(self.engine.s) == {EUR: BALANCE - moved}
        assert_whole(self.engine.s)


@tried(deadline=None, max_examples=1000 if os.environ.get("PINION_LONG") == "1" else 40)
@given(st.booleans(), st.lists(ACTIONS, min_size=12, max_size=30))
def test_whatever_comes_in_whatever_order_the_model_has_it_so(
    is_sale: bool, actions: list[tuple[Any, ...]]
) -> None:
    pair = Pair()
    pair.do(("pay", is_sale, True))
    for action in actions:
        pair.do(action)
        pair.compare()
