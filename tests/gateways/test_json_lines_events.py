"""EVENT records become events of interface R3: names, decimals, ids as given."""

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trading.instruments import Catalogue, Currency, Instrument, RefusedAtDoor, plain, scaled_text
from engine.trading.records import EVENT, EventFlag, EventKind, Op, Phase, Reason, Status, text_words
from gateways.json_lines import EventFormatter, refused_event
from gateways.json_lines.events import event_words

USD = Currency(0, "USD", 6)
XYZ = Instrument(0, "XYZ", USD, USD, 5, 2, 1, 3, 50)


@pytest.fixture
def formatter() -> EventFormatter:
    """A formatter that knows one instrument: tick 0.05, lot 0.001."""
    return EventFormatter(Catalogue([USD], [XYZ]))


def event(**fields: Any) -> Any:
    """Return one EVENT record."""
    events = np.zeros(1, EVENT)
    for name, value in fields.items():
        events[name] = value
    return events[0]


def test_trade_is_written_in_units_of_price_quantity_and_currency(formatter: EventFormatter) -> None:
    trade = event(
        kind=EventKind.TRADE, seq=9, eng_ts=4, px=201, qty=1500, flags=EventFlag.SELL, order_id=9, account=2,
        client_order_id=77, maker_order_id=3, maker_account=1, maker_fee=-500, fee=1_250_000,
        maker_text=text_words(b"mine"), maker_client_order_id=123,
    )  # fmt: skip

    assert formatter.fields(trade) == {
        "seq": 9,
        "event": "trade",
        "eng_ts": 4,
        "symbol": "XYZ",
        "price": "10.05",
        "quantity": "1.5",
        "maker_order_id": 3,
        "taker_order_id": 9,
        "maker_client_order_id": "mine",
        "taker_client_order_id": 77,
        "maker_account": 1,
        "taker_account": 2,
        "aggressor_side": "sell",
        "maker_fee": "-0.0005",
        "taker_fee": "1.25",
    }


def test_duplicate_tells_what_became_of_the_original(formatter: EventFormatter) -> None:
    rejected = event(
        kind=EventKind.REJECTED, op=Op.NEW, reason=Reason.DUPLICATE, account=1, client_order_id=5, order_id=2,
        status=Status.FILLED, cum_qty=2000,
    )  # fmt: skip

    fields = formatter.fields(rejected)

    assert fields is not None
    assert (fields["reason"], fields["order_id"], fields["status"]) == ("duplicate", 2, "filled")
    assert (fields["cum_quantity"], fields["leaves_quantity"]) == ("2", "0")


def test_rejection_of_another_reason_has_no_more_fields_than_it_needs(formatter: EventFormatter) -> None:
    rejected = event(kind=EventKind.REJECTED, op=Op.CANCEL, reason=Reason.UNKNOWN_ORDER, account=1)

    fields = formatter.fields(rejected)

    assert fields is not None
    assert list(fields) == ["seq", "event", "eng_ts", "client_order_id", "account", "op", "reason"]
    assert (fields["op"], fields["client_order_id"]) == ("cancel", None)


def test_done_is_not_written(formatter: EventFormatter) -> None:
    assert formatter.fields(event(kind=EventKind.DONE)) is None


def test_phase_names_symbol_and_phase(formatter: EventFormatter) -> None:
    fields = formatter.fields(event(kind=EventKind.PHASE, status=Phase.CANCEL_ONLY, seq=1))

    assert fields == {"seq": 1, "event": "phase", "eng_ts": 0, "symbol": "XYZ", "phase": "cancel_only"}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_has_a_form_that_json_can_hold(formatter: EventFormatter, kind: EventKind) -> None:
    fields = formatter.fields(event(kind=kind, reason=Reason.USER))

    msgspec.json.encode(fields)
    assert (fields is None) == (kind is EventKind.DONE)


def test_bulk_and_single_roads_agree(formatter: EventFormatter) -> None:
    events = np.zeros(3, EVENT)
    events["kind"] = [EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELLED]
    events["client_order_id"] = [1, 2, 3]

    bulk = [formatter.fields_of(words) for words in event_words(events)]

    assert bulk == [formatter.fields(each) for each in events]


def test_refused_line_has_no_seq() -> None:
    refused = RefusedAtDoor(Reason.OFF_TICK, "price", "1.001", "must be a multiple of 0.01")

    fields = refused_event({"op": "new", "client_order_id": "abc", "account": 4}, refused, 17)

    assert fields == {
        "seq": None,
        "event": "rejected",
        "eng_ts": 17,
        "client_order_id": "abc",
        "account": 4,
        "op": "new",
        "reason": "off_tick",
    }


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from((1, 5, 25, 2**31 - 1)), st.integers(0, 18))
def test_decimal_is_written_plainly_whatever_was_written_before(
    count: int, mantissa: int, places: int
) -> None:
    number = Decimal(f"{count * mantissa}e-{places}")

    for _ in range(2):  # the second is the one that was kept
        assert scaled_text(count, mantissa, places) == plain(number)
