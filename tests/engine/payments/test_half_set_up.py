"""Who is set up halfway, between two commands of one line, is not known yet."""

from engine.payments.codes import Code
from engine.payments.kernels.rows import NIL
from engine.payments.records import Clock
from tests.engine.payments.building import (
    EUR,
    SMALL,
    Engine,
    account,
    account_balances,
    funded,
    merchant,
    merchant_limits,
    pay,
    settings,
)


def test_a_merchant_of_which_only_limits_are_told_is_not_there() -> None:
    engine = Engine(SMALL, settings(Clock.ENGINE), *funded(), merchant_limits(0, [(EUR, -1, 9, -1, -1, -1)]))

    event = engine.one(pay(1, amount=1))

    assert Code(int(event["code"])) == Code.BAD_MERCHANT
    assert engine.s["payments"][0]["merchant"] == NIL
    engine.tell(merchant(begins=False))
    assert Code(int(engine.one(pay(2, amount=1))["code"])) == Code.OK
    assert Code(int(engine.one(pay(3, amount=10))["code"])) == Code.AMOUNT_LIMIT


def test_an_account_of_which_only_balances_are_told_is_not_there() -> None:
    balances = account_balances(1, [(EUR, 1_000, -1, -1, -1)])
    engine = Engine(SMALL, settings(Clock.ENGINE), merchant(), balances)

    event = engine.one(pay(1, amount=1))

    assert Code(int(event["code"])) == Code.NO_ACCOUNT
    assert engine.s["payments"][0]["account"] == NIL
    engine.tell(account(1))
    assert Code(int(engine.one(pay(2, amount=1_000))["code"])) == Code.OK
