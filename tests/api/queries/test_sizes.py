"""`GET /v1/accounts/{account}/size`: what an order would be given, answered without one."""

from decimal import Decimal
from typing import Any

import pytest

from api.queries.sizes import size_document
from engine.trading.records import Reason, Side
from gateways.json_lines.size_by import sizing_words
from tests.api.conftest import ONE, Instance
from tests.api.exchange import Exchange

RISK = "method=fixed_risk&risk_ppm=500&stop=99.50"
NOTIONAL = "method=fixed_notional&amount=1000"
VOLATILITY = "method=vol_target&target_ppm=10000&volatility_ppm=400000"
KELLY = "method=kelly&win_ppm=550000&payoff_ppm=1000000&cap_ppm=50000"


def path(query: str, account: int = 1, symbol: str = "BTC-USD", side: str = "buy") -> str:
    return f"/v1/accounts/{account}/size?symbol={symbol}&side={side}&{query}"


def size_by(query: str) -> dict[str, Any]:
    """Return what a query says as the object of an order."""
    named = dict(each.split("=") for each in query.split("&"))
    return {name: int(value) if name.endswith("_ppm") else value for name, value in named.items()}


@pytest.mark.parametrize("method", [RISK, NOTIONAL, VOLATILITY, KELLY])
async def test_the_answer_is_what_an_order_is_then_given(instance: Instance, method: str) -> None:
    status, asked = await instance.get(path(f"{method}&price=100.00"), ONE)

    reply = await instance.order(side="buy", price="100.00", size_by=size_by(method))

    assert status == 200
    assert asked["quantity"] == reply["quantity"] == reply["leaves_quantity"]
    assert asked["seq"] < reply["seq"]
    assert asked["price"] == asked["limit_price"] == "100"
    _, orders = await instance.get("/v1/orders?status=open", ONE)
    assert [order["quantity"] for order in orders["orders"]] == [asked["quantity"]]


async def test_the_answer_says_what_decided_it(instance: Instance) -> None:
    _, account = await instance.get("/v1/accounts/1", ONE)  # other tests have traded for it
    _, listed = await instance.get("/v1/instruments")
    money = account["balances"]["USD"]
    [lot] = [Decimal(each["lot_size"]) for each in listed["instruments"] if each["symbol"] == "BTC-USD"]
    _, free = await instance.get(path(f"{VOLATILITY}&price=100"), ONE)
    _, dear = await instance.get(path("method=fixed_notional&amount=9000000000&price=1000"), ONE)

    assert free["decided_by"] == "method"
    assert free["size_by"] == size_by(VOLATILITY)
    assert free["equity"] == money["equity"]
    assert free["currency"] == "USD"
    assert free["quantity"] == free["wanted_quantity"]
    assert Decimal(free["quantity"]) == Decimal(money["equity"]) / 40 / 100 // lot * lot
    assert dear["decided_by"] == "buying_power"
    assert dear["quantity"] == dear["caps"]["buying_power"]
    assert Decimal(dear["quantity"]) == Decimal(money["available"]) / 1000 // lot * lot
    assert dear["wanted_quantity"] == "9000000"
    assert (dear["equity"], dear["caps"]["max_position"]) == (None, None)


async def test_without_a_price_it_is_sized_at_the_opposite_best(instance: Instance) -> None:
    empty, refused = await instance.get(path(NOTIONAL, side="sell"), ONE)
    await instance.order(account=2, side="buy", price="200", quantity="1")

    status, asked = await instance.get(path(NOTIONAL, side="sell"), ONE)

    assert (empty, refused["reason"]) == (422, "no_liquidity")
    assert status == 200, asked
    assert (status, asked["price"], asked["quantity"]) == (200, "200", "5")


