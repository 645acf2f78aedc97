"""The whole state of the trading engine as one structured record (design decision D6).

    STATE
    |- counters and free lists
    |- version, opened          seqlock words of books, then accounts
    |- accounts, balances       who, and how much of what
    |- watches, noted           the rarer limits, and what they are measured by (equity.py, latches.py)
    |- rates, cash_stakes       what a currency is in another, what money in it is worth (rates.py)
    |- positions                one per (account, instrument), hashed
    |- stakes, dealings         what a position is worth; what is open and was filled of late
    |- books                    one per instrument: rules, best levels, roots of the tries
    |- rounds                   through what is worth something else since a mark or rate changed (sweep.py)
    |- levels, node_*           price levels and the tries that order them (levels.py)
    |- hot, cold, texts         orders: what matching touches, and the rest
    |- ids                      client order ids, the bounded window (identity.py)
    |- moves                    ids of movements of money, a bounded window (movements.py)
    |- hints                    notes of the cache hints (prepare.py)
    |- members, groups          which account is of which group (groups.py)
    |- gross_qty                of a group's positions: what its accounts hold, long and short added up
    |- reducings, reducers      reduce-only orders by position (reducing.py)
    |- valued                   positions of accounts on margin, as they were valued last (margin.py)
    |- rule_*, judged           sets of rules and what is kept for them (rulesets.py, rule_windows.py)
    `- out                      events, in slots, of the commands applied since they were last taken

Kernels take `s = state[0]` and reach everything by attribute. Two conventions keep
untouched memory untouched: a zeroed record is a valid empty state, so hash buckets
and heads hold index + 1 (0 = none); pools are handed out in order up to their
`*_used` mark before a free list is reused. Inside records an index of NIL means none.
"""

from typing import Any

import numpy as np

from engine.contract.batches import BURST_SLOTS, PLACES
from engine.contract.spread import SLOT_WORDS
from engine.contract.state_layout import power_of_two, state_record
from engine.trading.capacities import Capacities
from engine.trading.kernels.rule_records import (
    JUDGED,
    RULE_ACCOUNT,
    RULE_BOOK,
    RULE_PARAM,
    RULE_PARAMS_MAX,
    RULE_POSITION,
    RULESET,
    RULESETS_MAX,
)
from engine.trading.kernels.state_words import WORDS
from engine.trading.kernels.watch_records import (
    CURRENCIES_MAX,
    DEALING,
    MEMBER,
    RATE,
    REDUCER,
    REDUCING,
    ROUND,
    ROUND_BITS,
    STAKE,
    SWEPT,
    WATCH,
)
from engine.trading.records import Latch

NIL = np.int64(-1)
LIMIT_LIFTED = np.int64(-1)
UNLIMITED, ON_MARGIN = np.int64(1), np.int64(2)
NO_LIMIT = np.int64(-1)
NODE_WAYS = 32
LEAVES_KNOWN = 64
"""Leaves of the trie of levels that a side of a book remembers, a power of two."""
ACCOUNT_IDX_BITS = 24  # a position's key is account_idx << 24 | instrument
INSTRUMENT_MASK = (1 << ACCOUNT_IDX_BITS) - 1
LINE_BYTES = 64
SIDES = 3  # indexed by Side: 0 unused, 1 BUY, 2 SELL

ACCOUNT = np.dtype(
    [
        ("account", "<i8"),  # external id; of a group below zero: its number with the sign changed
        ("enabled", "<i4"),
        ("unlimited", "<i2"),  # UNLIMITED, ON_MARGIN, or 0: its buys are paid from its cash
        ("is_killed", "<i1"),
        ("is_watched", "<i1"),  # what its watch is kept for: WATCHED_EQUITY and the others, 0 for nothing
        ("rate_limit", "<i8"),  # tokens a second that hold for it, or NO_LIMIT (limits.py)
        ("burst_limit", "<i8"),  # 1e-9 tokens
        ("rate_used", "<i8", (2,)),  # 1e-9 tokens taken and not yet back: NEW, REPLACE
        ("rate_ts", "<i8", (2,)),  # when that was reckoned
        # The second cache line: what a replace does not read.
        ("next", "<i4"),  # hash chain, idx + 1
        ("positions_head", "<i4"),  # idx + 1 of the newest position
        ("open_orders", "<i8"),
        ("open_orders_limit", "<i8"),  # that holds for it, or MONEY_MAX for none
        ("position_limit", "<i8"),  # that holds for it, or NO_LIMIT
        ("max_open_orders", "<i8"),  # as set: limit + 1, LIMIT_LIFTED, 0 = the default's; so the next three
        ("max_position", "<i8"),
        ("order_rate", "<i8"),
        ("order_burst", "<i8"),
    ]
)
assert ACCOUNT.itemsize == 128

