"""Accounts on margin and reduce-only orders, as the API tells them."""

from typing import Any

import pytest

from api.documents import account_document, instrument_document, order_document
from tests.api.exchange import Exchange


@pytest.fixture
def exchange() -> Exchange:
    """An instrument with margins; account 4 on margin with 100 USD, 3 on cash."""
    made = Exchange()
    margins = {"initial_margin_ppm": 100_000, "maintenance_margin_ppm": 50_000}
    steps = {"tick_size": "0.01", "lot_size": "1"}
    made.define({"op": "instrument", "symbol": "MRG", "base": "BTC", "quote": "USD", **steps, **margins})
    made.define({"op": "account", "account": 4, "funding": "margin", "deposit": {"USD": "100"}})
    return made


def document(exchange: Exchange, account: int = 4) -> Any:
    found = exchange.view.account(account)
    assert found is not None
    return account_document(found)


def enter(exchange: Exchange, account: int, side: str, price: str, quantity: str, **more: Any) -> None:
    exchange.order(account, side, price, quantity, symbol="MRG", **more)


def test_an_account_on_cash_has_no_margin(exchange: Exchange) -> None:
    told = document(exchange, 3)

    assert (told["funding"], told["margin"], told["unlimited"]) == ("cash", None, False)


def test_what_is_in_use_and_free_is_told(exchange: Exchange) -> None:
    enter(exchange, 4, "buy", "10.00", "50")
    enter(exchange, 3, "sell", "10.00", "20")
    exchange.submit({"op": "mark", "symbol": "MRG", "price": "9.00"})
    exchange.submit({"op": "time", "now": 1})

    told = document(exchange)

    assert (told["funding"], told["unlimited"]) == ("margin", False)
    # 20 at 9.00 and open buys of 30 at 10.00; 20 were lost.
    assert told["margin"] == {
        **{"currency": "USD", "equity": "80", "initial": "48", "maintenance": "24", "free": "32"},
    }
    assert told["limits"] == {}


def test_a_warning_and_a_latch_of_the_maintenance_margin_are_told(exchange: Exchange) -> None:
    enter(exchange, 4, "buy", "10.00", "95")
    enter(exchange, 3, "sell", "10.00", "95")
    exchange.submit({"op": "mark", "symbol": "MRG", "price": "9.50"})
    exchange.submit({"op": "time", "now": 1})
    warned = document(exchange)["latches"]
    exchange.submit({"op": "mark", "symbol": "MRG", "price": "9.00"})
    exchange.submit({"op": "time", "now": 2})

    told = document(exchange)

    assert warned == [{"limit": "maintenance_margin", "level": "warn"}]
    assert told["latches"] == [{"limit": "maintenance_margin", "level": "reduce_only"}]
    assert told["margin"]["free"] == "-80.5"


def test_an_instrument_tells_its_margins(exchange: Exchange) -> None:
    known = exchange.view.catalogue.instruments
    told = [
        instrument_document(each, exchange.view.book_record(each.instrument_idx), False) for each in known
    ]

    assert [(each["initial_margin_ppm"], each["maintenance_margin_ppm"]) for each in told] == [
        (1_000_000, 1_000_000),
        (100_000, 50_000),
    ]


def test_an_order_tells_whether_it_only_reduces(exchange: Exchange) -> None:
    enter(exchange, 4, "buy", "10.00", "10")
    enter(exchange, 3, "sell", "10.00", "10")
    enter(exchange, 4, "sell", "11.00", "15", reduce_only=True)
    enter(exchange, 4, "sell", "12.00", "1")

    owned = exchange.view.orders(4)

    assert owned is not None
    told = [order_document(order) for order in owned.orders]
    assert [(each["reduce_only"], each["quantity"]) for each in told] == [(True, "10"), (False, "1")]
