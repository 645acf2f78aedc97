"""`size_by` of a new order as JSON says it: what the record carries, and what is refused by its name."""

from typing import Any

import numpy as np
import pytest

from engine.trading.instruments import Catalogue, Currency, Instrument, RefusedAtDoor
from engine.trading.records import COMMAND, EVENT, CommandFlag, EventFlag, EventKind, Reason, SizingMethod
from gateways.entry.outcome import OrderReply, outcome
from gateways.entry.rejections import cause
from gateways.entry.reports import Reports
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand
from gateways.json_lines.events import _WORDS, EventWords
from gateways.json_lines.size_by import size_by_of

USD, XYZ = Currency(0, "USD", 2), Currency(1, "XYZ", 0)
INSTRUMENT = Instrument(0, "XYZ", XYZ, USD, 1, 2, 5, 1, 1)  # tick 0.01, lot 0.5
KNOWN = Catalogue([USD, XYZ], [INSTRUMENT])
PLAIN = {"op": "new", "account": 1, "symbol": "XYZ", "side": "buy", "price": "10.00"}
RISK = {"method": "fixed_risk", "risk_ppm": 5000, "stop": "9.90"}
NOTIONAL = {"method": "fixed_notional", "amount": "25.5"}
VOLATILITY = {"method": "vol_target", "target_ppm": 100_000, "volatility_ppm": 400_000}
KELLY = {"method": "kelly", "win_ppm": 550_000, "payoff_ppm": 1_000_000, "cap_ppm": 250_000}
METHODS = (RISK, NOTIONAL, VOLATILITY, KELLY)


def encoded(**fields: Any) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN).encode({**PLAIN, **fields}, command[0])
    return command[0]