BALANCE = np.dtype(
    [
        ("total", "<i8"),  # minor units
        ("reserved", "<i8"),  # sum over open buys of notional + fee
        ("selling", "<i8"),  # sum over open sells of notional: what may still come in
        ("pad", "<i8"),
    ]
)

POSITION = np.dtype(
    [
        ("key", "<i8"),  # account_idx << ACCOUNT_IDX_BITS | instrument
        ("qty", "<i8"),  # lots, signed
        ("open_buy", "<i8"),
        ("open_sell", "<i8"),
        ("cost", "<i8"),  # minor units paid for (or got for) the open qty, never negative
        ("realised", "<i8"),  # minor units
        ("open_orders", "<i8"),
        ("next", "<i4"),  # hash chain, idx + 1
        ("account_next", "<i4"),  # the account's next position, idx + 1
    ]
)
assert POSITION.itemsize == 64

BOOK = np.dtype(
    [
        ("phase", "<i8"),
        ("phase_beneath", "<i8"),  # HALTED when CLOSED lies over a halt, else 0
        ("best", "<i8", (SIDES,)),  # level idx + 1
        ("root", "<i8", (SIDES,)),  # node idx + 1
        ("last_px", "<i8"),  # 0 before the first trade
        ("mark_px", "<i8"),  # 0 = none
        ("md_seq", "<i8"),
        ("scale", "<i8"),
        ("max_px", "<i8"),
        ("max_qty", "<i8"),
        ("max_notional", "<i8"),  # MONEY_MAX = none
        ("free_low", "<i8"),  # the prices that neither band nor collar refuses (risk.py)
        ("free_high", "<i8"),
        ("band_low", "<i8"),  # 1 = none
        ("band_high", "<i8"),  # PX_MAX = none
        ("collar_bps", "<i8"),  # 0 = none
        ("protect_ticks", "<i8"),  # NIL = to the band
        ("maker_ppm", "<i8"),
        ("taker_ppm", "<i8"),
        ("quote", "<i8"),  # currency idx
        ("order_count", "<i8"),
        ("trade_count", "<i8"),
        ("volume", "<i8"),  # lots traded
        ("lot_nano", "<i8"),  # a lot in 1e-9 units, as position limits count
        ("lot_nano_bits", "<i8"),  # lot_nano <= 2**lot_nano_bits
        ("is_killed", "<i8"),
        ("max_open_orders", "<i8"),  # limit + 1, 0 = none
        ("initial_ppm", "<i4"),  # margins (margin.py)
        ("maintenance_ppm", "<i4"),
    ]
)
assert BOOK.itemsize == 256

LISTING = np.dtype(
    [
        ("symbol", "<i8", (3,)),
        ("base", "<i8"),
        ("tick_mantissa", "<i8"),
        ("tick_decimals", "<i8"),
        ("lot_mantissa", "<i8"),
        ("lot_decimals", "<i8"),
    ]
)
"""What the doors know of an instrument and the kernels do not need."""

CURRENCY = np.dtype([("code", "<i8", (3,)), ("decimals", "<i8"), ("fees", "<i8"), ("deposited", "<i8")])

LEVEL = np.dtype(
    [
        ("px", "<i8"),
        ("qty", "<i8"),  # open lots
        ("order_count", "<i8"),
        ("head", "<i8"),  # order idx, first to trade
        ("tail", "<i8"),
        ("node", "<i8"),  # its leaf in the trie
        ("book", "<i8"),
        ("side", "<i8"),
    ]
)
assert LEVEL.itemsize == 64

