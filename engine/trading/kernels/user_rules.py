"""Step 17 of exchange rule S3: rules that people write judge new orders, and replaces that raise something.

An order is laid out as rules are given it (engine/trading/rules/vocabulary.py), then the set that governs is
called, a C function found by the hash that the state has (engine/rules/loaded.py). It says which rule refuses
first, or that this one could not compute. Where no set governs none of this is reached (state: guard_count).
"""

import numpy as np

from engine.rules.loaded import (
    COUNT,
    DEFAULTS,
    KEYS,
    READING,
    find_loaded,
    loaded_word,
    matches,
    words_of_row,
)
from engine.rules.vocabulary import PARAMS_MAX
from engine.trading import codes
from engine.trading.kernels.accounts import notional_of
from engine.trading.kernels.equity import equity_of, has_equity
from engine.trading.kernels.levels import best_level, find_level
from engine.trading.kernels.rule_windows import (
    MINUTE,
    SECOND,
    renew_account,
    renew_book,
    renew_position,
    total_of,
)
from engine.trading.kernels.state import NIL, NO_LIMIT
from engine.trading.records import MONEY_MAX
from engine.trading.rules.vocabulary import CONTEXT, FIELDS
from ringbuf.kernel import apart, kernel

NS_PER_MS = np.int64(10**6)
NOTHING = np.int64(0)
ABSENT = np.int64(-1)
ORDERS_SEEN = 1024
"""Of the orders at a price so many are looked at, from the newest on."""


def _bits(*names: str) -> np.int64:
    """Return the bits of these words of the context (loaded.READING)."""
    places = {name: place for place, name in enumerate(CONTEXT)}
    return np.int64(sum(1 << places[name] for name in names))


READS_ACCOUNT_WINDOWS = _bits("orders_1s", "orders_1m", "trades_1s", "trades_1m", "loss_age_ms")
READS_POSITION_WINDOWS = _bits("ordered_1s", "ordered_1m", "filled_1s", "filled_1m")
READS_VOLUME = _bits("volume_1s", "volume_1m")
READS_ORDERS = _bits("orders_at_px")
READS_EQUITY = _bits("has_equity", "equity", "peak", "day_start")


@kernel
def judge_new(s, command, account, book, position, side, px, qty):
    """Step 17 of a new order for `qty` lots that may trade at px at worst."""
    p = s.judged[0].p
    p[3] = NOTHING
    p[5] = command["order_type"]
    p[6] = command["time_in_force"]
    p[7] = (command["flags"] & codes.FLAG_POST_ONLY) != 0
    p[9] = qty
    p[12] = qty
    p[13] = NOTHING
    return _judge(s, account, book, position, side, px, qty)


@kernel
def judge_replace(s, order, account, px, qty):
    """Step 17 of a replace to another price or a larger total."""
    p = s.judged[0].p
    leaves = qty - s.cold[order].cum
    p[3] = np.int64(1)
    p[5] = codes.LIMIT
    p[6] = s.cold[order].time_in_force
    p[7] = s.cold[order].post_only
    p[9] = qty
    p[12] = leaves - s.hot[order].leaves
    p[13] = s.hot[order].px
    book, position = np.int64(s.hot[order].instrument), np.int64(s.hot[order].position)
    return _judge(s, account, book, position, np.int64(s.cold[order].side), px, leaves)


@apart
def _judge(s, account, book, position, side, px, leaves):
    """Lay out the rest, ask the set that governs, and count what it refuses; return RULE or OK."""
    p = s.judged[0].p
    p[0] = s.accounts[account].account
    p[1] = book
    p[2] = s.listings[book].symbol[0] if s.listings[book].symbol[1] == 0 else NOTHING
    p[4] = side
    p[8] = px
    p[10] = leaves
    p[11] = notional_of(s, book, px, leaves)
    p[14] = s.eng_ts // NS_PER_MS
    p[15] = s.books[book].scale
    at = s.governing - 1
    row = find_loaded(s.rule_sets[at].hash[0], s.rule_sets[at].hash[1])
    ctx = s.judged[0].ctx
    _pack_standing(s, ctx, account, book, position)
    _pack_rarer(s, ctx, loaded_word(row, np.int64(READING)), account, book, position, side, px)
    if (s.rule_accounts[account].params | s.rule_books[book].params) == 0:
        found = matches(row, p, ctx, words_of_row(row, np.int64(DEFAULTS)))
    else:
        _take_params(s, row, account, book)
        found = matches(row, p, ctx, s.judged[0].params)
    s.judged[0].found = found
    if found == 0:
        return codes.OK
    if found > 0:
        s.rule_sets[at].refused[found - 1] += 1
    else:
        s.rule_sets[at].faults[-found - 1] += 1
    return codes.RULE


assert tuple(FIELDS) == (
    *("account", "instrument", "symbol", "is_replace", "side", "type", "time_in_force", "post_only", "px"),
    *("qty", "leaves", "notional", "more", "old_px", "ts_ms", "scale"),
)