@pytest.mark.parametrize(
    ("size_by", "qty", "order_id"),
    [
        (RISK, 5000, SizingMethod.FIXED_RISK | 990 << 8),
        (NOTIONAL, 255, SizingMethod.FIXED_NOTIONAL | 1 << 8),
        ({**NOTIONAL, "amount": 7}, 7, SizingMethod.FIXED_NOTIONAL),
        ({**NOTIONAL, "amount": "100.000"}, 100, SizingMethod.FIXED_NOTIONAL),
        (VOLATILITY, 100_000, SizingMethod.VOL_TARGET | 400_000 << 8),
        (KELLY, 550_000 | 250_000 << 32, SizingMethod.KELLY | 1_000_000 << 8),
    ],
)
def test_the_record_carries_method_and_arguments(size_by: Any, qty: int, order_id: int) -> None:
    command = encoded(size_by=size_by)

    assert (command["qty"], command["order_id"], command["flags"]) == (qty, order_id, CommandFlag.SIZED)
    assert (command["display_qty"], command["stop_px"], command["expiry"], command["value"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("size_by", METHODS)
def test_what_the_record_carries_is_told_again_as_it_was_given(size_by: Any) -> None:
    command = encoded(size_by=size_by, post_only=True)

    assert command["flags"] == CommandFlag.SIZED | CommandFlag.POST_ONLY
    told = size_by_of(int(command["qty"]), int(command["order_id"]), INSTRUMENT)
    assert told == size_by | ({"stop": "9.9"} if "stop" in size_by else {})


@pytest.mark.parametrize("quantity", ["1", None])
def test_an_order_with_a_quantity_is_encoded_as_before(quantity: str | None) -> None:
    if quantity is not None:
        command = encoded(quantity=quantity, size_by=None)
        assert (command["qty"], command["order_id"], command["flags"]) == (2, 0, 0)
        return
    with pytest.raises(MalformedCommand, match="size_by in its place") as refused:
        encoded(size_by=None)
    assert refused.value.field == "quantity"


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"size_by": RISK, "quantity": "1"}, "size_by", "not both"),
        ({"size_by": RISK, "quantity": "ten"}, "size_by", "not both"),
        ({"size_by": "kelly"}, "size_by", "give an object"),
        ({"size_by": {}}, "size_by.method", "give one of"),
        ({"size_by": {"method": "kely"}}, "size_by.method", "did you mean 'kelly'"),
        ({"size_by": {**RISK, "risk": 1}}, "size_by.risk", "did you mean 'risk_ppm'"),
        ({"size_by": {**RISK, "decimals": 1}}, "size_by.decimals", "give one of"),
        ({"size_by": {"method": "fixed_risk", "stop": "9"}}, "size_by.risk_ppm", "needs it"),
        ({"size_by": {**RISK, "stop": None}}, "size_by.stop", "needs it"),
        ({"size_by": {**VOLATILITY, "target_ppm": "1"}}, "size_by.target_ppm", "whole JSON number"),
    ],
)
def test_what_is_no_size_is_malformed(fields: dict[str, Any], field: str, detail: str) -> None:
    with pytest.raises(MalformedCommand, match=detail) as refused:
        encoded(**fields)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("size_by", "field", "reason"),
    [
        ({**RISK, "risk_ppm": 0}, "risk_ppm", Reason.OUT_OF_RANGE),
        ({**RISK, "risk_ppm": 1_000_001}, "risk_ppm", Reason.OUT_OF_RANGE),
        ({**RISK, "risk_ppm": 0.5}, "risk_ppm", Reason.INVALID_FIELD),
        ({**RISK, "stop": "9.905"}, "stop", Reason.OFF_TICK),
        ({**RISK, "stop": "0"}, "stop", Reason.OUT_OF_RANGE),
        ({**RISK, "stop": "-1"}, "stop", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": "0"}, "amount", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": "-5"}, "amount", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": "1e3"}, "amount", Reason.INVALID_FIELD),
        ({**NOTIONAL, "amount": "0." + "0" * 18 + "1"}, "amount", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": "1." + "0" * 37 + "1"}, "amount", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": str(2**62 + 1)}, "amount", Reason.OUT_OF_RANGE),
        ({**NOTIONAL, "amount": "9" * 40}, "amount", Reason.OUT_OF_RANGE),
        ({**VOLATILITY, "volatility_ppm": 0}, "volatility_ppm", Reason.INVALID_FIELD),
        ({**VOLATILITY, "target_ppm": 10**9 + 1}, "target_ppm", Reason.OUT_OF_RANGE),
        ({**KELLY, "payoff_ppm": 0}, "payoff_ppm", Reason.INVALID_FIELD),
        ({**KELLY, "payoff_ppm": -1}, "payoff_ppm", Reason.OUT_OF_RANGE),
        ({**KELLY, "win_ppm": 1_000_001}, "win_ppm", Reason.OUT_OF_RANGE),
        ({**KELLY, "cap_ppm": 0}, "cap_ppm", Reason.OUT_OF_RANGE),
    ],
)
def test_what_is_out_of_range_or_divides_nothing_is_refused_by_name(
    size_by: Any, field: str, reason: Reason
) -> None:
    with pytest.raises(RefusedAtDoor) as refused:
        encoded(size_by=size_by)

    assert (refused.value.field, refused.value.reason) == (f"size_by.{field}", reason)


def accepted(flags: int) -> EventWords:
    event = np.zeros(1, EVENT)
    event["kind"], event["flags"], event["op"] = EventKind.ACCEPTED, flags, 2
    event["qty"], event["leaves_qty"], event["order_id"], event["account"] = 7, 7, 9, 1
    return EventWords(*_WORDS.unpack(event.tobytes()))


def test_a_chosen_quantity_stands_in_the_event_and_in_the_reply() -> None:
    formatter = EventFormatter(KNOWN)
    chosen, given = accepted(EventFlag.SIZED | EventFlag.LAST), accepted(EventFlag.LAST)

    told, told_given = formatter.fields_of(chosen), formatter.fields_of(given)
    replies = [outcome([event], 0, Reports(formatter), None) for event in (chosen, given)]

    assert told is not None
    assert told_given is not None
    assert told == told_given | {"quantity": "3.5"}
    assert all(isinstance(reply, OrderReply) for reply in replies)
    assert [getattr(reply, "quantity", None) == "3.5" for reply in replies] == [True, False]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Reason.INVALID_QUANTITY, "not one lot"),
        (Reason.INVALID_FIELD, "another price"),
        (Reason.NO_RATE, "no rate says"),
    ],
)
def test_a_refusal_of_the_engine_tells_what_was_wrong_with_the_size(reason: Reason, told: str) -> None:
    detail, field = cause(reason, {**PLAIN, "size_by": RISK})
    other, other_field = cause(reason, {**PLAIN, "quantity": "1"})

    assert told in detail
    assert field == "size_by"
    assert (other, other_field) != (detail, field)
