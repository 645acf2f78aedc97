"""Random commands over small tables: behind each few of them everything is whole, and money is conserved."""

import random
from typing import Any

import pytest

from engine.payments.codes import Code
from engine.payments.records import (
    EVENT,
    FINAL,
    HAS_SCA,
    LIST_REMOVE,
    WANTS_EXPLANATION,
    WANTS_PARTIAL,
    Channel,
    Decision,
    EventKind,
    ListKind,
    Op,
)
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    JPY,
    SMALL,
    T0,
    Engine,
    command,
    deposit,
    funded,
    merchant,
    merchant_limits,
    operation,
    pay,
    reverse,
    settings,
)
from tests.engine.payments.invariants import assert_whole, money

STEPS = 3_000
LOOK_EVERY = 100
PERMITTED = 5
"""The least captured of a hundred commands shows that the flow does more than decline."""


class Flow:
    """Commands that know what was approved before them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = T0
        self.number = 0
        self.known: list[int] = [1]

    def next(self) -> Any:
        """Return the next command."""
        choose, self.number = self.random, self.number + 1
        self.now += choose.choices((0, 1, 900, 9_000, 700_000, 3 * DAY_MS), (30, 30, 30, 30, 3, 1))[0]
        kind = choose.random()
        if kind < 0.6:
            return self.pay()
        if kind < 0.9:
            op = choose.choice((Op.CAPTURE, Op.CAPTURE, Op.VOID, Op.REFUND, Op.REVIEW))
            amount = choose.choice((-1, -1, 1, 400, 1000, 2000))
            final = choose.choice((0, FINAL)) if op == Op.CAPTURE else choose.choice((1, 2))
            known, number = (
                choose.choice(self.known[-40:]),
                choose.choice((self.number, choose.randrange(50))),
            )
            return operation(op, known, number, self.now, amount=amount, kind=final)
        if kind < 0.93:
            return reverse(choose.randrange(self.number + 3), self.now)
        if kind < 0.96:
            return deposit(choose.randrange(400), choose.choice((-3000, 500, 5000)))
        return self.listed()

    def pay(self) -> Any:
        """Return a PAY of few cards, devices and merchants."""
        choose = self.random
        options = choose.choice((0, 0, HAS_SCA, WANTS_PARTIAL, WANTS_EXPLANATION))
        given = {name: choose.randrange(1, 90) for name in ("card", "device", "ip", "email")}
        given["score"] = choose.choice((-1, -1, 100, 750, 950))
        given["channel"] = choose.choice((Channel.ECOM, Channel.POS))
        return pay(
            self.number if choose.random() < 0.9 else choose.randrange(self.number),
            self.now,
            merchant=choose.randrange(5),
            account=choose.randrange(1, 5),
            amount=choose.choice((1, 90, 1000, 2500, 40_000)),
            currency=choose.choice((EUR, EUR, JPY)),
            bin=choose.choice((-1, 411111, 522222)),
            bin_digits=6,
            options=options,
            sale=choose.random() < 0.3,
            **given,
        )

    def listed(self) -> Any:
        """Return a LIST of one card."""
        kind = self.random.choice((ListKind.LOST, ListKind.BLOCK_CARD, ListKind.ALLOW_CARD))
        options = self.random.choice((0, LIST_REMOVE))
        return command(
            Op.LIST, kind=kind, options=options, payment=1, words={0: self.random.randrange(1, 90), 1: 1}
        )


def begun() -> Engine:
    limits = merchant_limits(2, [(EUR, 50, 30_000, 10**6, 2000, 500)])
    merchants = [merchant(0), limits, merchant(2, begins=False, hold_days=1), merchant(3, hold_days=31)]
    accounts = [each for number in (1, 2, 3) for each in funded(number, {EUR: 200_000, JPY: 50_000})]
    velocity: Any = {"card_1m": 5, "device_cards_24h": 20, "ip_cards_1h": 20, "scheme_retry": 6}
    return Engine(SMALL, settings(bin_declines_1h=30, **velocity), *merchants, *accounts)


@pytest.mark.parametrize("seed", range(6))
def test_everything_is_whole_behind_random_commands(seed: int) -> None:
    engine, flow = begun(), Flow(seed)
    at_first = money(engine.s)
    moved = dict.fromkeys(at_first, 0)
    captured: dict[int, int] = {}
    for step in range(STEPS):
        for event in engine.tell(flow.next()):
            _follow(event, flow, moved, captured)
        if step % LOOK_EVERY == 0:
            assert_whole(engine.s)
            assert money(engine.s) == {name: at_first[name] + moved[name] for name in at_first}
    assert_whole(engine.s)
    assert len(captured) > PERMITTED
    assert engine.s["decided"] > STEPS // 3
    assert engine.s["card_table"]["early"] > 0


def _follow(event: Any, flow: Flow, moved: dict[int, int], captured: dict[int, int]) -> None:
    """Reckon from the events alone what has come into the balances, and what has left them."""
    assert event.dtype == EVENT
    payment = int(event["payment"])
    if event["kind"] == EventKind.DECIDED and event["decision"] in (Decision.APPROVE, Decision.REVIEW):
        flow.known.append(payment)
    currency = int(event["currency"])
    if event["kind"] == EventKind.DONE and event["op"] == Op.DEPOSIT and event["code"] == Code.OK:
        moved[currency] += 0 if event["replayed"] else int(event["amount"])
    if event["replayed"] or event["code"] in (Code.DUPLICATE, Code.NOT_FOUND):
        return
    if event["kind"] == EventKind.DECIDED and event["captured"] == 0:
        is_sale = event["state"] == 2
        now = int(event["approved_amount"]) if is_sale else 0
    elif event["kind"] == EventKind.MOVED and payment:
        now = int(event["captured"]) - int(event["refunded"])
    else:
        return
    if payment:
        moved[currency] -= now - captured.get(payment, 0)
        captured[payment] = now
