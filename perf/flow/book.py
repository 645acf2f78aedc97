"""The generator's own book: a price ladder that matches as the engine does, written for the flow.

The generator has to know which orders live and where the market stands. It keeps this
model, which shares no code with the engine: an array of price queues per symbol around a
fixed anchor price. The tests check that the engine, given the generated commands, ends
with the same live orders and made the same number of trades, so it is an oracle as well.

Prices are ladder positions 0 .. ladder-1 here; `Side` numbers are the record's. Links
hold order idx + 1, 0 = none, so that zeroed memory is a valid empty model.
"""

from typing import Any

import numpy as np

from engine.trading.records import Side
from perf.flow.tables import TABLE_SIZE
from ringbuf.njit import njit

BUY = int(Side.BUY)
SELL = int(Side.SELL)

ORDER = np.dtype(
    [
        ("client_order_id", "<i8"),
        ("account", "<i4"),
        ("symbol", "<i4"),
        ("side", "<i4"),
        ("px", "<i4"),
        ("total", "<i4"),
        ("leaves", "<i4"),
        ("next", "<i4"),
        ("prev", "<i4"),
        ("live_idx", "<i4"),
        ("pad", "<i4"),
    ]
)


def model_dtype(symbols: int, ladder: int, orders: int, accounts: int) -> np.dtype[np.void]:
    """Return the dtype of the one model record."""
    return np.dtype(
        [
            ("random", "<i8"),
            ("next_client_order_id", "<i8"),
            ("live_count", "<i8"),
            ("free", "<i8"),
            ("orders_used", "<i8"),
            ("trade_count", "<i8"),
            ("prevented_count", "<i8"),
            ("trading_commands", "<i8"),
            ("op_count", "<i8", (8,)),
            ("best", "<i4", (symbols, 3)),  # ladder position + 1, by side
            ("reference", "<i4", (symbols,)),
            ("head", "<i4", (symbols, ladder)),
            ("tail", "<i4", (symbols, ladder)),
            ("live", "<i4", (orders,)),
            ("orders", ORDER, (orders,)),
            ("account_table", "<i4", (accounts,)),
            ("distance_table", "<i4", (TABLE_SIZE,)),
            ("size_table", "<i4", (TABLE_SIZE,)),
        ]
    )


@njit
def rest(
    m: Any, symbol: int, side: int, account: int, px: int, total: int, leaves: int, client_order_id: int
) -> None:
    """Put an order at the tail of its price."""
    order = m.free - 1
    if order >= 0:
        m.free = m.orders[order].next
    else:
        order = m.orders_used
        m.orders_used += 1
    o = m.orders[order]
    o.client_order_id = client_order_id
    o.account = account
    o.symbol = symbol
    o.side = side
    o.total = total
    o.leaves = leaves
    o.live_idx = m.live_count
    m.live[m.live_count] = order
    m.live_count += 1
    link(m, order, px)


@njit
def link(m: Any, order: int, px: int) -> None:
    """Append the order to the queue of ladder position `px` and move the best price."""
    o = m.orders[order]
    o.px = px
    o.next = 0
    o.prev = m.tail[o.symbol, px]
    if o.prev:
        m.orders[o.prev - 1].next = order + 1
    else:
        m.head[o.symbol, px] = order + 1
    m.tail[o.symbol, px] = order + 1
    best = m.best[o.symbol, o.side]
    if best == 0 or (o.side == BUY and px + 1 > best) or (o.side == SELL and px + 1 < best):
        m.best[o.symbol, o.side] = px + 1


@njit
def unlink(m: Any, order: int) -> None:
    """Take the order out of its queue and move the best price if it was the last there."""
    o = m.orders[order]
    if o.prev:
        m.orders[o.prev - 1].next = o.next
    else:
        m.head[o.symbol, o.px] = o.next
    if o.next:
        m.orders[o.next - 1].prev = o.prev
    else:
        m.tail[o.symbol, o.px] = o.prev
    if m.head[o.symbol, o.px] == 0 and m.best[o.symbol, o.side] == o.px + 1:
        step = -1 if o.side == BUY else 1
        px = o.px + step
        while 0 <= px < m.head.shape[1] and m.head[o.symbol, px] == 0:
            px += step
        m.best[o.symbol, o.side] = px + 1 if 0 <= px < m.head.shape[1] else 0


@njit
def forget(m: Any, order: int) -> None:
    """Give the order's slot back; the last live order takes its place in the live list."""
    o = m.orders[order]
    m.live_count -= 1
    moved = m.live[m.live_count]
    m.live[o.live_idx] = moved
    m.orders[moved].live_idx = o.live_idx
    o.next = m.free
    m.free = order + 1


@njit
def remove(m: Any, order: int) -> None:
    """End a resting order."""
    unlink(m, order)
    forget(m, order)


@njit
def match(m: Any, symbol: int, side: int, account: int, limit: int, qty: int) -> int:
    """Trade against the other side up to `limit`; return what is left, 0 after a self-trade.

    CANCEL_NEWEST: the aggressor's remainder is cancelled when it meets its own account.
    """
    other = BUY + SELL - side
    before = m.trade_count
    left = qty
    while left > 0:
        best = m.best[symbol, other]
        if best == 0 or (side == BUY and best - 1 > limit) or (side == SELL and best - 1 < limit):
            break
        maker = m.head[symbol, best - 1] - 1
        o = m.orders[maker]
        if o.account == account:
            m.prevented_count += 1
            left = 0
            break
        traded = min(left, o.leaves)
        left -= traded
        o.leaves -= traded
        m.trade_count += 1
        if o.leaves == 0:
            remove(m, maker)
    if m.trade_count != before:
        m.trading_commands += 1
    return left
