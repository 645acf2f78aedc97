import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.instruments import RefusedAtDoor
from engine.trading.kernels.levels import next_level
from engine.trading.records import Side, Status
from engine.trading.view.book_kernels import TORN, checked_next_level, copy_book, diff_levels
from engine.trading.view.live_view import LiveView
from engine.trading.view.records import EndedOrder, OrderView
from tests.api.exchange import Exchange

PRICES = st.integers(1, 2**20).map(lambda cents: f"{cents / 100:.2f}")
ORDERS = st.tuples(st.sampled_from([1, 2]), st.sampled_from(["buy", "sell"]), PRICES)


def live_rows(exchange: Exchange, side: Side) -> list[list[int]]:
    """Return [px, open lots, orders] of one side, best first, from the orders themselves."""
    levels: dict[int, list[int]] = {}
    for account in (1, 2, 3):
        found = exchange.view.orders(account)
        assert found is not None
        for order in found.orders:
            if order.side is side:
                level = levels.setdefault(order.px, [order.px, 0, 0])
                level[1] += order.leaves_qty
                level[2] += 1
    return sorted(levels.values(), reverse=side is Side.BUY)


@settings(max_examples=40, deadline=None)
@given(orders=st.lists(ORDERS, max_size=60), depth=st.integers(0, 70))
def test_book_holds_the_best_levels_of_the_live_orders(
    orders: list[tuple[int, str, str]], depth: int
) -> None:
    exchange = Exchange()

    for account, side, price in orders:
        exchange.order(account, side, price, "1")
    book = exchange.view.book("BTC-USD", depth)

    assert book.bids.tolist() == live_rows(exchange, Side.BUY)[:depth]
    assert book.asks.tolist() == live_rows(exchange, Side.SELL)[:depth]


def test_walk_for_readers_goes_where_the_writers_walk_goes() -> None:
    exchange = Exchange()
    for cents in (1, 31, 32, 33, 1024, 1025, 40_000, 2_000_000):
        exchange.order(1, "sell", f"{1 + cents / 100:.2f}", "1")
    s = exchange.state[0]
    level = int(s["books"][0]["best"][Side.SELL]) - 1
    steps = 0

    while level >= 0:
        following = next_level(s, level)
        assert checked_next_level(s, level) == following
        level = following
        steps += 1

    assert steps == 8


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_walk_over_torn_memory_stays_inside_and_ends(seed: int) -> None:
    exchange = Exchange()
    random = np.random.default_rng(seed)
    for _ in range(60):
        exchange.order(1, "sell", f"{random.integers(1, 10**6) / 100:.2f}", "1")
    s = exchange.state[0]
    for field in ("bits", "shift", "parent"):
        nodes = s["nodes"][field][:40]
        garbage = random.integers(-(2**62), 2**62, len(nodes))
        nodes[:] = np.where(random.random(len(nodes)) < 0.5, garbage, nodes)

    book = exchange.view.book("BTC-USD", 1000)

    assert len(book.asks) <= 1000


def test_book_that_is_being_written_is_torn() -> None:
    exchange = Exchange()
    levels = np.zeros((1, 3), np.int64)
    exchange.state["version"][0][0] = 2 * 99 - 1

    version = copy_book(exchange.view._state, 0, levels, levels, np.zeros(7, np.int64), np.zeros(3, np.int64))

    assert version == TORN


def test_view_cannot_write() -> None:
    view = Exchange().view

    with pytest.raises(ValueError, match="read-only"):
        view.book_record(0)["phase"] = 1


def test_book_prints_in_prices_and_quantities() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100.25", "1.5")

    assert "100.25" in str(exchange.view.book("BTC-USD"))
    assert "1.5" in str(exchange.view.book("BTC-USD"))


def test_unknown_symbol_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(RefusedAtDoor, match="BTC-USD"):
        Exchange().view.book("NOPE")


def test_instrument_added_later_appears_in_the_catalogue() -> None:
    exchange = Exchange()
    before = len(exchange.view.catalogue.instruments)

    exchange.define(
        {
            "op": "instrument",
            "symbol": "NEW",
            "base": "BTC",
            "quote": "USD",
            "tick_size": "1",
            "lot_size": "1",
        }
    )

    assert len(exchange.view.catalogue.instruments) == before + 1


def test_account_shows_reserve_position_and_profit() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "2")
    exchange.order(2, "sell", "100", "2")
    exchange.order(1, "sell", "110", "1")
    exchange.order(2, "buy", "110", "1")

    account = exchange.view.account(1)

    assert account is not None
    (position,) = account.positions
    usd = account.balances[0]
    assert (position.qty, position.cost, position.realised) == (1000, 100_000_000, 10_000_000)
    assert position.unrealised == 10_000_000
    assert usd.total == 1_000_000_000_000 - 200_000_000 + 110_000_000
    assert usd.equity == usd.total + 110_000_000
    assert usd.available == usd.total - usd.reserved


def test_unknown_account_is_none() -> None:
    assert Exchange().view.account(99) is None
    assert Exchange().view.orders(99) is None


def test_order_is_found_by_either_id_and_its_end_is_remembered() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "2", client_order_id=77)
    live = exchange.view.client_order(1, 77)
    assert isinstance(live, OrderView)
    by_engine_id = exchange.view.order(live.order_id)

    exchange.order(2, "sell", "100", "2")
    ended = exchange.view.client_order(1, 77)

    assert by_engine_id == live
    assert isinstance(ended, EndedOrder)
    assert (ended.status, ended.cum_qty) == (Status.FILLED, 2000)
    assert exchange.view.order(live.order_id) is None


def test_order_hidden_by_a_chain_that_is_being_relinked_is_still_found() -> None:
    exchange = Exchange()
    accepted = exchange.order(1, "buy", "100", "2")
    exchange.state[0]["order_bucket"][:] = 0

    assert exchange.view.order(int(accepted["order_id"][0])) is not None


@settings(deadline=None)
@given(
    before=st.dictionaries(st.integers(1, 20), st.integers(1, 3), max_size=12),
    after=st.dictionaries(st.integers(1, 20), st.integers(1, 3), max_size=12),
    side=st.sampled_from([Side.BUY, Side.SELL]),
)
def test_difference_of_two_copies_leads_from_one_to_the_other(
    before: dict[int, int], after: dict[int, int], side: Side
) -> None:
    def rows(levels: dict[int, int]) -> np.ndarray:
        made = [[px, qty, 1] for px, qty in sorted(levels.items(), reverse=side is Side.BUY)]
        return np.array(made, np.int64).reshape(-1, 3)

    out = np.zeros((len(before) + len(after), 3), np.int64)
    changes = out[: diff_levels(rows(before), rows(after), int(side), out)].tolist()

    reached = dict(before)
    for px, qty, _ in changes:
        if qty:
            reached[px] = qty
        else:
            del reached[px]
    assert reached == after
    assert all(before.get(px, 0) != qty for px, qty, _ in changes)


def test_private_state_needs_no_instance() -> None:
    exchange = Exchange()

    assert LiveView(exchange.state).book("BTC-USD").seq == exchange.view.book("BTC-USD").seq