NODE = np.dtype(
    [
        ("bits", "<i8"),  # which of the 32 children exist
        ("shift", "<i8"),  # of this node's digit; 0 in a leaf
        ("prefix", "<i8"),  # key >> (shift + 5), shared by all below
        ("parent", "<i8"),  # node idx, NIL at the root
    ]
)

HOT = np.dtype(
    [
        ("order_id", "<i8"),  # 0: the slot is free
        ("leaves", "<i8"),
        ("px", "<i8"),
        ("held", "<i8"),  # minor units that it adds to the balance: a buy to reserved, a sell to selling
        ("next", "<i4"),  # towards the tail of the level
        ("prev", "<i4"),
        ("level", "<i4"),
        ("account", "<i4"),  # account idx
        ("position", "<i4"),  # position idx
        ("instrument", "<i4"),
        ("chain", "<i4"),  # order-id hash chain, idx + 1
        ("id_chain", "<i4"),  # client-id hash chain, idx + 1
    ]
)
assert HOT.itemsize == 64

COLD = np.dtype(
    [
        ("client_order_id", "<i8"),
        ("qty", "<i8"),  # total
        ("cum", "<i8"),
        ("notional", "<i8"),  # sum of px * qty over fills, tick x lot
        ("entry_ts", "<i8"),
        ("maker_ppm", "<i4"),  # frozen at acceptance (exchange rule S20)
        ("taker_ppm", "<i4"),
        ("rev", "<i4"),
        ("session", "<i4"),
        ("side", "<i1"),
        ("time_in_force", "<i1"),
        ("stp_mode", "<i1"),
        ("post_only", "<i1"),
        ("ring", "<i1"),
        ("has_text", "<i1"),  # in `texts`
        ("is_counted", "<i1"),  # as an open order of its account, position and book
        ("reduce_only", "<i1"),
    ]
)
"""Narrow fields keep an order in two cache lines; its text, which few have, lies apart."""
assert COLD.itemsize == 64

TEXT = np.dtype([("words", "<i8", (3,)), ("pad", "<i8")])

CLIENT_ID = np.dtype(
    [
        ("account", "<i8"),  # account idx
        ("client_order_id", "<i8"),
        ("order_id", "<i8"),
        ("status", "<i8"),
        ("cum", "<i8"),
        ("next", "<i8"),  # hash chain, idx + 1
        ("pad", "<i8", (2,)),
    ]
)
assert CLIENT_ID.itemsize == 64


MOVE = np.dtype(
    [
        ("account", "<i8"),  # external id, FEES of the fee account: whose money it was
        ("words", "<i8", (3,)),  # the id
        ("seq", "<i8"),
        ("op", "<i4"),
        ("next", "<i4"),  # hash chain, idx + 1
    ]
)
MOVES_MIN = 64
CLIENT_IDS_A_MOVE = 32


