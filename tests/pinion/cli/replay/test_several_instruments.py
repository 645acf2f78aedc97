"""Market data of several instruments: each book comes out as from a file that holds its instrument alone.

The instruments share one house account, and with it one space of client order ids: files use the
same venue ids in several instruments, use them again, and use ids that are none of ours.
"""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.offline.engine import ReplayEngine
from gateways.feed.inputs import commands_of
from gateways.files.comparison import Comparison
from gateways.files.source import Source
from pinion.cli.replay import output as replay_output
from pinion.cli.replay.lines import LineReplay
from pinion.cli.replay.market import MarketReplay
from tests.gateways.files.venue_files import (
    Row,
    itch_add,
    itch_delete,
    itch_execute,
    itch_execute_priced,
    itch_reduce,
    itch_replace,
    several_dbn_bytes,
)

SYMBOLS = ["ESH4", "NQH4"]  # tick sizes of these need not be given
VENUE_IDS = [1, 2, 2**62, 2**62 + 1, 2**64 - 1]
Fields = dict[str, Any]
ItchMessage = Callable[[int, int], bytes]
"""(time, locate) -> one message."""
FileOf = Callable[[list[tuple[str, Any]], list[str]], bytes]
"""(what was said of which symbol, the symbols to keep) -> a file."""


class Story:
    """What one input led to, per symbol, with orders counted from the first: no id of ours is in it."""

    def __init__(self, engine: ReplayEngine, lines: bytes, comparison: Comparison | None) -> None:
        self.comparison = comparison
        books = replay_output.books(engine)
        events: list[Fields] = [json.loads(line) for line in lines.splitlines()]
        self.refused = Counter(event["reason"] for event in events if event["event"] == "rejected")
        self.told: dict[str, list[Fields]] = {symbol: [] for symbol in books}
        self._symbols: dict[int, str] = {}
        self._ranks: dict[tuple[str, int | None], int | None] = {("client", None): None}
        for event in events:
            if event["event"] == "accepted":
                self._number(event)
            if event["event"] != "rejected":
                order_id = event["order_id"] if "order_id" in event else event["maker_order_id"]
                self.told[self._symbols[order_id]].append(self._without_ids(event))
        self.books = {symbol: self._levels(book) for symbol, book in books.items()}

    def _number(self, event: Fields) -> None:
        """Count an order as the next of its symbol; its client id must be a new one."""
        symbol = self._symbols[event["order_id"]] = event["symbol"]
        rank = self._ranks["order", event["order_id"]] = len(self.told[symbol])
        name = "client", event["client_order_id"]
        if name != ("client", None):
            assert name not in self._ranks
            self._ranks[name] = rank

    def _without_ids(self, event: Fields) -> Fields:
        """Return an event with ranks for ids, and without what counts the commands of all symbols."""
        plain = {name: value for name, value in event.items() if name not in ("seq", "eng_ts")}
        for name in plain:
            if name.endswith("client_order_id"):
                plain[name] = self._ranks["client", plain[name]]
            elif name.endswith("order_id"):
                plain[name] = self._ranks["order", plain[name]]
        return plain

    def _levels(self, book: Fields) -> Fields:
        return {
            side: [[*level, [self._ranks["client", each] for each in ids]] for *level, ids in book[side]]
            for side in ("bids", "asks")
        }


@contextmanager
def opened(content: bytes) -> Iterator[Source]:
    """Open a file of these bytes."""
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with Source(file.name) as source:
            yield source


def play_file(content: bytes) -> Story:
    """Replay a file."""
    engine, out = ReplayEngine(keeps_events=True, is_timed=False), io.BytesIO()
    writer = replay_output.EventWriter(out, engine.catalogue())
    with opened(content) as source:
        market = MarketReplay(engine, writer, source, {})
        market.play()
    return Story(engine, out.getvalue(), market.comparison)


def play_feed(content: bytes) -> Story:
    """Play the commands that `pinion feed` makes of a file."""
    engine, out = ReplayEngine(keeps_events=True, is_timed=False), io.BytesIO()
    lines = LineReplay(engine, replay_output.EventWriter(out, engine.catalogue()), has_auto_instruments=False)
    with opened(content) as source:
        for command in commands_of(source, {}, 1):
            lines.line(command)
    lines.flush()
    return Story(engine, out.getvalue(), None)


