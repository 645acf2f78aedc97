"""Generate a mix: set-up commands, the resting orders of the start, then the measured flow.

Deterministic from (mix, seed, count): an integer xorshift generator, tables made once from
the mix's distributions, and the model book of perf.flow.book to know what lives. Reference
price of a symbol: the middle of its book, kept within half the ladder around the anchor, so
prices wander but never leave. The long loops let go of the GIL: a thread may generate ahead of a
feeder that sends.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trading.records import (
    COMMAND,
    COMMAND_VERSION,
    UNCHANGED,
    Op,
    OrderType,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from perf.flow import book, limits
from perf.flow.commands import ANCHOR_PX, set_up_commands
from perf.flow.mixes import GIVE_CROSSING, Mix
from perf.flow.tables import TABLE_SIZE, store_tables
from ringbuf.njit import njit

BUY = int(Side.BUY)
SELL = int(Side.SELL)
NEW = int(Op.NEW)
CANCEL = int(Op.CANCEL)
REPLACE = int(Op.REPLACE)
LIMIT = int(OrderType.LIMIT)
MARKET = int(OrderType.MARKET)
GTC = int(TimeInForce.GTC)
IOC = int(TimeInForce.IOC)
CANCEL_NEWEST = int(SelfTradePrevention.CANCEL_NEWEST)
TRADER = int(Role.TRADER)
VERSION = COMMAND_VERSION
AGGRESSIVE = 0  # slot of op_count for market and IOC orders

REFERENCE_SLACK = 8  # ticks an aggressive limit order reaches beyond the best price
TAKE_MAX = 8  # resting orders an aggressor takes whole at most

OF_THE_MIX = (
    "live_orders",
    "cancel_share",
    "replace_share",
    "aggressive_share",
    "market_share",
    "distance_max",
    "qty_replace_share",
    "crossing_new",
    "crossing_replace",
)
RULES = np.dtype(
    [(name, "<i8") for name in (*OF_THE_MIX, "symbols", "give_crossing", "depth_count")]
    + [("depth", "<i8", (8,))]
)


@dataclass(frozen=True, slots=True)
class Flow:
    """Generated commands and what the model saw.

    commands[:set_up] builds the venue, commands[set_up:first] fills the books, the
    rest is the flow to be measured. The counters cover the measured part.
    """

    mix: Mix
    seed: int
    commands: npt.NDArray[np.void]
    set_up: int
    first: int
    trade_count: int
    prevented_count: int
    trading_commands: int
    aggressive_count: int
    live_count: int
    live_client_order_ids: npt.NDArray[np.int64]

    @property
    def measured(self) -> npt.NDArray[np.void]:
        """The part of the commands that is the mix."""
        return self.commands[self.first :]


@njit
def _below(m: Any, bound: int) -> int:
    """Return a random number in [0, bound); xorshift of Marsaglia (2003), 31 high bits used."""
    x = m.random
    x ^= x << 13
    x ^= (x >> 7) & 0x01FFFFFFFFFFFFFF
    x ^= x << 17
    m.random = x
    return (((x >> 32) & 0x7FFFFFFF) * bound) >> 31


@njit
def _opposite(m: Any, symbol: int, side: int) -> int:
    """Return the ladder position of the best price of the other side, or -1."""
    return m.best[symbol, BUY + SELL - side] - 1


@njit
def _passive_px(m: Any, distance_max: int, symbol: int, side: int) -> int:
    """Draw a price on the order's own side of the reference that does not cross."""
    bid = m.best[symbol, BUY]
    ask = m.best[symbol, SELL]
    ladder = m.head.shape[1]
    middle = m.reference[symbol]
    if bid and ask:
        middle = (bid + ask) >> 1
        middle = min(max(middle, ladder >> 2), ladder - (ladder >> 2))
        m.reference[symbol] = middle
    distance = m.distance_table[_below(m, TABLE_SIZE)]
    px = middle - distance if side == BUY else middle + distance
    other = _opposite(m, symbol, side)
    if other >= 0:
        px = min(px, other - 1) if side == BUY else max(px, other + 1)
    return min(max(px, 0), ladder - 1)


@njit
def _crosses(m: Any, rules: Any, base: int) -> bool:
    """Say whether this order shall cross: its base rate, raised and lowered to keep the live count level."""
    if base == 0:
        return False
    rate = base
    if rules.give_crossing:
        rate += 8 * base * (m.live_count - rules.live_orders) // rules.live_orders
    return _below(m, 1000) < rate


