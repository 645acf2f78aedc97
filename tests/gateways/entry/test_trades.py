"""A trade as the order door writes it is that of interface R3, but for what its reader may not read."""

from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.instruments import Catalogue, Currency, Instrument
from engine.trading.records import EVENT, EventFlag, EventKind
from gateways.entry.reports import Reports
from gateways.json_lines import EventFormatter
from gateways.json_lines.events import event_words, readable

USD = Currency(0, "USD", 6)
BTC = Currency(1, "BTC", 8)
CATALOGUE = Catalogue(
    [USD, BTC],
    [
        Instrument(0, "BTC-USD", BTC, USD, 1, 2, 1, 4, 1),
        Instrument(1, 'Ö"\\', BTC, USD, 25, 2, 1, 0, 250_000),
    ],
)
ACCOUNTS = st.integers(1, 3)
WORDS = st.integers(-(2**63), 2**63 - 1)
IDS = st.one_of(st.just(0), WORDS)
FEES = st.one_of(st.just(0), WORDS)
MAY_READ = st.one_of(st.none(), st.frozensets(ACCOUNTS))


@st.composite
def trades(draw: st.DrawFn) -> Any:
    """Draw one EVENT record of a trade."""
    events = np.zeros(1, EVENT)
    event = events[0]
    event["kind"] = EventKind.TRADE
    event["flags"] = EventFlag.SELL if draw(st.booleans()) else 0
    event["instrument"] = draw(st.integers(0, 1))
    for name in ("seq", "eng_ts", "order_id", "maker_order_id", "px", "qty"):
        event[name] = draw(WORDS)
    for side in ("", "maker_"):
        event[f"{side}account"] = draw(ACCOUNTS)
        event[f"{side}client_order_id"] = draw(IDS)
        event[f"{side}fee"] = draw(FEES)
        text = draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)).encode()
        event[f"{side}text"] = np.frombuffer(text.ljust(24, b"\0"), np.int64)
    return events


@settings(max_examples=500, deadline=None)
@given(events=trades(), accounts=MAY_READ)
def test_trade_of_a_reader_is_the_whole_trade_made_readable(events: Any, accounts: Any) -> None:
    formatter = EventFormatter(CATALOGUE)
    [event] = event_words(events)
    fields = formatter.fields_of(event)
    assert fields is not None

    told = Reports(formatter).of(event, accounts)

    assert told is not None
    assert bytes(told) == msgspec.json.encode(readable(fields, accounts))