@pytest.mark.parametrize(
    ("query", "status", "reason", "field"),
    [
        ("price=100", 400, "invalid_field", "method"),
        ("method=martingale&price=100", 400, "invalid_field", "method"),
        ("method=fixed_risk&stop=99&price=100", 400, "invalid_field", "risk_ppm"),
        (f"{NOTIONAL}&stop=99&price=100", 400, "invalid_field", "stop"),
        ("method=fixed_risk&risk_ppm=5000&stop=100&price=100", 422, "invalid_field", "stop"),
        ("method=fixed_risk&risk_ppm=0&stop=99&price=100", 422, "out_of_range", "risk_ppm"),
        ("method=fixed_risk&risk_ppm=1&stop=99.999&price=100", 422, "off_tick", "stop"),
        ("method=fixed_notional&amount=ten&price=100", 400, "invalid_field", "amount"),
        ("method=vol_target&target_ppm=1&volatility_ppm=0&price=100", 400, "invalid_field", "volatility_ppm"),
        ("method=fixed_notional&amount=30000000&price=100", 422, "max_quantity", None),
        (f"{KELLY}&price=100.001", 422, "off_tick", "price"),
        (f"{KELLY}&price=0", 422, "invalid_price", "price"),
        (f"{KELLY}&price=99999999999", 422, "invalid_price", "price"),
    ],
)
async def test_what_cannot_be_sized_is_refused_by_name(
    instance: Instance, query: str, status: int, reason: str, field: str | None
) -> None:
    found, document = await instance.get(path(query), ONE)

    assert (found, document["reason"], document.get("field")) == (status, reason, field)


async def test_names_that_there_are_not_and_accounts_of_others_are_refused(instance: Instance) -> None:
    for asked, status, field in (
        (path(RISK, symbol="NONE"), 404, "symbol"),
        (path(RISK, account=77), 404, "account"),
        (f"/v1/accounts/1/size?side=buy&{RISK}", 400, "symbol"),
        (f"/v1/accounts/1/size?symbol=BTC-USD&{RISK}", 400, "side"),
        (path(RISK, side="both"), 400, "side"),
    ):
        found, document = await instance.get(asked)
        assert (found, document["field"]) == (status, field), asked
    foreign, _ = await instance.get(path(RISK, account=2), ONE)
    missing, _ = await instance.get(path(RISK, account=77), ONE)
    assert (foreign, missing) == (403, 403)


def sized(exchange: Exchange, side: Side, px: int, given: dict[str, Any]) -> Any:
    instrument = exchange.view.catalogue.instruments[0]
    words = sizing_words(given, instrument)
    found = exchange.view.size(1, 0, side, px, words)
    return found if found.reason else size_document(1, side, words, found)


def test_caps_and_equity_are_those_of_the_moment() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "300")
    exchange.order(2, "sell", "100", "100")
    exchange.submit({"op": "limits", "account": 1, "max_position": 500})
    exchange.submit({"op": "mark", "symbol": "BTC-USD", "price": "110"})
    target = {"method": "vol_target", "target_ppm": 1_000_000, "volatility_ppm": 1_000_000}

    buying, selling = (sized(exchange, side, 10_000, target) for side in (Side.BUY, Side.SELL))

    assert buying["equity"] == selling["equity"] == "1001000"  # 100 came at 100, and are worth 110 each
    assert buying["wanted_quantity"] == "10010"
    assert (buying["decided_by"], buying["quantity"]) == ("max_position", "200")  # 100 held, 200 open
    assert (selling["decided_by"], selling["quantity"]) == ("max_position", "600")
    assert (
        buying["caps"]["buying_power"] == "9690.109"
    )  # what 300 at 100 and the fee of 0.1 % leave, fee included
    assert selling["caps"]["buying_power"] is None


def test_an_account_that_cannot_be_measured_has_no_size_but_of_an_amount() -> None:
    exchange = Exchange()
    exchange.submit({"op": "account", "account": 1, "deposit": {"BTC": "1"}})

    by_equity = sized(exchange, Side.BUY, 10_000, {"method": "fixed_risk", "risk_ppm": 1, "stop": "99"})
    by_amount = sized(exchange, Side.BUY, 10_000, {"method": "fixed_notional", "amount": "150"})

    assert by_equity.reason == Reason.NO_RATE
    assert (by_amount["quantity"], by_amount["equity"]) == ("1.5", None)


def test_no_lot_is_a_quantity_of_zero() -> None:
    answer = sized(Exchange(), Side.BUY, 10_000, {"method": "fixed_notional", "amount": "0.09"})

    assert (answer["quantity"], answer["wanted_quantity"], answer["decided_by"]) == ("0", "0", "method")
