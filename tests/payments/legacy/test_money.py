import random
from typing import Any

import pytest

from tests.payments.legacy.service import Legacy
from tests.payments.legacy.steps import CARDS, NOW
from tests.payments.legacy.usual import payment
from tests.payments.legacy.windows import DAY_MS, HOUR_MS

ACCOUNTS = (1, 2, 3)


@pytest.mark.parametrize("seed", range(20))
def test_money_is_conserved_and_held_for_open_payments_alone(seed: int) -> None:
    random_source = random.Random(seed)
    service, paid = Legacy({"card_1m": None, "card_1h": None, "card_declines_1h": None}), 0
    service.set_up({"op": "merchant", "merchant": "m1", "hold_days": 1})
    for account in ACCOUNTS:
        paid += 20_000
        service.set_up({"op": "account", "account": account, "balances": {"EUR": 20_000}})
    payments: list[str] = []
    at = NOW
    for number in range(400):
        at += random_source.choice((1, HOUR_MS))
        paid += one_command(service, random_source, number, at, payments)

    shown = [service.payment(each) or {} for each in payments]
    totals = [(service.account(each) or {})["balances"]["EUR"] for each in ACCOUNTS]
    assert (
        sum(each["captured"] - each["refunded"] for each in shown) + sum(each["total"] for each in totals)
        == paid
    )
    assert sum(each["held"] for each in shown) == sum(each["held"] for each in totals)
    assert all(each["state"] == "open" for each in shown if each["held"])
    assert all(each["available"] >= 0 <= each["held"] for each in totals)
    assert {"captured", "voided", "expired", "declined"} <= {each["state"] for each in shown}


def one_command(service: Legacy, random_source: random.Random, number: int, at: int, known: list[str]) -> int:
    """Ask for something, of a payment that is new or known; return what was deposited."""
    asked: dict[str, Any] = {"request_id": f"r{number}", "received_at": at}
    if number % 40 == 39:
        line = {"op": "deposit", "account": 1 + number % 3, "currency": "EUR", "id": f"d{number}"}
        amount = random_source.randint(-3_000, 5_000) or 1
        return amount if service.set_up({**line, "amount": amount})["code"] == "OK" else 0
    if number % 2 == 0:
        asked |= {"amount": random_source.randint(1, 5_000), "account": random_source.choice(ACCOUNTS)}
        asked |= {"card": {"pan": random_source.choice(CARDS), "expiry": "3012"}}
        asked |= {"op": random_source.choice(("authorise", "authorise", "sale"))}
        asked |= {"score": random_source.choice((0, 0, 750, 950)), "allow_partial": True}
        known.append(service.pay(payment(**asked), at + DAY_MS)["payment"])
        return 0
    kind = random_source.choice(("capture", "void", "refund", "review"))
    if kind == "review":
        asked = {"outcome": random_source.choice(("approve", "decline")), "received_at": at}
    elif random_source.random() < 0.7:
        asked |= {"amount": random_source.randint(1, 3_000)}
    service.operate(kind, random_source.choice(known[-8:]), asked, at + DAY_MS)
    return 0
