"""What every flow begins with: currencies, instruments and accounts."""

from typing import Any

Command = dict[str, Any]

PREAMBLE: tuple[Command, ...] = (
    {"op": "currency", "currency": "USD", "decimals": 2},
    {"op": "currency", "currency": "EUR", "decimals": 4},
    {"op": "currency", "currency": "JPY", "decimals": 0},
    {"op": "currency", "currency": "XYZ", "decimals": 0},
    {"op": "currency", "currency": "ABC", "decimals": 1},
    {"op": "currency", "currency": "ONE"},
    {
        **{"op": "instrument", "symbol": "XYZ", "base": "XYZ", "quote": "USD", "tick_size": "0.01"},
        **{"lot_size": "1", "maker_fee_ppm": -150, "taker_fee_ppm": 425, "protect_ticks": 4},
        **{"initial_margin_ppm": 100_000, "maintenance_margin_ppm": 98_000},
    },
    {
        **{"op": "instrument", "symbol": "ABC", "base": "ABC", "quote": "EUR", "tick_size": "0.25"},
        **{"lot_size": "0.1", "maker_fee_ppm": 100, "taker_fee_ppm": 300, "collar_bps": 1200},
        **{"max_price": "15", "max_quantity": "2.5", "max_notional": "25", "initial_margin_ppm": 250_000},
    },
    {"op": "instrument", "symbol": "ONE", "base": "ONE", "quote": "JPY", "tick_size": "1", "lot_size": "1"},
    {"op": "account", "account": 1, "deposit": {"USD": "1000", "EUR": "200", "JPY": "5000"}},
    {"op": "account", "account": 2, "deposit": {"USD": "500.05", "EUR": "100", "JPY": "5000"}},
    {"op": "account", "account": 3, "deposit": {"USD": 100000, "EUR": 100000, "JPY": 100000}},
    {"op": "account", "account": 4, "unlimited": True},
    {"op": "account", "account": 5, "deposit": {"USD": "100000", "EUR": "100000"}},
    {"op": "account", "account": 6, "deposit": {"USD": "200"}},
    {"op": "account", "account": 7, "reporting_currency": "EUR", "deposit": {"EUR": "80"}},
    {"op": "account", "account": 8, "funding": "margin", "deposit": {"USD": "20"}},
    {
        **{"op": "account", "account": 9, "funding": "margin", "reporting_currency": "EUR"},
        **{"deposit": {"EUR": "4"}},
    },
)