@njit
def _fill_new(m: Any, c: Any, symbol: int, side: int, account: int) -> None:
    """Write the fields that every NEW has."""
    m.next_client_order_id += 1
    c["op"] = NEW
    c["side"] = side
    c["order_type"] = LIMIT
    c["time_in_force"] = GTC
    c["stp_mode"] = CANCEL_NEWEST
    c["instrument"] = symbol
    c["account"] = account
    c["session"] = account
    c["client_order_id"] = m.next_client_order_id


@njit
def _new(m: Any, rules: Any, c: Any, symbol: int, may_cross: bool) -> None:
    """Enter a limit order, passive or crossing."""
    side = BUY + _below(m, 2)
    account = m.account_table[_below(m, m.account_table.shape[0])]
    qty = m.size_table[_below(m, TABLE_SIZE)]
    other = _opposite(m, symbol, side)
    if may_cross and other >= 0 and _crosses(m, rules, rules.crossing_new):
        px = other
    else:
        px = _passive_px(m, rules.distance_max, symbol, side)
    _fill_new(m, c, symbol, side, account)
    c["px"] = px
    c["qty"] = qty
    before = m.prevented_count
    left = book.match(m, symbol, side, account, px, qty)
    if left > 0 and m.prevented_count == before:
        book.rest(m, symbol, side, account, px, qty, left, m.next_client_order_id)
    m.op_count[NEW] += 1


@njit
def _depth_qty(m: Any, rules: Any, symbol: int, other_side: int) -> int:
    """Return the size that takes a drawn number of resting orders whole, or a part of the first."""
    draw = _below(m, 1000)
    take = 0
    while take < rules.depth_count - 1 and draw >= rules.depth[take]:
        draw -= rules.depth[take]
        take += 1
    if not rules.give_crossing:
        error = 20_000 * (m.live_count - rules.live_orders) // rules.live_orders
        if abs(error) > _below(m, 1000):
            take += 1 if error > 0 else -1
    best = m.best[symbol, other_side] - 1
    order = m.head[symbol, best]
    if take <= 0:
        return 1 + _below(m, max(m.orders[order - 1].leaves - 1, 1))
    qty = 0
    for _ in range(min(take, TAKE_MAX)):
        if order:
            qty += m.orders[order - 1].leaves
            order = m.orders[order - 1].next
    return qty


@njit
def _aggressive(m: Any, rules: Any, c: Any, symbol: int) -> bool:
    """Enter a market or IOC order; return False when the other side is empty."""
    side = BUY + _below(m, 2)
    other = _opposite(m, symbol, side)
    if other < 0:
        side = BUY + SELL - side
        other = _opposite(m, symbol, side)
        if other < 0:
            return False
    account = m.account_table[_below(m, m.account_table.shape[0])]
    if rules.depth_count:
        qty = _depth_qty(m, rules, symbol, BUY + SELL - side)
    else:
        qty = m.size_table[_below(m, TABLE_SIZE)]
    _fill_new(m, c, symbol, side, account)
    c["time_in_force"] = IOC
    c["qty"] = qty
    if _below(m, 1000) < rules.market_share:
        c["order_type"] = MARKET
        limit = m.head.shape[1] - 1 if side == BUY else 0
    else:
        limit = other + REFERENCE_SLACK if side == BUY else other - REFERENCE_SLACK
        limit = min(max(limit, 0), m.head.shape[1] - 1)
        c["px"] = limit
    book.match(m, symbol, side, account, limit, qty)
    m.op_count[AGGRESSIVE] += 1
    return True


@njit
def _cancel(m: Any, c: Any, order: int) -> None:
    """Cancel a live order by its client id."""
    o = m.orders[order]
    c["op"] = CANCEL
    c["account"] = o.account
    c["session"] = o.account
    c["instrument"] = o.symbol
    c["client_order_id"] = o.client_order_id
    book.remove(m, order)
    m.op_count[CANCEL] += 1


@njit
def _replace(m: Any, rules: Any, c: Any, order: int) -> None:
    """Move a live order to another price, or lower its quantity."""
    o = m.orders[order]
    c["op"] = REPLACE
    c["account"] = o.account
    c["session"] = o.account
    c["instrument"] = o.symbol
    c["client_order_id"] = o.client_order_id
    c["px"] = UNCHANGED
    c["qty"] = UNCHANGED
    m.op_count[REPLACE] += 1
    if o.leaves > 1 and _below(m, 1000) < rules.qty_replace_share:
        down = 1 + _below(m, o.leaves - 1)
        o.total -= down
        o.leaves -= down
        c["qty"] = o.total
        return
    other = _opposite(m, o.symbol, o.side)
    if other >= 0 and _crosses(m, rules, rules.crossing_replace):
        px = other
    else:
        px = _passive_px(m, rules.distance_max, o.symbol, o.side)
        if px == o.px:
            px = px - 1 if o.side == BUY else px + 1
            px = min(max(px, 0), m.head.shape[1] - 1)
    c["px"] = px
    book.unlink(m, order)
    before = m.prevented_count
    left = book.match(m, o.symbol, o.side, o.account, px, o.leaves)
    o.leaves = left
    if left > 0 and m.prevented_count == before:
        book.link(m, order, px)
    else:
        book.forget(m, order)


