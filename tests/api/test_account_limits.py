"""What an account may do, and how near it is, as the API tells it."""

from typing import Any

import pytest

from api.documents import account_document
from tests.api.exchange import Exchange


@pytest.fixture
def exchange() -> Exchange:
    """Accounts 1 to 3 with USD, and an instrument quoted in EUR."""
    made = Exchange()
    made.define({"op": "currency", "currency": "EUR", "decimals": 2})
    steps = {"tick_size": "0.02", "lot_size": "0.5"}
    made.define({"op": "instrument", "symbol": "EEE", "base": "BTC", "quote": "EUR", **steps})
    made.define({"op": "rate", "currency": "EUR", "in": "USD", "price": "1.25"})
    made.define({"op": "account", "account": 2, "deposit": {"EUR": "1000"}})
    return made


def order(account: int, side: str, price: str, quantity: str, symbol: str = "EEE") -> dict[str, Any]:
    return {
        **{"op": "new", "account": account, "symbol": symbol, "side": side},
        **{"type": "limit", "price": price, "quantity": quantity},
    }


def document(exchange: Exchange, account: int = 1) -> Any:
    found = exchange.view.account(account)
    assert found is not None
    return account_document(found)


def test_an_account_without_limits_has_none(exchange: Exchange) -> None:
    told = document(exchange)

    assert (told["limits"], told["latches"], told["losses"]) == ({}, [], None)


def test_every_limit_is_told_with_what_is_measured(exchange: Exchange) -> None:
    exchange.define({"op": "account", "account": 1, "deposit": {"EUR": "100"}})
    exchange.submit(order(1, "buy", "10.00", "2", "BTC-USD"))
    exchange.submit(order(1, "buy", "10.00", "4"))
    exchange.define(
        {
            **{"op": "limits", "account": 1, "max_open_orders": 5, "max_position": "20", "order_rate": 10},
            **{"modify_rate": 3, "max_gross_exposure": "500", "max_concentration_ppm": 900_000},
            **{"max_fill_rate": "8", "fill_window_ms": 2000, "max_order_trade_ratio": 50},
            **{
                "max_daily_loss": "100.5",
                "max_drawdown": "200",
                "max_drawdown_bps": 5000,
                "on_breach": "warn",
            },
        }
    )
    exchange.submit({"op": "cancel", "account": 1, "order_id": 999})  # a message, though there is none
    exchange.submit(order(2, "sell", "10.00", "3"))
    exchange.submit({"op": "mark", "symbol": "EEE", "price": "8.00"})
    exchange.submit({"op": "time", "now": 1})
    told = document(exchange)

    # 30 EUR were paid for what is worth 24: a loss of 7.50 USD at the rate.
    assert told["losses"] == {
        **{"currency": "USD", "equity": "1000117.5", "peak": "1000125", "drawdown": "7.5"},
        "day_start": "1000125",
    }
    assert told["latches"] == []
    assert told["limits"] == {
        "max_open_orders": {"limit": 5, "measured": 2, "allowed": 5, "distance": 3},
        "max_position": {"limit": "20", "measured": "4", "allowed": "20", "distance": "16", "symbol": "EEE"},
        "order_rate": {"limit": 10},
        "order_burst": {"limit": 10},
        "modify_rate": {"limit": 3},
        "modify_burst": {"limit": 3},
        "max_gross_exposure": {"limit": "500", "measured": "62.5", "allowed": "500", "distance": "437.5"},
        "max_concentration_ppm": {
            **{"limit": 900_000, "measured": 680_000, "allowed": 900_000, "distance": 220_000},
            "symbol": "EEE",
        },
        "max_daily_loss": {
            **{"limit": "100.5", "measured": "7.5", "allowed": "100.5", "distance": "93"},
            "on_breach": "warn",
        },
        "max_drawdown": {
            **{"limit": "200", "measured": "7.5", "allowed": "200", "distance": "192.5"},
            "on_breach": "warn",
        },
        "max_drawdown_bps": {
            **{"limit": 5000, "measured": "7.5", "allowed": "500062.5", "distance": "500055"},
            "on_breach": "warn",
        },
        "max_fill_rate": {
            **{"limit": "8", "measured": "3", "allowed": "8", "distance": "5", "symbol": "EEE"},
            **{"window_ms": 2000, "on_breach": "warn"},
        },
        "max_order_trade_ratio": {
            **{"limit": 50, "measured": 1, "allowed": 100, "distance": 99, "window_ms": 60_000},
        },
    }


def test_a_latch_of_fills_is_told_and_a_warning_too(exchange: Exchange) -> None:
    exchange.define({"op": "limits", "account": 1, "max_fill_rate": "4", "max_order_trade_ratio": 2})
    exchange.define({"op": "account", "account": 1, "deposit": {"EUR": "100"}})
    exchange.submit(order(1, "buy", "10.00", "4"))
    exchange.submit(order(1, "buy", "1.00", "1"))
    exchange.submit(order(2, "sell", "10.00", "4"))

    told = document(exchange)

    assert told["latches"] == [{"limit": "max_fill_rate", "level": "cancel_and_block"}]
    assert told["open_orders"] == 0
    assert told["limits"]["max_fill_rate"]["distance"] == "0"
    assert exchange.view.latch_counts()["max_fill_rate"] == 1