def moves_max(capacities: Capacities) -> int:
    """Return how many ids of movements of money are remembered: one for so many client ids."""
    return max(capacities.client_ids // CLIENT_IDS_A_MOVE, MOVES_MIN)


HINT = np.dtype(
    [
        ("account", "<i8"),  # idx, or NIL
        ("is_new", "<i8"),
        ("live", "<i8"),  # buckets: of live client ids, of ended ones, of positions
        ("ended", "<i8"),
        ("position", "<i8"),
        ("order", "<i8"),
        ("pad", "<i8", (2,)),
    ]
)
assert HINT.itemsize == 64
"""What the stages of prepare.py leave to each other."""


LOWERED_SLOTS = 4
"""More than four for each order of an account: one may be filled in part, lowered twice and cancelled."""


def slots_max(capacities: Capacities) -> int:
    """Return the most slots that the events of one command can take (protocol rule 5).

    A sweep makes at most two events of two slots per resting order (PREVENTED and CANCELLED), a
    mass cancel one; each account and group may reach all its limits of loss by its fills, and some (SWEPT)
    where they are valued; before and after come the order's own and one phase per instrument. Of an account's
    reduce-only orders one at most is filled in part and then lowered, by its position and by a latch, and
    cancelled by another latch.
    """
    latched = (len(Latch) + LOWERED_SLOTS) * (capacities.accounts + capacities.groups + 2 * SWEPT)
    return max(4 * capacities.orders + latched, capacities.instruments) + 16


def state_dtype(capacities: Capacities) -> np.dtype[np.void]:
    """Return the dtype of the one state record for these capacities: every array on a cache line."""
    c = capacities
    holders = c.accounts + c.groups
    levels = c.orders
    nodes = 2 * levels  # a leaf at most per level, and fewer inner nodes than leaves
    fields: list[Any] = [
        *WORDS,
        ("version", "<i8", (c.instruments + holders,)),
        ("opened", "<i8", (c.instruments + holders,)),
        ("account_bucket", "<i4", (power_of_two(2 * holders),)),
        ("accounts", ACCOUNT, (holders,)),  # groups stand among them (groups.py)
        ("watches", WATCH, (holders,)),
        ("noted", "<i4", (holders,)),
        ("balances", BALANCE, (c.currencies, holders)),
        ("currencies", CURRENCY, (c.currencies,)),
        ("rates", RATE, (c.currencies, c.currencies)),  # from, into
        ("cash_stakes", STAKE, (c.currencies, holders)),
        ("position_bucket", "<i4", (power_of_two(2 * c.positions),)),
        ("positions", POSITION, (c.positions,)),
        ("stakes", STAKE, (c.positions,)),
        ("dealings", DEALING, (c.positions,)),
        ("books", BOOK, (c.instruments,)),
        ("rounds", ROUND, (CURRENCIES_MAX + c.instruments,)),  # of currencies, then of instruments
        ("round_bits", "<i8", ((CURRENCIES_MAX + c.instruments - 1) // ROUND_BITS + 1,)),  # `due` is not 0
        ("known", "<i4", (c.instruments, 2, LEAVES_KNOWN)),  # leaves by side - 1: node idx + 1 (levels.py)
        ("listings", LISTING, (c.instruments,)),
        ("levels", LEVEL, (levels,)),
        ("nodes", NODE, (nodes,)),
        ("child", "<i4", (nodes, NODE_WAYS)),  # level or node idx
        ("order_bucket", "<i4", (power_of_two(2 * c.orders),)),
        ("live_bucket", "<i4", (power_of_two(2 * c.orders),)),
        ("hot", HOT, (c.orders,)),
        ("cold", COLD, (c.orders,)),
        ("texts", TEXT, (c.orders,)),  # of live orders that have one; zeros elsewhere
        ("id_bucket", "<i4", (power_of_two(c.client_ids),)),
        ("ids", CLIENT_ID, (c.client_ids,)),
        ("move_bucket", "<i4", (power_of_two(moves_max(c)),)),
        ("moves", MOVE, (moves_max(c),)),
        ("hints", HINT, (PLACES,)),
        ("members", MEMBER, (holders,)),
        ("groups", "<i4", (c.groups,)),  # idx among the accounts
        ("gross_qty", "<i8", (c.positions,)),  # lots
        ("reducings", REDUCING, (c.positions,)),
        ("reducers", REDUCER, (c.orders,)),
        ("valued", "<i8", (c.positions,)),  # qty * mark where it was valued last, in its quote currency
        ("rule_sets", RULESET, (RULESETS_MAX,)),
        ("rule_accounts", RULE_ACCOUNT, (holders,)),
        ("rule_positions", RULE_POSITION, (c.positions,)),
        ("rule_realised", "<i8", (c.positions,)),  # as it was behind the last trade
        ("rule_books", RULE_BOOK, (c.instruments,)),
        ("rule_params", RULE_PARAM, (RULE_PARAMS_MAX,)),
        ("judged", JUDGED, (1,)),
        ("out", "<i8", (slots_max(c) + BURST_SLOTS, SLOT_WORDS)),
    ]
    return state_record(fields, capacities)


def new_state(capacities: Capacities) -> np.ndarray:
    """Return an empty state in private memory: an array of one STATE record, on a cache line."""
    dtype = state_dtype(capacities)
    memory = np.zeros(dtype.itemsize + LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % LINE_BYTES
    return memory[start : start + dtype.itemsize].view(dtype)
