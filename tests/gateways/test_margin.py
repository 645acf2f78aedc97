"""Funding and margins as JSON lines say them; a maintenance margin, and what is lowered, as they are told."""

from typing import Any

import numpy as np
import pytest

from engine.trading.instruments import Catalogue, Currency, RefusedAtDoor, catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, EVENT, CommandFlag, EventKind, Funding, LatchLevel, Reason
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand
from tests.capacities import SMALL

KNOWN = Catalogue([Currency(0, "USD", 2), Currency(1, "EUR", 4)], [])
DEFINED = {
    **{"op": "instrument", "symbol": "XYZ", "base": "EUR", "quote": "USD"},
    **{"tick_size": "0.01", "lot_size": "1"},
}
WHOLE = 1_000_000


def encoded(**fields: Any) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN).encode(fields, command[0])
    return command


def defined(**fields: Any) -> Any:
    """Return the book that an instrument line makes."""
    state = new_state(SMALL)
    codes = [encoded(op="currency", currency=each.code, decimals=each.decimals) for each in KNOWN.currencies]
    events = run_all(state, np.concatenate([*codes, encoded(**DEFINED, **fields)]))
    assert events["reason"].tolist() == [Reason.NONE] * 3
    return state[0]["books"][0]


def book_catalogue() -> Catalogue:
    state = new_state(SMALL)
    codes = [encoded(op="currency", currency=each.code, decimals=each.decimals) for each in KNOWN.currencies]
    run_all(state, np.concatenate([*codes, encoded(**DEFINED)]))
    return catalogue(state)


@pytest.mark.parametrize(
    ("fields", "fees", "margins"),
    [
        ({}, (0, 0), (WHOLE, WHOLE)),
        ({"initial_margin_ppm": 250_000}, (0, 0), (250_000, 250_000)),
        ({"maintenance_margin_ppm": 1}, (0, 0), (WHOLE, 1)),
        (
            {"initial_margin_ppm": 2, "maintenance_margin_ppm": 1, "maker_fee_ppm": -WHOLE},
            *((-WHOLE, 0), (2, 1)),
        ),
        (
            {"initial_margin_ppm": WHOLE, "maker_fee_ppm": WHOLE, "taker_fee_ppm": -1},
            *((WHOLE, -1), (WHOLE, WHOLE)),
        ),
    ],
)
def test_a_margin_travels_above_a_fee_rate(
    fields: dict[str, int], fees: tuple[int, int], margins: tuple[int, int]
) -> None:
    book = defined(**fields)

    assert (book["maker_ppm"], book["taker_ppm"]) == fees
    assert (book["initial_ppm"], book["maintenance_ppm"]) == margins


@pytest.mark.parametrize("name", ["initial_margin_ppm", "maintenance_margin_ppm"])
@pytest.mark.parametrize("value", [0, -1, WHOLE + 1, 2**40])
def test_a_margin_is_a_part_of_the_whole(name: str, value: int) -> None:
    with pytest.raises(RefusedAtDoor, match="must be 1 to 1000000"):
        encoded(**DEFINED, **{name: value})


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_a_fee_rate_does_not_reach_into_the_margin(value: int) -> None:
    with pytest.raises(RefusedAtDoor, match="must be -1000000 to 1000000"):
        encoded(**DEFINED, maker_fee_ppm=value)


@pytest.mark.parametrize(("word", "side"), [("cash", Funding.CASH), ("margin", Funding.MARGIN), (None, 0)])
def test_an_account_line_says_what_it_trades_on(word: str | None, side: int) -> None:
    assert encoded(op="account", account=1, funding=word)["side"][0] == side


def test_another_funding_is_no_word() -> None:
    with pytest.raises(MalformedCommand, match="funding"):
        encoded(op="account", account=1, funding="credit")


def test_a_reduce_only_order_has_its_flag() -> None:
    command = np.zeros(1, COMMAND)
    order = {"op": "new", "account": 1, "symbol": "XYZ", "side": "buy", "price": "1", "quantity": "2"}

    CommandEncoder(book_catalogue()).encode({**order, "reduce_only": True, "post_only": True}, command[0])

    assert command["flags"][0] == CommandFlag.REDUCE_ONLY | CommandFlag.POST_ONLY


def test_a_maintenance_margin_is_told_with_the_equity_in_its_currency() -> None:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["status"], event["account"] = EventKind.LATCHED, LatchLevel.REDUCE_ONLY, 7
    event["reason"], event["instrument"] = Reason.MAINTENANCE_MARGIN, -1
    event["px"], event["cum_qty"], event["leaves_qty"] = 1, 12345, -5

    told = EventFormatter(KNOWN).fields(event)

    assert told is not None
    assert (told["limit"], told["level"]) == ("maintenance_margin", "reduce_only")
    assert (told["measured"], told["allowed"], told["currency"]) == ("1.2345", "-0.0005", "EUR")


@pytest.mark.parametrize(
    ("reason", "told"), [(Reason.NONE, None), (Reason.REDUCE_ONLY, "reduce_only"), (Reason.LATCH, "latch")]
)
def test_what_is_lowered_unasked_says_why(reason: Reason, told: str | None) -> None:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["reason"], event["qty"] = EventKind.REPLACED, reason, 3

    fields = EventFormatter(book_catalogue()).fields(event)

    assert fields is not None
    assert fields.get("reason") == told
