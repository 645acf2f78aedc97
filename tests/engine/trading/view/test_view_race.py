"""A process that writes a state as fast as it can, and a view that copies out of it meanwhile."""

import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import pytest

from engine.trading.kernels.apply import apply
from engine.trading.kernels.state import state_dtype
from engine.trading.records import COMMAND, Op, OrderType, Role, SelfTradePrevention, Side, TimeInForce
from engine.trading.view.live_view import LiveView
from gateways.json_lines.size_by import sizing_words
from ringbuf import segment
from ringbuf.atomics import cpu_pause
from ringbuf.njit import njit
from ringbuf.segment import Kind
from ringbuf.seqlock import TornReadError, close_version
from tests.api.exchange import Exchange
from tests.capacities import SMALL

FLOW_COMMANDS = 4096
COPIES = 3000
PAUSES = 2000
"""About 30 us between two commands: 30,000 commands a second on one book."""
SEED = 20_240_607


@njit
def write(state: Any, commands: Any, pauses: int) -> None:
    """Apply every command once, as the loop does, leaving a moment between two."""
    s = state[0]
    for i in range(commands.shape[0]):
        apply(s, commands[i], s.seq + 1, s.eng_ts, 0)
        for k in range(s.opened_count):
            close_version(s.version, s.opened[k], s.seq)
        s.opened_count = 0
        s.out_count = 0
        for _ in range(pauses):
            cpu_pause()


def flow() -> np.ndarray:
    """Return orders of three accounts around one price, and mass cancels that empty the book."""
    random = np.random.default_rng(SEED)
    commands = np.zeros(FLOW_COMMANDS, COMMAND)
    commands["version"], commands["roles"] = 1, int(Role.ALL)
    commands["op"] = np.where(random.random(FLOW_COMMANDS) < 0.02, int(Op.MASS_CANCEL), int(Op.NEW))
    commands["account"] = random.integers(1, 4, FLOW_COMMANDS)
    commands["side"] = np.where(commands["op"] == Op.NEW, random.integers(1, 3, FLOW_COMMANDS), 0)
    commands["order_type"], commands["time_in_force"] = int(OrderType.LIMIT), int(TimeInForce.GTC)
    commands["stp_mode"] = int(SelfTradePrevention.CANCEL_OLDEST)
    spread = np.where(commands["side"] == Side.BUY, -1, 1) * random.geometric(0.01, FLOW_COMMANDS)
    commands["px"] = 100_000 + spread + random.integers(-3, 4, FLOW_COMMANDS)
    commands["qty"] = random.integers(1, 100, FLOW_COMMANDS)
    return commands


def write_until_killed(name: str) -> None:
    """Body of the writing process: it also ends when its parent does."""
    with segment.attach(name, Kind.STATE, state_dtype(SMALL)) as shared:
        commands, parent = flow(), os.getppid()
        while os.getppid() == parent:
            write(shared.slots, commands, PAUSES)


@pytest.fixture
def raced() -> Iterator[LiveView]:
    """Give a view of a state that another process is writing."""
    name = f"pinion-test-view-{os.getpid()}"
    initial = Exchange().state
    shared = segment.create(name, Kind.STATE, initial.dtype, 1, initial=initial)
    writer: BaseProcess = multiprocessing.get_context("spawn").Process(
        target=write_until_killed, args=(name,)
    )
    try:
        writer.start()
        view = LiveView(shared.slots)
        while view.trade_count == 0:
            assert writer.is_alive()
        yield view
    finally:
        writer.kill()
        writer.join()
        shared.unlink()


def test_every_copy_of_a_raced_book_is_a_book(raced: LiveView) -> None:
    seqs = set()

    for _ in range(COPIES):
        try:
            book = raced.book("BTC-USD", 1000)
        except TornReadError:
            continue
        seqs.add(book.seq)
        assert np.all(np.diff(book.bids[:, 0]) < 0)
        assert np.all(np.diff(book.asks[:, 0]) > 0)
        assert np.all(book.bids[:, 1:] > 0)
        assert np.all(book.asks[:, 1:] > 0)
        if len(book.bids) and len(book.asks):
            assert book.bids[0, 0] < book.asks[0, 0]
        assert book.order_count == book.bids[:, 2].sum() + book.asks[:, 2].sum()

    assert len(seqs) > COPIES // 100  # the writer wrote meanwhile, on a loaded machine too


def test_every_copy_of_a_raced_account_agrees_with_itself(raced: LiveView) -> None:
    copied = 0

    for _ in range(COPIES):
        try:
            orders = raced.orders(1)
            account = raced.account(1)
        except TornReadError:
            continue
        assert orders is not None
        assert account is not None
        copied += 1
        assert all(0 < order.leaves_qty <= order.qty - order.cum_qty for order in orders.orders)
        assert {order.account for order in orders.orders} <= {1}
        if orders.seq == account.seq:
            assert len(orders.orders) == account.open_order_count
            open_lots = sum(order.leaves_qty for order in orders.orders)
            assert open_lots == sum(p.open_buy_qty + p.open_sell_qty for p in account.positions)

    assert copied > COPIES // 100


def test_every_size_of_a_raced_account_is_that_of_one_moment(raced: LiveView) -> None:
    words = sizing_words({"method": "fixed_notional", "amount": 10**9}, raced.catalogue.instruments[0])
    compared = 0

    for _ in range(COPIES):
        try:
            before = raced.account(1)
            found = raced.size(1, 0, Side.BUY, 100_000, words)
            after = raced.account(1)
        except TornReadError:
            continue
        assert before is not None
        assert after is not None
        assert found.seq >= before.seq
        if before.seq == after.seq:
            compared += 1
            available = before.balances[0].available
            assert found.funds_room == available * 1000 // 1001 // 100_000 // found.instrument.scale

    assert compared > COPIES // 100
