"""Limits of loss as JSON lines say them, and latches as they are lifted and told (exchange rule S21)."""

from typing import Any

import numpy as np
import pytest

from engine.trading.fields import LOSS_LIMIT_FIELDS, LOSS_LIMIT_LIFTED, REPORTING_WORD
from engine.trading.instruments import Catalogue, Currency, RefusedAtDoor
from engine.trading.records import COMMAND, EVENT, CommandFlag, EventKind, Latch, LatchLevel, Reason
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand

KNOWN = Catalogue([Currency(0, "USD", 2), Currency(1, "EUR", 4)], [])


def encoded(**fields: Any) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN).encode(fields, command[0])
    return command[0]


def limits(**fields: Any) -> dict[str, int]:
    command = encoded(op="limits", account=1, **fields)
    told = {name: int(command[field]) for name, field in LOSS_LIMIT_FIELDS.items()}
    return told | {"decimals": int(command["order_type"]), "level": int(command["side"])}


NOTHING = {"max_daily_loss": 0, "max_drawdown": 0, "max_drawdown_bps": 0, "decimals": 0, "level": 0}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_open_orders": 5}, {}),
        ({"max_daily_loss": 100}, {"max_daily_loss": 100}),
        ({"max_daily_loss": "1200"}, {"max_daily_loss": 1200}),
        ({"max_daily_loss": "1.50"}, {"max_daily_loss": 15, "decimals": 1}),
        (
            {"max_daily_loss": "7", "max_drawdown": "0.125"},
            {"max_daily_loss": 7000, "max_drawdown": 125, "decimals": 3},
        ),
        ({"max_drawdown": None}, {"max_drawdown": LOSS_LIMIT_LIFTED}),
        ({"max_drawdown_bps": 10_000}, {"max_drawdown_bps": 10_000}),
        ({"max_drawdown": "1", "on_breach": "warn"}, {"max_drawdown": 1, "level": LatchLevel.WARN}),
        (
            {"max_drawdown": None, "on_breach": "cancel_and_block"},
            {"max_drawdown": LOSS_LIMIT_LIFTED, "level": LatchLevel.CANCEL_AND_BLOCK},
        ),
    ],
)
def test_amounts_travel_with_their_decimals(fields: dict[str, Any], told: dict[str, int]) -> None:
    assert limits(**fields) == NOTHING | told


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"max_drawdown": "0"}, "max_drawdown"),
        ({"max_drawdown": "-1"}, "max_drawdown"),
        ({"max_drawdown": "1e-19"}, "max_drawdown"),
        ({"max_drawdown": "4611686018427387905"}, "max_drawdown"),
        ({"max_daily_loss": "4611686018427387904", "max_drawdown": "0.1"}, "max_daily_loss"),
        ({"max_daily_loss": "1" + "0" * 40}, "max_daily_loss"),
        ({"max_drawdown_bps": 0}, "max_drawdown_bps"),
        ({"max_drawdown_bps": 10_001}, "max_drawdown_bps"),
    ],
)
def test_what_no_record_carries_is_refused_at_the_door(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedAtDoor, match=field):
        limits(**fields)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"on_breach": "warn"}, "on_breach"),
        ({"max_drawdown": "1", "on_breach": "shout"}, "on_breach"),
        ({"max_drawdown_bps": "100"}, "max_drawdown_bps"),
    ],
)
def test_what_makes_no_sense_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedCommand, match=field):
        limits(**fields)


def test_a_limit_of_loss_is_no_default() -> None:
    with pytest.raises(MalformedCommand, match="name the account"):
        encoded(op="limits", max_drawdown="5")


def test_an_account_names_its_reporting_currency() -> None:
    assert encoded(op="account", account=1)["text"][REPORTING_WORD] == 0
    command = encoded(op="account", account=1, reporting_currency="EUR", deposit={"USD": "5"})

    assert command["text"].tolist() == [0, 0, 2]


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
def test_only_accounts_have_limits_of_loss(fields: dict[str, Any]) -> None:
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
