"""Copies out of a state that another process is writing (protocol rule 8).

Every kernel copies what it was asked for between two looks at the version word of the
book or account, and starts anew when a command touched it meanwhile: READ_ROUNDS times
at most, then the caller gets TORN. Until the second look the memory may hold anything
that ever stood there, half written, so a walk here trusts nothing: each index is checked
against its pool before it is used and each loop is bounded. (`levels.next_level` is for
the writer, who sees his own trie whole.) Kernels return the version, 2 * seq of the last
command that touched the thing, or TORN; results land in the arrays given.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.bits import lowest_bit
from engine.trading import codes
from engine.trading.kernels.levels import DEPTH_MAX, DIGIT_BITS, DIGIT_MASK, key_of
from engine.trading.kernels.state import NIL
from ringbuf.njit import njit
from ringbuf.seqlock import pause_between_attempts, read_begin, read_retry

Ints = npt.NDArray[np.int64]
Int = int | np.int64
"""An int64 of a kernel: constants like NIL are numpy's, that numba compiles no copy per value."""

READ_ROUNDS = 64
TORN = -1
SHIFT_MAX = DIGIT_BITS * DEPTH_MAX

LEVEL_COLUMNS = 3  # px ticks, open qty lots, number of orders
HEAD_FIELDS = (
    "phase",
    "last_px",
    "mark_px",
    "md_seq",
    "order_count",
    "trade_count",
    "volume",
)
"""What copy_book puts into `head`, in this order."""
ORDER_COLUMNS = 16


@njit
def copy_book(state: Any, book: int, bids: Ints, asks: Ints, head: Ints, counts: Ints) -> int:
    """Copy the best levels of both sides and the head of one book.

    bids, asks : int64[depth, LEVEL_COLUMNS], out, best first
    head       : int64[len(HEAD_FIELDS)], out
    counts     : int64[SIDES], out, levels written by Side
    """
    s = state[0]
    for _ in range(READ_ROUNDS):
        version = read_begin(s.version, book)
        if version >= 0:
            b = s.books[book]
            head[0] = b.phase
            head[1] = b.last_px
            head[2] = b.mark_px
            head[3] = b.md_seq
            head[4] = b.order_count
            head[5] = b.trade_count
            head[6] = b.volume
            counts[codes.BUY] = copy_side(s, book, codes.BUY, bids)
            counts[codes.SELL] = copy_side(s, book, codes.SELL, asks)
            if not read_retry(s.version, book, version):
                return version
        pause_between_attempts()
    return TORN


@njit
def copy_side(s: Any, book: int, side: Int, out: Ints) -> int:
    """Copy up to len(out) levels of one side, best first; return how many, any number when torn."""
    level = s.books[book].best[side] - 1
    count = 0
    while count < out.shape[0] and 0 <= level < len(s.levels):
        out[count, 0] = s.levels[level].px
        out[count, 1] = s.levels[level].qty
        out[count, 2] = s.levels[level].order_count
        count += 1
        level = checked_next_level(s, level)
    return count


@njit
def checked_next_level(s: Any, level: int) -> Int:
    """Return what next_level returns when memory is whole, and any index or NIL when it is torn."""
    node = s.levels[level].node
    key = key_of(s.levels[level].side, s.levels[level].px)
    for _ in range(DEPTH_MAX + 1):  # climb
        if not 0 <= node < len(s.nodes):
            return NIL
        shift = s.nodes[node].shift
        if not 0 <= shift <= SHIFT_MAX:
            return NIL
        digit = (key >> shift) & DIGIT_MASK
        right = s.nodes[node].bits >> (digit + 1)
        if right > 0:
            found = s.child[node, (digit + 1 + lowest_bit(right)) & DIGIT_MASK]
            return found if shift == 0 else _checked_first_level(s, found)
        node = s.nodes[node].parent
    return NIL


@njit
def _checked_first_level(s: Any, node: int) -> Int:
    for _ in range(DEPTH_MAX + 1):  # descend
        if not 0 <= node < len(s.nodes):
            return NIL
        bits = s.nodes[node].bits
        if bits <= 0:
            return NIL
        found = s.child[node, lowest_bit(bits) & DIGIT_MASK]
        if s.nodes[node].shift == 0:
            return found
        node = found
    return NIL


@njit
def diff_levels(before: Ints, after: Ints, side: int, out: Ints) -> int:
    """Write the levels of `after` that differ from `before`, and those gone as qty 0, best first.

    before : int64[m, LEVEL_COLUMNS], after : int64[n, LEVEL_COLUMNS], best first
    out    : int64[>= m + n, LEVEL_COLUMNS], out; returns the rows written
    """
    i = 0
    j = 0
    count = 0
    for _ in range(before.shape[0] + after.shape[0]):
        if i == before.shape[0] and j == after.shape[0]:
            break
        gone = j == after.shape[0]
        came = i == before.shape[0]
        if not gone and not came and before[i, 0] != after[j, 0]:
            gone = key_of(side, before[i, 0]) < key_of(side, after[j, 0])
            came = not gone
        if gone:
            out[count, 0] = before[i, 0]
            out[count, 1] = 0
            out[count, 2] = 0
            count += 1
            i += 1
        elif came:
            _copy_row(after, j, out, count)
            count += 1
            j += 1
        else:
            if before[i, 1] != after[j, 1] or before[i, 2] != after[j, 2]:
                _copy_row(after, j, out, count)
                count += 1
            i += 1
            j += 1
    return count


@njit
def _copy_row(source: Ints, row: int, out: Ints, place: int) -> None:
    """Copy one row, column by column: a slice assignment takes 20 s to compile."""
    for column in range(LEVEL_COLUMNS):
        out[place, column] = source[row, column]