def dbn_orders() -> st.SearchStrategy[list[Row]]:
    """Return one event of one instrument: what a venue may say, in any order and of any order id."""
    ids, side = st.sampled_from(VENUE_IDS), st.sampled_from("AB")
    ticks, size = st.integers(398, 402), st.integers(1, 5)
    order = st.tuples(st.sampled_from("AAACM"), side, ids, ticks, size).map(lambda row: [row])
    clear: st.SearchStrategy[list[Row]] = st.just([("R", "N", 0, 400, 1)])

    def traded(drawn: tuple[str, int, int, int, int]) -> list[Row]:
        aggressor, order_id, px, traded_size, aggressor_id = drawn
        resting = "A" if aggressor == "B" else "B"
        return [
            ("T", aggressor, aggressor_id, px, traded_size),
            ("F", resting, order_id, px, traded_size),
            ("C", resting, order_id, px, traded_size),
        ]

    trade = st.tuples(side, ids, ticks, size, ids).map(traded)
    return st.one_of(order, order, order, trade, clear)


def itch_messages() -> st.SearchStrategy[ItchMessage]:
    """Return one message about one stock."""
    ids, shares = st.sampled_from(VENUE_IDS), st.integers(1, 5)
    prices = st.integers(99_998, 100_002)
    makers: list[tuple[Callable[..., bytes], tuple[st.SearchStrategy[Any], ...]]] = [
        (_added, (ids, st.sampled_from("BS"), shares, prices)),
        (itch_execute, (ids, shares)),
        (itch_execute_priced, (ids, shares, prices)),
        (itch_reduce, (ids, shares)),
        (itch_delete, (ids,)),
        (itch_replace, (ids, ids, shares, prices)),
    ]
    drawn = [st.tuples(st.just(make), st.tuples(*fields)) for make, fields in makers]
    message: st.SearchStrategy[tuple[Callable[..., bytes], tuple[Any, ...]]] = st.one_of(
        drawn[0], drawn[0], drawn[0], *drawn[1:]
    )
    return message.map(lambda made: lambda ts, locate: made[0](*made[1], ts=ts, locate=locate))


def _added(order_id: int, side: str, shares: int, price: int, ts: int, locate: int) -> bytes:
    return itch_add(order_id, side, shares, price, SYMBOLS[locate], ts, locate)


def itch_bytes(messages: list[tuple[str, ItchMessage]], symbols: list[str]) -> bytes:
    """Return the messages of these symbols as a file, one nanosecond apart."""
    return b"".join(
        message(1 + k, SYMBOLS.index(symbol))
        for k, (symbol, message) in enumerate(messages)
        if symbol in symbols
    )


def dbn_file(events: list[tuple[str, list[Row]]], symbols: list[str]) -> bytes:
    """Return the events of these symbols as a file."""
    return several_dbn_bytes([event for event in events if event[0] in symbols], SYMBOLS)


FORMATS = pytest.mark.parametrize(
    ("one", "file_of"), [(dbn_orders(), dbn_file), (itch_messages(), itch_bytes)], ids=["dbn", "itch"]
)


Play = Callable[[bytes], Story]
PLAYS = pytest.mark.parametrize("play", [play_file, play_feed], ids=["replay", "feed"])


@FORMATS
@PLAYS
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_book_comes_out_as_if_its_instrument_were_alone(
    play: Play, one: st.SearchStrategy[Any], file_of: FileOf, data: st.DataObject
) -> None:
    said = data.draw(st.lists(st.tuples(st.sampled_from(SYMBOLS), one), min_size=8, max_size=40))

    whole = play(file_of(said, SYMBOLS))

    alone = {symbol: play(file_of(said, [symbol])) for symbol in whole.books}
    assert whole.told == {symbol: story.told[symbol] for symbol, story in alone.items()}
    assert whole.books == {symbol: story.books[symbol] for symbol, story in alone.items()}
    assert whole.refused == sum((story.refused for story in alone.values()), Counter())
    assert "duplicate" not in whole.refused
    if whole.comparison is not None:
        assert whole.refused == Counter()
        assert whole.comparison.exact == sum(
            each.comparison.exact for each in alone.values() if each.comparison
        )
