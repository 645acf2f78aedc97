"""JSON commands (interface R2) become COMMAND records: defaults, refusals and their mends."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.trading.fields import HALF_MAX, INSTRUMENT_FIELDS, AccountLimit
from engine.trading.instruments import Catalogue, Currency, Instrument, RefusedAtDoor
from engine.trading.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    UNCHANGED,
    Op,
    OrderType,
    Phase,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
    words_text,
)
from gateways.json_lines import CommandEncoder, MalformedCommand, decode_object
from gateways.json_lines.account_limits import ACCOUNT_LIMITS
from gateways.json_lines.commands import steps
from tests.engine.text.test_numbers import NO_DECIMALS

USD = Currency(0, "USD", 6)
XYZ = Instrument(0, "XYZ", USD, USD, 1, 2, 1, 0, 10_000)
QUARTER = Instrument(1, "ES", USD, USD, 25, 2, 1, 1, 25_000)
NEW = {"op": "new", "account": 1, "symbol": "XYZ", "side": "buy", "price": "10.05", "quantity": "100"}


@pytest.fixture
def encoder() -> CommandEncoder:
    """An encoder that knows two instruments; every order that is asked for is the first one's."""
    return CommandEncoder(Catalogue([USD], [XYZ, QUARTER]), lambda account, client_id, order_id: XYZ)


def encoded(encoder: CommandEncoder, **fields: Any) -> Any:
    """Return the record of a command."""
    commands = np.zeros(1, COMMAND)
    encoder.encode(fields, commands[0])
    return commands[0]


def test_new_order_left_to_its_defaults_is_a_gtc_limit_order(encoder: CommandEncoder) -> None:
    command = encoded(encoder, **NEW)

    assert (command["op"], command["side"], command["px"], command["qty"]) == (Op.NEW, Side.BUY, 1005, 100)
    assert command["order_type"] == OrderType.LIMIT
    assert command["time_in_force"] == TimeInForce.GTC
    assert command["stp_mode"] == SelfTradePrevention.CANCEL_NEWEST
    assert command["flags"] == 0
    assert command["client_order_id"] == 0


def test_market_order_defaults_to_ioc(encoder: CommandEncoder) -> None:
    command = encoded(encoder, **{**NEW, "type": "market", "price": None})

    assert command["time_in_force"] == TimeInForce.IOC
    assert command["px"] == 0


def test_pack_gives_the_bytes_that_encode_writes(encoder: CommandEncoder) -> None:
    fields = {**NEW, "client_order_id": "order-1", "post_only": True, "expires_at": 5}
    commands = np.zeros(1, COMMAND)

    encoder.encode(fields, commands[0])

    assert encoder.pack(fields) == commands.tobytes()


def test_textual_id_is_carried_and_differs_by_owner(encoder: CommandEncoder) -> None:
    first = encoded(encoder, **{**NEW, "client_order_id": "abc"})
    second = encoded(encoder, **{**NEW, "client_order_id": "abc", "account": 2})

    assert words_text(first["text"]) == b"abc"
    assert first["client_order_id"] > 0
    assert first["client_order_id"] != second["client_order_id"]


def test_cancel_takes_either_id(encoder: CommandEncoder) -> None:
    by_client = encoded(encoder, op="cancel", account=1, client_order_id=7)
    by_engine = encoded(encoder, op="cancel", account=1, order_id=9)

    assert (by_client["client_order_id"], by_client["order_id"]) == (7, 0)
    assert (by_engine["client_order_id"], by_engine["order_id"]) == (0, 9)


def test_replace_leaves_out_what_is_not_given(encoder: CommandEncoder) -> None:
    command = encoded(encoder, op="replace", account=1, client_order_id=7, price="10.06")

    assert (command["px"], command["qty"]) == (1006, UNCHANGED)


def test_replace_of_an_unknown_order_still_reaches_the_engine() -> None:
    encoder = CommandEncoder(Catalogue([USD], [XYZ, QUARTER]))

    command = encoded(encoder, op="replace", account=1, client_order_id=7, price="10.061")

    assert (command["op"], command["px"]) == (Op.REPLACE, UNCHANGED)


