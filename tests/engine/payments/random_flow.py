"""Random commands of payments over few cards, merchants and accounts."""

import random
from typing import Any

from engine.payments.records import (
    FINAL,
    HAS_SCA,
    LIST_REMOVE,
    WANTS_EXPLANATION,
    WANTS_PARTIAL,
    Channel,
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


def first_commands() -> list[Any]:
    """Return what comes before a flow: rules, merchants, accounts."""
    limits = merchant_limits(2, [(EUR, 50, 30_000, 10**6, 2000, 500)])
    merchants = [merchant(0), limits, merchant(2, begins=False, hold_days=1), merchant(3, hold_days=31)]
    accounts = [each for number in (1, 2, 3) for each in funded(number, {EUR: 200_000, JPY: 50_000})]
    velocity: Any = {"card_1m": 5, "device_cards_24h": 20, "ip_cards_1h": 20, "scheme_retry": 6}
    return [settings(bin_declines_1h=30, **velocity), *merchants, *accounts]


def begun() -> Engine:
    """Return an engine for a flow."""
    return Engine(SMALL, *first_commands())
