"""A venue's events against our matching: what is reproduced, what differs, and under which name."""

from collections import Counter

import pytest

from engine.trading.records import Side
from gateways.files.client_ids import FIRST_OWN_ID, ClientIds
from gateways.files.comparison import Comparison, Fill
from gateways.files.market import Action, Event, MarketRecord
from gateways.files.reproduction import Reproduction
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
        self.reproduction = Reproduction(self.engine, self.comparison, ClientIds())

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

    assert bench.engine.log[-1] == ("new", FIRST_OWN_ID, Side.BUY, 401, 2)


def test_rename_goes_to_the_tail_under_its_new_id(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("A B 2 400 5"), event("U B 1 400 2 7"))

    assert [order.order_id for order in bench.reproduction.ours.queue(Side.BUY, 400)] == [2, 7]


def test_rename_to_an_id_that_is_alive_ends_the_order_that_had_it(bench: Bench) -> None:
    bench.play(event("A B 1 400 3"), event("A B 2 400 5"), event("U B 1 401 2 2"))

    assert [(order.px, order.leaves) for order in bench.reproduction.ours.orders.values()] == [(401, 2)]
    assert bench.reproduction.venue.oddities == {"renamed to one that is alive": 1}


def test_execution_at_another_price_restates_its_order_and_withdraws_none(bench: Bench) -> None:
    bench.play(event("A B 1 400 9"), event("T A 0 398 4", "F B 1 400 4", "C B 1 400 4"))

    assert [entry[0] for entry in bench.engine.log] == ["new", "trade"]
    assert (bench.comparison.exact, bench.comparison.exact_after_withdrawal) == (1, 0)


class Refusing(NaiveEngine):
    """Refuses every order of one size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._refused: list[str] = []

    def new(self, client_id: int, side: int, px: int, size: int) -> list[Fill]:
        """Enter a limit order, or refuse it."""
        return super().new(client_id, side, px, size) if self._may(size) else []

    def trade(self, side: int, px: int, size: int) -> list[Fill]:
        """Enter an IOC order, or refuse it."""
        return super().trade(side, px, size) if self._may(size) else []

    def refusals(self) -> list[str]:
        """Return what was refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def _may(self, size: int) -> bool:
        if size == self._size:
            self._refused.append("new: max_quantity")
        return size != self._size


def test_refused_command_is_a_difference_so_that_no_hundred_per_cent_is_claimed() -> None:
    comparison = Comparison()
    reproduction = Reproduction(Refusing(7), comparison, ClientIds())

    for each in (
        event("A B 1 400 3"),
        event("A B 2 399 7"),
        event("T A 9 400 3", "F B 1 400 3", "C B 1 400 3"),
        event("A B 3 400 3"),
        event("T A 9 400 7", "F B 3 400 3", "C B 3 400 3"),
    ):
        reproduction.play(each)

    assert comparison.differences == {
        "our engine refused new: max_quantity": 1,
        "our engine refused the aggressor: new: max_quantity": 1,
    }
    assert (comparison.exact, comparison.compared, comparison.refused) == (1, 3, 1)
    assert "reproduced exactly            1 (33.33 %)" in list(comparison.lines())


def test_share_is_cut_and_not_rounded_up_to_all() -> None:
    comparison = Comparison()
    comparison.exact = 99_999
    comparison.refuse("new: duplicate", "byte 0, ts 0")

    assert "reproduced exactly            99999 (99.99 %)" in list(comparison.lines())


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
