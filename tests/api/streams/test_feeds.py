import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.streams.feeds import BookFeed, BookReader
from api.streams.outbox import Outbox
from tests.api.exchange import EPOCH, Exchange

PRICES = st.integers(9990, 10010).map(lambda cents: f"{cents / 100:.2f}")
ORDERS = st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["buy", "sell"]), PRICES, st.integers(1, 5))
STEPS = st.lists(st.one_of(ORDERS, st.sampled_from(["fast", "slow", "mass"])), min_size=1, max_size=60)


class Follower:
    """A client that knows nothing but the messages: it applies them as the documentation says."""

    def __init__(self) -> None:
        self.md_seq = -1
        self.sides: dict[str, dict[str, list[object]]] = {"bids": {}, "asks": {}}
        self.symbol = ""

    def take(self, message: bytes | None) -> None:
        if message is None:
            return
        document = msgspec.json.decode(message)
        if document["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        else:
            assert document["prev_md_seq"] == self.md_seq
            assert document["md_seq"] > self.md_seq
        for name, side in self.sides.items():
            for price, quantity, orders in document[name]:
                if quantity == "0":
                    del side[price]
                else:
                    side[price] = [price, quantity, orders]
        self.md_seq = document["md_seq"]

    def rows(self) -> dict[str, list[list[object]]]:
        """Return the book as sorted rows."""
        bids = sorted(self.sides["bids"].values(), key=lambda row: -float(str(row[0])))
        asks = sorted(self.sides["asks"].values(), key=lambda row: float(str(row[0])))
        return {"bids": bids, "asks": asks}


def expected(exchange: Exchange, depth: int) -> dict[str, list[list[object]]]:
    book = exchange.view.book("BTC-USD", depth)
    price, quantity = book.instrument.price_text, book.instrument.quantity_text
    return {
        name: [[price(px), quantity(qty), orders] for px, qty, orders in rows.tolist()]
        for name, rows in (("bids", book.bids), ("asks", book.asks))
    }


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, depth=st.integers(1, 8))
def test_snapshot_and_deltas_make_the_book_for_fast_and_for_slow_readers(
    steps: list[object], depth: int
) -> None:
    exchange = Exchange()
    feed = BookFeed(exchange.view.book("BTC-USD", depth), depth, EPOCH)
    readers = {name: BookReader(feed, Outbox(lambda: None)) for name in ("fast", "slow")}
    followers = {name: Follower() for name in readers}

    for step in [*steps, "fast", "slow"]:
        if isinstance(step, tuple):
            account, side, price, quantity = step
            exchange.order(account, side, price, str(quantity))
        elif step == "mass":
            exchange.submit({"op": "mass_cancel", "account": 1})
        feed.publish(exchange.view.book("BTC-USD", depth))
        for name in {"fast", str(step)} & readers.keys():
            followers[name].take(readers[name].message())

    for follower in followers.values():
        assert follower.rows() == expected(exchange, depth)


def test_readers_in_step_share_one_encoding() -> None:
    exchange = Exchange()
    feed = BookFeed(exchange.view.book("BTC-USD", 5), 5, EPOCH)
    first, second = (BookReader(feed, Outbox(lambda: None)) for _ in range(2))
    first.message()
    second.message()

    exchange.order(1, "buy", "100", "1")
    feed.publish(exchange.view.book("BTC-USD", 5))

    assert first.message() is second.message()


def test_change_below_the_depth_of_the_feed_sends_nothing() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "1")
    feed = BookFeed(exchange.view.book("BTC-USD", 1), 1, EPOCH)
    reader = BookReader(feed, Outbox(lambda: None))
    reader.message()

    exchange.order(1, "buy", "99", "1")
    feed.publish(exchange.view.book("BTC-USD", 1))

    assert reader.message() is None


def test_delta_after_a_silent_change_names_the_last_message_sent() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "1")
    feed = BookFeed(exchange.view.book("BTC-USD", 1), 1, EPOCH)
    reader, follower = BookReader(feed, Outbox(lambda: None)), Follower()
    follower.take(reader.message())
    exchange.order(1, "buy", "99", "1")
    feed.publish(exchange.view.book("BTC-USD", 1))
    follower.take(reader.message())

    exchange.order(1, "buy", "101", "1")
    feed.publish(exchange.view.book("BTC-USD", 1))
    follower.take(reader.message())

    assert follower.rows()["bids"] == [["101", "1", 1]]