@njit(nogil=True)
def _fill_books(m: Any, rules: Any, commands: Any) -> None:
    """Enter resting orders, symbol by symbol in turn."""
    for i in range(commands.shape[0]):
        _new(m, rules, commands[i], i % rules.symbols, False)


@njit(nogil=True)
def _flow(m: Any, rules: Any, commands: Any) -> None:
    """Write the mix."""
    for i in range(commands.shape[0]):
        c = commands[i]
        draw = _below(m, 1000)
        if draw < rules.aggressive_share:
            if _aggressive(m, rules, c, _below(m, rules.symbols)):
                continue
        draw -= rules.aggressive_share
        if m.live_count > 1 and 0 <= draw < rules.cancel_share:
            _cancel(m, c, m.live[_below(m, m.live_count)])
        elif m.live_count > 1 and 0 <= draw - rules.cancel_share < rules.replace_share:
            _replace(m, rules, c, m.live[_below(m, m.live_count)])
        else:
            _new(m, rules, c, _below(m, rules.symbols), True)


def _rules(mix: Mix) -> Any:
    """Return the mix as a record for the kernels."""
    rules = np.zeros(1, RULES)[0]
    rules["symbols"] = mix.symbol_count
    for name in OF_THE_MIX:
        rules[name] = getattr(mix, name)
    rules["give_crossing"] = mix.give == GIVE_CROSSING
    rules["depth_count"] = len(mix.taker_depth)
    rules["depth"][: len(mix.taker_depth)] = mix.taker_depth
    return rules


def _model(mix: Mix, seed: int, ladder: int) -> Any:
    """Return an empty model of this mix's books."""
    account_slots = 1 << max(14, (16 * mix.account_count - 1).bit_length())
    orders = 2 * mix.live_orders + 4096
    m = np.zeros(1, book.model_dtype(mix.symbol_count, ladder, orders, account_slots))[0]
    m["random"] = (seed + 1) * 0x9E3779B97F4A7C % (2**62) + 1
    m["reference"] = ladder // 2
    store_tables(mix, m)
    return m


@njit(nogil=True)
def _finish(commands: Any, set_up: int, px_shift: int) -> None:
    """Number the commands; turn ladder positions into prices, stamp what every order command carries."""
    for i in range(commands.shape[0]):
        c = commands[i]
        c["req_seq"] = i + 1
        if i < set_up:
            continue
        moves = c["op"] == REPLACE and c["px"] != UNCHANGED
        if moves or (c["op"] == NEW and c["order_type"] == LIMIT):
            c["px"] = c["px"] + px_shift
        c["version"] = VERSION
        c["roles"] = TRADER


def generate(mix: Mix, *, seed: int = 1, count: int) -> Flow:
    """Return set-up, starting orders and `count` commands of the mix."""
    ladder = 4096 if mix.symbol_count <= 1000 else 1024
    m = _model(mix, seed, ladder)
    rules = _rules(mix)
    set_up = set_up_commands(mix.symbol_count, mix.account_count)
    if mix.has_account_limits:
        set_up = np.concatenate((set_up, limits.limits_of(mix.account_count)))
    first = len(set_up) + mix.live_orders
    commands = np.zeros(first + count, COMMAND)
    commands[: len(set_up)] = set_up
    _fill_books(m, rules, commands[len(set_up) : first])
    for counter in ("trade_count", "prevented_count", "trading_commands", "op_count"):
        m[counter] = 0
    _flow(m, rules, commands[first:])
    _finish(commands, len(set_up), ANCHOR_PX - ladder // 2)
    if mix.mark_every:
        commands = limits.with_marks(commands, first, mix.mark_every, mix.symbol_count)
    live = m["live"][: m["live_count"]]
    return Flow(
        mix=mix,
        seed=seed,
        commands=commands,
        set_up=len(set_up),
        first=first,
        trade_count=int(m["trade_count"]),
        prevented_count=int(m["prevented_count"]),
        trading_commands=int(m["trading_commands"]),
        aggressive_count=int(m["op_count"][AGGRESSIVE]),
        live_count=int(m["live_count"]),
        live_client_order_ids=np.sort(m["orders"]["client_order_id"][live]),
    )