def test_phase_without_symbol_means_every_instrument(encoder: CommandEncoder) -> None:
    command = encoded(encoder, op="phase", symbol=None, phase="halted")

    assert (command["instrument"], command["value"]) == (ALL_INSTRUMENTS, Phase.HALTED)


def test_limits_tell_left_out_from_lifted(encoder: CommandEncoder) -> None:
    command = encoded(encoder, op="limits", account=4, max_open_orders=10, max_position=None)

    named, lifted = command["client_order_id"] & HALF_MAX, command["client_order_id"] >> 32
    assert (command["op"], command["account"]) == (Op.ACCOUNT_LIMITS, 4)
    assert command["order_id"] == 10
    assert named == 1 << AccountLimit.MAX_OPEN_ORDERS | 1 << AccountLimit.MAX_POSITION
    assert lifted == 1 << AccountLimit.MAX_POSITION


def test_instrument_line_brings_its_unknown_currencies(encoder: CommandEncoder) -> None:
    line = {
        "symbol": "AB",
        "base": "A",
        "quote": "USD",
        "tick_size": "0.25",
        "lot_size": 1,
        "taker_fee_ppm": 3,
    }

    command = encoded(encoder, op="instrument", **line)

    assert encoder.new_currencies == ["A"]
    assert (command[INSTRUMENT_FIELDS["base"]], command[INSTRUMENT_FIELDS["quote"]]) == (1, 0)
    assert (command[INSTRUMENT_FIELDS["tick_size"]], command["side"]) == (25, 2)
    assert command["text"][2] == 3
    assert words_text(command["text"][:2]) == b"AB"


@pytest.mark.parametrize(
    "size", ["1.00000000000000000000000000001", "0.1" + "0" * 29 + "1", "0", "4294967296"]
)
@pytest.mark.parametrize("name", ["tick_size", "lot_size"])
def test_a_step_that_no_record_carries_is_not_rounded_to_one(
    encoder: CommandEncoder, name: str, size: str
) -> None:
    line = {"symbol": "AB", "base": "USD", "quote": "USD", "tick_size": "1", "lot_size": "1", name: size}

    with pytest.raises(RefusedAtDoor, match=name):
        encoded(encoder, op="instrument", **line)


