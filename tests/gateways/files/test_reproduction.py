"""A venue's events against our matching: what is reproduced, what differs, and under which name."""

from collections import Counter

import pytest

from engine.records import Side
from gateways.files.comparison import Comparison
from gateways.files.market import Action, Event, MarketRecord
from gateways.files.reproduction import FIRST_NEW_CLIENT_ID, Reproduction
from gateways.files.starting_book import SETTLING_NS, StartingBook
from tests.gateways.files.naive_engine import NaiveEngine

LETTERS = {
    "A": Action.ADD,
    "C": Action.CANCEL,
    "M": Action.MODIFY,
    "R": Action.CLEAR,
    "T": Action.TRADE,
    "F": Action.FILL,
    "U": Action.RENAME,
}
SIDES = {"B": Side.BUY, "A": Side.SELL, "N": 0}


def event(*rows: str, ts: int = 1) -> Event:
    """Return an event of rows such as `A B 7 400 3`: action, side, order, px, size, new order."""
    records = []
    for row in rows:
        action, side, *numbers = row.split()
        order_id, px, size, new_order_id = [*map(int, numbers), 0, 0, 0][:4]
        is_last = row is rows[-1]
        records.append(
            MarketRecord(LETTERS[action], ts, "ES", order_id, SIDES[side], px, size, is_last, 0, new_order_id)
        )
    return records


class Bench:
    """A reproduction over the naive engine."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()
        self.comparison = Comparison()
        self.reproduction = Reproduction(self.engine, self.comparison)

    def play(self, *events: Event) -> None:
        """Play the events; afterwards our book must be the venue's."""
        for each in events:
            self.reproduction.play(each)
            self.check()

    def check(self) -> None:
        """Assert that engine, our queues and the venue's say the same."""
        venue, ours = self.reproduction.venue.queues, self.reproduction.ours
        for side in (Side.BUY, Side.SELL):
            for px in {order.px for order in venue.orders.values()} | {o.px for o in ours.orders.values()}:
                wanted = [(order.order_id, order.leaves) for order in venue.queue(side, px)]
                assert [(order.order_id, order.leaves) for order in ours.queue(side, px)] == wanted
                held = [(order.client_id, order.leaves) for order in self.engine.queues.queue(side, px)]
                assert held == [(order.client_id, order.leaves) for order in ours.queue(side, px)]


@pytest.fixture
def bench() -> Bench:
    """An empty book."""
    return Bench()


def test_trade_against_the_first_in_the_queue_is_exact(bench: Bench) -> None:
    bench.play(
        event("A B 1 400 3"),
        event("A B 2 400 5"),
        event("T A 9 400 4", "F B 1 400 3", "F B 2 400 1", "C B 1 400 3", "M B 2 400 4"),
    )

    assert (bench.comparison.exact, bench.comparison.compared) == (1, 1)
    assert bench.comparison.mending_commands == 0


def test_restated_fills_are_not_applied_again(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("T A 9 400 2", "F B 1 400 2", "M B 1 400 1"))

    assert [entry[0] for entry in bench.engine.log] == ["new", "trade"]


def test_fill_of_the_aggressor_itself_is_no_resting_fill(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("T A 9 400 3", "F B 1 400 3", "F A 9 400 3", "C B 1 400 3"))

    assert bench.comparison.exact == 1


def test_cancel_of_the_aggressor_is_applied(bench: Bench) -> None:
    bench.play(
        event("A B 1 400 3"),
        event("A A 9 402 3"),
        event("T A 9 400 3", "F B 1 400 3", "C B 1 400 3", "C A 9 402 3"),
    )

    assert not bench.engine.queues.orders


def test_order_cancelled_by_self_match_prevention_leaves_before_the_aggressor(bench: Bench) -> None:
    bench.play(
        event("A B 1 400 1"),
        event("A B 2 400 1"),
        event("T A 9 400 1", "F B 2 400 1", "C B 2 400 1", "C B 1 400 1"),
    )

    assert bench.comparison.differences == Counter({})
    assert bench.comparison.exact == 1


def test_arriving_order_meets_no_order_that_its_own_event_cancels(bench: Bench) -> None:
    bench.play(event("A A 1 401 1"), event("A B 2 401 1", "C A 1 401 1"))

    assert bench.comparison.unexpected_crosses == []


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (["T A 9 400 8", "F B 1 400 8", "M B 1 400 2"], "iceberg"),
        (["T A 9 400 2"], "implied or spread"),
        (["T A 9 400 3", "F B 1 400 2", "M B 1 400 1"], "partly implied"),
        (["T N 0 400 2", "F B 1 400 2", "M B 1 400 1"], "auction"),
        (["T A 9 400 1", "F B 2 400 1", "M B 2 400 4"], "other"),
        (["T A 9 400 1", "F B 77 400 1"], "never gave"),
    ],
)
def test_difference_is_named_and_the_book_mended(bench: Bench, rows: list[str], kind: str) -> None:
    bench.play(event("A B 1 400 3"), event("A B 2 400 5"), event(*rows))

    assert bench.comparison.exact == 0
    (named,) = bench.comparison.differences
    assert kind in named


def test_id_that_is_used_again_gets_a_new_client_id(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("C B 1 400 3"), event("A B 1 401 2"))

    assert bench.engine.log[-1] == ("new", FIRST_NEW_CLIENT_ID, Side.BUY, 401, 2)


def test_rename_goes_to_the_tail_under_its_new_id(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("A B 2 400 5"), event("U B 1 400 2 7"))

    assert [order.order_id for order in bench.reproduction.ours.queue(Side.BUY, 400)] == [2, 7]


def test_partial_cancel_keeps_the_place(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("A B 2 400 5"), event("C B 1 400 2"))

    assert [order.order_id for order in bench.reproduction.ours.queue(Side.BUY, 400)] == [1, 2]


def test_capture_without_an_auction_begins_with_its_first_record(bench: Bench) -> None:
    start = StartingBook(bench.reproduction)

    for each in (
        event("A B 1 400 3"),
        event("M B 1 400 2"),
        event("T A 9 400 2", "F B 1 400 2", "C B 1 400 2"),
    ):
        start.play(each)
    start.finish()

    assert [entry[0] for entry in bench.engine.log] == ["new", "replace", "trade"]
    assert bench.comparison.before_start == 0


def test_capture_that_begins_before_an_auction_enters_what_is_alive_a_second_later(bench: Bench) -> None:
    start = StartingBook(bench.reproduction)
    auction = event("T N 0 400 1", "F N 1 400 1", "F N 2 400 1", "C B 1 401 1", "C A 2 399 1", ts=10)
    later = 11 + SETTLING_NS

    for each in (event("A B 1 401 1"), event("A A 2 399 1"), event("A B 3 398 4"), auction):
        start.play(each)
    assert bench.engine.log == []
    start.play(event("T A 9 398 1", "F B 3 398 1", "M B 3 398 3", ts=later))
    start.finish()

    assert bench.engine.log == [("new", 3, Side.BUY, 398, 4), ("trade", Side.SELL, 398, 1)]
    assert (bench.comparison.before_start, bench.comparison.exact) == (1, 1)


def test_capture_that_ends_within_the_auction_second_still_enters_its_book(bench: Bench) -> None:
    start = StartingBook(bench.reproduction)

    start.play(event("A B 3 398 4"))
    start.play(event("T N 0 400 1", ts=10))
    start.finish()

    assert bench.engine.log == [("new", 3, Side.BUY, 398, 4)]