@kernel
def _pack_standing(s, ctx, account, book, position):
    """Lay out what lies ready: position, best levels, money, limits."""
    has_position = position != NIL
    ctx[0] = s.positions[position].qty if has_position else NOTHING
    ctx[1] = s.positions[position].open_buy if has_position else NOTHING
    ctx[2] = s.positions[position].open_sell if has_position else NOTHING
    ctx[3] = s.positions[position].cost if has_position else NOTHING
    ctx[4] = s.positions[position].realised if has_position else NOTHING
    bid, ask = best_level(s, book, codes.BUY), best_level(s, book, codes.SELL)
    ctx[5] = s.levels[bid].px if bid != NIL else NOTHING
    ctx[6] = s.levels[bid].qty if bid != NIL else NOTHING
    ctx[7] = s.levels[ask].px if ask != NIL else NOTHING
    ctx[8] = s.levels[ask].qty if ask != NIL else NOTHING
    ctx[9] = s.books[book].last_px
    ctx[10] = s.books[book].mark_px
    quote = s.books[book].quote
    ctx[11] = s.balances[quote, account].total
    ctx[12] = s.balances[quote, account].reserved
    ctx[13] = s.accounts[account].open_orders
    most = s.accounts[account].open_orders_limit
    ctx[14] = ABSENT if most == MONEY_MAX else most
    most = s.accounts[account].position_limit
    ctx[15] = ABSENT if most == NO_LIMIT else most // s.books[book].lot_nano
    ctx[16] = s.accounts[account].rate_limit


@kernel
def _pack_rarer(s, ctx, reading, account, book, position, side, px):
    """Lay out what has to be reckoned, where a rule of the set reads it."""
    if reading & READS_EQUITY != 0:
        is_kept = has_equity(s, account)
        ctx[17] = is_kept
        equity, _ = equity_of(s, account)
        ctx[18] = equity if is_kept else NOTHING
        ctx[19] = s.watches[account].peak if is_kept else NOTHING
        ctx[20] = s.watches[account].day_start if is_kept else NOTHING
    if reading & READS_ACCOUNT_WINDOWS != 0:
        renew_account(s, account)
        ctx[21] = total_of(s.rule_accounts[account].orders, SECOND)
        ctx[22] = total_of(s.rule_accounts[account].orders, MINUTE)
        ctx[23] = total_of(s.rule_accounts[account].trades, SECOND)
        ctx[24] = total_of(s.rule_accounts[account].trades, MINUTE)
        loss_ts = s.rule_accounts[account].loss_ts
        ctx[31] = ABSENT if loss_ts == 0 else (s.eng_ts - loss_ts) // NS_PER_MS
    if reading & READS_POSITION_WINDOWS != 0:
        for word in range(25, 29):
            ctx[word] = NOTHING
        if position != NIL:
            renew_position(s, position)
            ctx[25] = total_of(s.rule_positions[position].ordered, SECOND)
            ctx[26] = total_of(s.rule_positions[position].ordered, MINUTE)
            ctx[27] = total_of(s.rule_positions[position].filled, SECOND)
            ctx[28] = total_of(s.rule_positions[position].filled, MINUTE)
    if reading & READS_VOLUME != 0:
        renew_book(s, book)
        ctx[29] = total_of(s.rule_books[book].volume, SECOND)
        ctx[30] = total_of(s.rule_books[book].volume, MINUTE)
    if reading & READS_ORDERS != 0:
        ctx[32] = _orders_at(s, book, position, side, px)


assert tuple(CONTEXT) == (
    *("position", "open_buys", "open_sells", "cost", "realised", "bid", "bid_qty", "ask", "ask_qty"),
    *("last", "mark", "balance", "reserved", "open_orders", "max_open_orders", "max_position"),
    *("order_rate", "has_equity", "equity", "peak", "day_start", "orders_1s", "orders_1m"),
    *("trades_1s", "trades_1m", "ordered_1s", "ordered_1m", "filled_1s", "filled_1m", "volume_1s"),
    *("volume_1m", "loss_age_ms", "orders_at_px"),
)


@kernel
def _orders_at(s, book, position, side, px):
    """Return how many orders of a position rest at a price on one side, of the newest ORDERS_SEEN there."""
    if position == NIL or s.positions[position].open_orders == 0:
        return NOTHING
    level = find_level(s, book, side, px)
    count = NOTHING
    order = s.levels[level].tail if level != NIL else NIL
    for _ in range(ORDERS_SEEN):
        if order == NIL:
            break
        if s.hot[order].position == position:
            count += 1
        order = np.int64(s.hot[order].prev)
    return count


@kernel
def _take_params(s, row, account, book):
    """Write the params of a set as an order has them: its account's hold before its instrument's."""
    defaults, keys, params = (
        words_of_row(row, np.int64(DEFAULTS)),
        words_of_row(row, np.int64(KEYS)),
        s.judged[0].params,
    )
    for at in range(loaded_word(row, np.int64(COUNT)) * PARAMS_MAX):
        params[at] = defaults[at]
        if keys[at] != 0:
            own = _own_param(s, s.rule_accounts[account].params, keys[at])
            if own == NIL:
                own = _own_param(s, s.rule_books[book].params, keys[at])
            if own != NIL:
                params[at] = s.rule_params[own].value


@kernel
def _own_param(s, first, key):
    """Return the RULE_PARAM of a key in the chain that begins at `first` (idx + 1), or NIL."""
    own = first - 1
    while own != NIL and s.rule_params[own].key != key:
        own = s.rule_params[own].next - 1
    return own