def test_deposit_names_its_currency_by_byte(encoder: CommandEncoder) -> None:
    command = encoded(encoder, op="account", account=1, deposit={"EUR": "2", "USD": "1.5"})

    assert encoder.new_currencies == ["EUR"]
    assert (command["client_order_id"], command["order_id"]) == (2_000_000, 1_500_000)
    assert int(command["text"][0]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": "10.055"}, Reason.OFF_TICK),
        ({"quantity": "1.5"}, Reason.OFF_LOT),
        ({"symbol": "NOPE"}, Reason.UNKNOWN_SYMBOL),
        ({"price": "1e40"}, Reason.INVALID_FIELD),
        ({"price": 10.5}, Reason.INVALID_FIELD),
        ({"price": "ten"}, Reason.INVALID_FIELD),
        ({"quantity": "99999999999999999999"}, Reason.OUT_OF_RANGE),
        ({"account": 2**64}, Reason.OUT_OF_RANGE),
        ({"account": 1.5}, Reason.INVALID_FIELD),
        ({"client_order_id": "x" * 25}, Reason.INVALID_FIELD),
        ({"client_order_id": ""}, Reason.INVALID_FIELD),
        ({"trail": "1"}, Reason.INVALID_FIELD),
    ],
)
def test_value_that_no_record_can_carry_is_refused_at_the_door(
    encoder: CommandEncoder, change: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(RefusedAtDoor) as refused:
        encoder.row({**NEW, **change})

    assert refused.value.reason == reason
    assert refused.value.field == next(iter(change))


@pytest.mark.parametrize(
    ("change", "field", "mend"),
    [
        ({"op": "nwe"}, "op", "did you mean 'new'?"),
        ({"op": None}, "op", "give one of"),
        ({"quantty": 1}, "quantty", "did you mean 'quantity'?"),
        ({"type": "limt"}, "type", "did you mean 'limit'?"),
        ({"side": "hold"}, "side", "buy, sell"),
        ({"quantity": None}, "quantity", "needs this field"),
        ({"account": "1"}, "account", "whole JSON number"),
        ({"client_order_id": []}, "client_order_id", "give a whole JSON number or a string"),
        ({"client_order_id": True}, "client_order_id", "give a whole JSON number or a string"),
        ({"account": True}, "account", "whole JSON number"),
        ({"post_only": 1}, "post_only", "true or false"),
        ({"symbol": 5}, "symbol", "string"),
    ],
)
def test_object_that_is_no_command_names_field_and_mend(
    encoder: CommandEncoder, change: dict[str, Any], field: str, mend: str
) -> None:
    with pytest.raises(MalformedCommand) as fault:
        encoder.row({**NEW, **change})

    assert fault.value.field == field
    assert mend in str(fault.value)


@pytest.mark.parametrize("op", ["cancel", "replace"])
def test_order_without_a_name_asks_for_one_of_the_two_ids(encoder: CommandEncoder, op: str) -> None:
    with pytest.raises(MalformedCommand, match=f"{op!r} needs one of client_order_id and order_id"):
        encoder.row({"op": op, "account": 1, "client_order_id": None})


@pytest.mark.parametrize("price", ["0", "-1.25", 0, -3])
def test_zero_and_negative_prices_reach_the_engine(encoder: CommandEncoder, price: str | int) -> None:
    command = encoded(encoder, **{**NEW, "price": price})

    assert command["px"] == int(Decimal(price) * 100)


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"a":1}x'])
def test_what_is_no_json_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedCommand, match="not a JSON object"):
        decode_object(raw)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_fast_and_exact_roads_agree_on_every_plain_decimal(number: Decimal) -> None:
    text = f"{number:f}"

    count = steps(text, 25, 2)

    if count is not None:
        assert count == QUARTER.px(text)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=2),
)
NAMES = st.sampled_from(
    [*NEW, "client_order_id", "type", "deposit", "phase", "tick_size", "now", "order_id", "x"]
)
OPS = st.sampled_from(
    ["new", "cancel", "replace", "mass_cancel", "account", "instrument", "limits", "phase", "time"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OPS, st.dictionaries(NAMES, VALUES, max_size=5))
def test_no_object_raises_anything_but_the_two_faults(op: str, fields: dict[str, Any]) -> None:
    encoder = CommandEncoder(Catalogue([USD], [XYZ]))
    given_fields = {**NEW, **fields, "op": op} if op == "new" else {**fields, "op": op}
    with suppress(RefusedAtDoor, MalformedCommand):
        assert len(encoder.pack(given_fields)) == COMMAND.itemsize


DECIMAL_FIELDS = (
    *(("new", name) for name in ("price", "quantity", "display_quantity", "stop_price", "trail")),
    *(("replace", name) for name in ("price", "quantity")),
    *(("instrument", name) for name in ("tick_size", "lot_size", "max_price", "max_quantity")),
    *(("instrument", name) for name in ("max_notional", "band_low", "band_high")),
    *(("limits", name) for name in ("max_quantity", "max_notional", "band_low", "band_high")),
    *(("limits", "max_position"), ("account", "deposit"), ("mark", "price")),
)
"""Every field that is a price, a quantity or money."""
WHOLE_FIELDS = (
    *(("new", name) for name in ("account", "expires_at")),
    *(("cancel", "account"), ("cancel", "order_id"), ("replace", "order_id"), ("mass_cancel", "account")),
    *(("instrument", name) for name in ("protect_ticks", "collar_bps", "maker_fee_ppm", "taker_fee_ppm")),
    *(("limits", name) for name in ("account", "max_open_orders", "order_rate", "order_burst")),
    *(("account", "account"), ("currency", "decimals"), ("time", "now")),
)
"""Every field that is a whole number."""


def line_with(op: str, name: str, value: object) -> dict[str, Any]:
    """Return a command that is right but for one field."""
    rest: dict[str, dict[str, Any]] = {
        "new": NEW | ({"type": "trailing_stop"} if name == "trail" else {}),
        "replace": {"account": 1} | ({} if name == "order_id" else {"order_id": 5}),
        "cancel": {"account": 1} | ({} if name == "order_id" else {"order_id": 5}),
        "mass_cancel": {},
        "instrument": {"symbol": "A", "base": "USD", "quote": "USD", "tick_size": "1", "lot_size": "1"},
        "limits": {"account": 1} if name in ACCOUNT_LIMITS else {"symbol": "XYZ"},
        "account": {"account": 1},
        "mark": {"symbol": "XYZ"},
        "currency": {"currency": "EUR"},
        "time": {},
    }
    if (op, name) == ("limits", "account"):
        return {"op": op, "account": value, "max_open_orders": 1}
    return rest[op] | {"op": op, name: {"USD": value} if name == "deposit" else value}


@pytest.mark.parametrize(("op", "name"), DECIMAL_FIELDS)
def test_every_decimal_field_has_the_one_grammar(encoder: CommandEncoder, op: str, name: str) -> None:
    others: list[Any] = [1.5, 1e3, True, None if name == "deposit" else [], {}, 10**40]
    for spelling in (*NO_DECIMALS, *others):
        with pytest.raises(RefusedAtDoor) as refused:
            encoder.row(line_with(op, name, spelling))
        assert refused.value.reason == Reason.INVALID_FIELD
        assert refused.value.field.startswith(name)

    for spelling in ("8", "008.00"):
        assert encoder.row(line_with(op, name, spelling)) == encoder.row(line_with(op, name, 8))


@pytest.mark.parametrize(("op", "name"), WHOLE_FIELDS)
def test_every_whole_field_takes_json_integers_alone(encoder: CommandEncoder, op: str, name: str) -> None:
    for spelling in ("5", "", True, False, 5.0, 5e0, [5], {"a": 5}):
        with pytest.raises((RefusedAtDoor, MalformedCommand)) as refused:
            encoder.row(line_with(op, name, spelling))
        assert vars(refused.value)["field"] == name
    with pytest.raises(RefusedAtDoor, match=r"64 bits|must be 0 to"):
        encoder.row(line_with(op, name, 2**63))


def test_limits_of_null_are_not_those_of_every_account(encoder: CommandEncoder) -> None:
    with pytest.raises(MalformedCommand, match="account None: give a number; left out, the limits are every"):
        encoder.row({"op": "limits", "account": None, "max_open_orders": 5})

    assert encoded(encoder, op="limits", max_open_orders=5)["account"] == 0


@pytest.mark.parametrize("time", [1, 1_767_225_600, 10**17])
def test_replayed_expiry_goes_by_a_clock_that_begins_at_0(encoder: CommandEncoder, time: int) -> None:
    assert encoded(encoder, **NEW, expires_at=time)["expiry"] == time


@pytest.mark.parametrize(("tick", "decimals"), [(1, 0), (1, 2), (25, 2)])
def test_fast_road_leaves_every_other_spelling_to_the_exact_one(tick: int, decimals: int) -> None:
    assert [text for text in NO_DECIMALS if steps(text, tick, decimals) is not None] == []


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            '{"op":"new","side":"buy","price":"10","side":"sell"}',
            "side \\['buy', 'sell'\\]: the key is given twice in one object; give it once",
        ),
        ('{"op":"new","si\\u0064e":"buy","side":"buy"}', "side .* twice"),
        ('{"op":"account","account":1,"deposit":{"USD":"1","USD":"2"}}', "USD \\['1', '2'\\]: .* twice"),
        ('{"op":"new","op":"cancel"}', "op .* twice"),
    ],
)
def test_key_given_twice_is_malformed(raw: str, told: str) -> None:
    for given_as in (raw, raw.encode()):
        with pytest.raises(MalformedCommand, match=told):
            decode_object(given_as)


@pytest.mark.parametrize("name", ["price", "quantity", "account", "expires_at"])
def test_fraction_beyond_a_float_is_refused_by_name(encoder: CommandEncoder, name: str) -> None:
    fields = decode_object(f'{{"{name}":1e400}}')

    with pytest.raises(RefusedAtDoor) as refused:
        encoder.row({**NEW, **fields})

    assert refused.value.field == name
