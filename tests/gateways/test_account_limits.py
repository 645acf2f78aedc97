"""Limits of accounts as JSON lines say them, and latches as they are lifted and told (exchange rule S21)."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.trading.fields import ACCOUNT_LIMITS_HALVES, ACCOUNT_LIMITS_WORDS, REPORTING_WORD, AccountLimit
from engine.trading.instruments import Catalogue, Currency, RefusedAtDoor
from engine.trading.records import (
    COMMAND,
    EVENT,
    LIFTED,
    CommandFlag,
    EventKind,
    Latch,
    LatchLevel,
    Op,
    Reason,
)
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand
from gateways.json_lines.account_limits import RANGES

KNOWN = Catalogue([Currency(0, "USD", 2), Currency(1, "EUR", 4)], [])


def encoded(**fields: Any) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN).encode(fields, command[0])
    return command[0]


def limits(**fields: Any) -> dict[str, int]:
    """Return what the record says, by names; what it does not name is left out."""
    command = encoded(op="limits", account=1, **fields)
    assert (command["op"], command["instrument"], command["account"]) == (Op.ACCOUNT_LIMITS, -1, 1)
    words = {f"text_{idx}": int(word) for idx, word in enumerate(command["text"])}
    told = {name: int(command[field]) for name, field in ACCOUNT_LIMITS_WORDS.items()}
    for field, low, high in ACCOUNT_LIMITS_HALVES:
        word = words.get(field) if field in words else int(command[field])
        assert word is not None
        told[low], told[high] = word & (2**32 - 1), word >> 32
    named, lifted = (
        {limit.name.lower() for limit in AccountLimit if told[mask] >> limit & 1}
        for mask in ("named", "lifted")
    )
    assert not any(value for name, value in told.items() if name not in {"named", "lifted"} | named)
    values = {name: LIFTED if name in lifted else told[name] for name in named}
    more = {"decimals": int(command["order_type"]), "level": int(command["side"])}
    return values | {name: value for name, value in more.items() if value}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, {}),
        ({"max_open_orders": 5}, {"max_open_orders": 5}),
        ({"max_open_orders": 0, "order_rate": 10**9}, {"max_open_orders": 0, "order_rate": 10**9}),
        (
            {"max_position": "1.5", "max_fill_rate": "0.25"},
            {"max_position": 15 * 10**8, "max_fill_rate": 25 * 10**7},
        ),
        ({"max_daily_loss": 100}, {"max_daily_loss": 100}),
        ({"max_daily_loss": "1200"}, {"max_daily_loss": 1200}),
        ({"max_daily_loss": "1.50"}, {"max_daily_loss": 15, "decimals": 1}),
        (
            {"max_daily_loss": "7", "max_drawdown": "0.125", "max_gross_exposure": 1},
            {"max_daily_loss": 7000, "max_drawdown": 125, "max_gross_exposure": 1000, "decimals": 3},
        ),
        ({"max_drawdown": None}, {"max_drawdown": LIFTED}),
        ({"max_drawdown_bps": 10_000}, {"max_drawdown_bps": 10_000}),
        ({"max_drawdown": "1", "on_breach": "warn"}, {"max_drawdown": 1, "level": LatchLevel.WARN}),
        (
            {"max_fill_rate": None, "on_breach": "cancel_and_block"},
            {"max_fill_rate": LIFTED, "level": LatchLevel.CANCEL_AND_BLOCK},
        ),
    ],
)
def test_a_record_says_what_a_line_names(fields: dict[str, Any], told: dict[str, int]) -> None:
    assert limits(**fields) == told


def test_one_record_carries_every_limit_at_its_highest() -> None:
    highest = {name: most for name, (_, most) in RANGES.items()}
    words = {"max_position": 2**62, "max_fill_rate": 2**62}
    texts = {name: f"{Decimal(value).scaleb(-9):f}" for name, value in words.items()}
    amounts = {"max_gross_exposure": 2**62, "max_daily_loss": 2**62, "max_drawdown": 2**62}

    assert limits(**highest, **texts, **amounts) == highest | words | amounts
    assert highest.keys() | words.keys() | amounts.keys() == {limit.name.lower() for limit in AccountLimit}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"max_drawdown": "0"}, "max_drawdown"),
        ({"max_drawdown": "-1"}, "max_drawdown"),
        ({"max_drawdown": "1e-19"}, "max_drawdown"),
        ({"max_drawdown": "4611686018427387905"}, "max_drawdown"),
        ({"max_daily_loss": "4611686018427387904", "max_drawdown": "0.1"}, "max_daily_loss"),
        ({"max_drawdown": "1.00000000000000000000000000001"}, "max_drawdown"),
        ({"max_daily_loss": "1" + "0" * 40}, "max_daily_loss"),
        ({"max_fill_rate": "0"}, "max_fill_rate"),
        ({"max_fill_rate": "5000000000"}, "max_fill_rate"),
        *(({name: most + 1}, name) for name, (_, most) in RANGES.items()),
        *(({name: least - 1}, name) for name, (least, _) in RANGES.items()),
    ],
)
def test_what_no_record_carries_is_refused_at_the_door(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedAtDoor, match=field):
        limits(**fields)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"on_breach": "warn"}, "on_breach"),
        ({"max_open_orders": 1, "on_breach": "warn"}, "on_breach"),
        ({"max_drawdown": "1", "on_breach": "shout"}, "on_breach"),
        ({"max_drawdown_bps": "100"}, "max_drawdown_bps"),
        ({"fill_window_ms": "1s"}, "fill_window_ms"),
    ],
)
def test_what_makes_no_sense_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedCommand, match=field):
        limits(**fields)


def test_a_rate_names_two_known_currencies_and_is_in_nanos() -> None:
    command = encoded(op="rate", **{"currency": "EUR", "in": "USD", "price": "1.0835"})

    assert (command["op"], command["time_in_force"], command["stp_mode"]) == (Op.RATE, 1, 0)
    assert command["px"] == 1_083_500_000
    for fault in ({"in": "EUR"}, {"currency": "GBP"}, {"price": "0.0000000001"}):
        with pytest.raises(RefusedAtDoor, match=next(iter(fault))):
            encoded(op="rate", **{"currency": "EUR", "in": "USD", "price": "1", **fault})


def test_a_rarer_limit_is_no_default() -> None:
    with pytest.raises(MalformedCommand, match="name the account"):
        encoded(op="limits", max_drawdown="5")


def test_an_account_names_its_reporting_currency() -> None:
    assert encoded(op="account", account=1)["text"][REPORTING_WORD] == 0
    command = encoded(op="account", account=1, reporting_currency="EUR", deposit={"USD": "5"})

    assert command["text"].tolist() == [0, 0, 2]


def test_a_misspelt_reporting_currency_is_refused_and_defines_none() -> None:
    encoder = CommandEncoder(KNOWN)
    for deposit in ({}, {"USD": "5"}):
        with pytest.raises(RefusedAtDoor, match="reporting_currency 'EUX': no such currency") as refused:
            encoder.row({"op": "account", "account": 1, "reporting_currency": "EUX", "deposit": deposit})
        assert (refused.value.reason, encoder.new_currencies) == (Reason.UNKNOWN_CURRENCY, [])

    # What the line's deposit brings with it is known behind it.
    encoder.row({"op": "account", "account": 1, "reporting_currency": "NEW", "deposit": {"NEW": "5"}})
    assert encoder.new_currencies == ["NEW"]


@pytest.mark.parametrize(
    ("fields", "side", "flags"),
    [
        ({}, 0, 0),
        ({"limit": "kill"}, Latch.KILL, 0),
        ({"limit": "max_drawdown", "rebase": True}, Latch.MAX_DRAWDOWN, CommandFlag.REBASE),
        ({"rebase": True}, 0, CommandFlag.REBASE),
    ],
)
def test_a_reset_names_a_latch(fields: dict[str, Any], side: int, flags: int) -> None:
    command = encoded(op="reset_latch", account=1, **fields)

    assert (command["side"], command["flags"]) == (side, flags)


@pytest.mark.parametrize("fields", [{"limit": "max_drawdown"}, {"rebase": True}])
def test_only_accounts_have_limits_that_latch(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedCommand, match="goes with `account`"):
        encoded(op="reset_latch", venue=True, **fields)


def test_a_latch_tells_what_was_measured_in_which_currency() -> None:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["status"] = EventKind.LATCHED, LatchLevel.CANCEL_AND_BLOCK
    event["reason"], event["instrument"], event["account"] = Reason.MAX_DRAWDOWN, -1, 7
    event["px"], event["cum_qty"], event["leaves_qty"] = 1, 12345, 12000

    told = EventFormatter(KNOWN).fields(event)

    assert told is not None
    assert (told["limit"], told["level"]) == ("max_drawdown", "cancel_and_block")
    assert (told["measured"], told["allowed"], told["currency"]) == ("1.2345", "1.2", "EUR")


def test_a_latch_of_fills_tells_a_quantity_and_one_of_messages_a_number() -> None:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["status"], event["account"] = EventKind.LATCHED, LatchLevel.WARN, 7
    event["px"], event["instrument"], event["cum_qty"], event["leaves_qty"] = (
        -1,
        -1,
        1_500_000_000,
        2_000_000_000,
    )
    event["reason"] = Reason.MAX_FILL_RATE

    told = EventFormatter(KNOWN).fields(event)

    assert told is not None
    assert (told["limit"], told["measured"], told["allowed"]) == ("max_fill_rate", "1.5", "2")
    event["reason"], event["cum_qty"], event["leaves_qty"] = Reason.ORDER_TRADE_RATIO, 8, 10
    told = EventFormatter(KNOWN).fields(event)
    assert told is not None
    assert (told["limit"], told["measured"], told["allowed"]) == ("max_order_trade_ratio", "8", "10")
    assert told["currency"] is None
