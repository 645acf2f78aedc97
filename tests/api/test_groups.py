"""Groups of accounts, as the API tells them."""

from typing import Any

import pytest

from api.documents import account_document
from api.groups import group_document
from engine.trading.view.group_view import GroupViews
from tests.api.exchange import Exchange


@pytest.fixture
def exchange() -> Exchange:
    """Group 7 of accounts 1 and 2, which have traded with account 3."""
    made = Exchange()
    made.define({"op": "account", "account": 2, "deposit": {"USD": "100000"}})
    made.define({"op": "account", "account": 3, "deposit": {"USD": "100000"}})
    made.define({"op": "group", "group": 7, "accounts": [1, 2]})
    return made


def order(account: int, side: str, price: str, quantity: str) -> dict[str, Any]:
    return {
        **{"op": "new", "account": account, "symbol": "BTC-USD", "side": side},
        **{"type": "limit", "price": price, "quantity": quantity},
    }


def document(exchange: Exchange, number: int = 7) -> Any:
    found = GroupViews(exchange.view).group(number)
    assert found is not None
    return group_document(found)


def test_an_account_names_its_group(exchange: Exchange) -> None:
    groups = {}
    for number in (1, 3):
        found = exchange.view.account(number)
        assert found is not None
        groups[number] = account_document(found)["group"]

    assert groups == {1: 7, 3: None}
    assert exchange.view.account(-7) is None
    assert GroupViews(exchange.view).group(8) is None


def test_a_group_is_told_with_the_sums_of_its_accounts(exchange: Exchange) -> None:
    for command in (
        {"op": "limits", "group": 7, "max_position": "20", "max_gross_exposure": "500", "max_drawdown": "40"},
        {"op": "limits", "group": 7, "max_open_orders": 3, "order_rate": 10, "max_fill_rate": "30"},
        order(3, "sell", "10", "5"),
        order(1, "buy", "10", "5"),
        order(3, "buy", "10", "2"),
        order(2, "sell", "10", "2"),
        order(2, "buy", "9", "1"),
    ):
        exchange.submit(command)
    exchange.submit({"op": "mark", "symbol": "BTC-USD", "price": "9"})
    exchange.submit({"op": "time", "now": 1})

    told = document(exchange)

    assert told["accounts"] == [1, 2]
    assert told["positions"] == [
        {
            **{"symbol": "BTC-USD", "quantity": "3", "gross_quantity": "7"},
            **{"open_buy_quantity": "1", "open_sell_quantity": "0"},
        }
    ]
    assert told["open_orders"] == 1
    limits = told["limits"]
    assert (limits["max_position"]["measured"], limits["max_position"]["distance"]) == ("4", "16")
    assert limits["max_gross_exposure"]["measured"] == "72"
    assert limits["max_drawdown"] == {
        **{"limit": "40", "measured": "3.07", "allowed": "40", "distance": "36.93"},
        "on_breach": "cancel_and_block",
    }
    assert limits["max_fill_rate"]["measured"] == "7"
    assert told["losses"]["currency"] == "USD"
    assert told["latches"] == []


def test_a_latch_and_a_kill_are_told_and_counted(exchange: Exchange) -> None:
    groups = GroupViews(exchange.view)
    exchange.submit({"op": "limits", "group": 7, "max_fill_rate": "5"})
    exchange.submit(order(3, "sell", "10", "5"))
    exchange.submit(order(1, "buy", "10", "5"))
    exchange.submit({"op": "kill", "group": 7})

    assert document(exchange)["latches"] == [
        {"limit": "kill", "level": "cancel_and_block"},
        {"limit": "max_fill_rate", "level": "cancel_and_block"},
    ]
    assert groups.latch_counts()["max_fill_rate"] == 1
    assert exchange.view.latch_counts()["max_fill_rate"] == 0


def test_a_latch_that_lets_a_group_only_reduce_is_counted(exchange: Exchange) -> None:
    exchange.submit({"op": "limits", "group": 7, "max_fill_rate": "5", "on_breach": "reduce_only"})
    exchange.submit(order(3, "sell", "10", "5"))
    exchange.submit(order(1, "buy", "10", "5"))

    assert document(exchange)["latches"] == [{"limit": "max_fill_rate", "level": "reduce_only"}]
    assert GroupViews(exchange.view).latch_counts()["max_fill_rate"] == 1
