"""The size that an order would get at this moment, read from a live state (exchange rule S21).

The account and the book are read between two looks at their version words, by the same kernels that choose
the quantity of an order; same rules as in book_kernels: each index is checked before it is used, each loop
is bounded. The marks of the account's other instruments are single words, as the engine itself finds them.
"""

from typing import Any

import numpy as np

from engine.trading import codes
from engine.trading.kernels.risk import check_size
from engine.trading.kernels.size_by import funds_room, is_legal_size, position_room, wanted_quantity
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.submit import protection_px
from engine.trading.view.book_kernels import READ_ROUNDS, TORN, Int, Ints
from ringbuf.njit import njit
from ringbuf.seqlock import pause_between_attempts, read_begin, read_retry

SIZE_ASKED = ("side", "px", "first", "second")
"""What is asked: px 0 of a market order; the words of a SIZED order (engine/trading/fields.py)."""
SIZE_FOUND = ("reason", "px", "limit_px", "equity", "wanted", "position_room", "funds_room")
NOTHING = np.int64(0)


@njit
def copy_size(state: Any, account: int, book: int, asked: Ints, found: Ints) -> int:
    """Find the size of an order of the account at index `account`; return the later version of the two.

    asked : int64[SIZE_ASKED]
    found : int64[SIZE_FOUND], out; where the reason is not NONE, what stands behind it says nothing
    """
    s = state[0]
    word = len(s.books) + account
    for _ in range(READ_ROUNDS):
        version, book_version = read_begin(s.version, word), read_begin(s.version, book)
        if version >= 0 and book_version >= 0:
            found[0] = _find_size(s, np.int64(account), np.int64(book), asked, found)
            if not read_retry(s.version, word, version) and not read_retry(s.version, book, book_version):
                return max(version, book_version)
        pause_between_attempts()
    return TORN


@njit
def _find_size(s: Any, account: Int, book: Int, asked: Ints, found: Ints) -> Int:
    """Fill `found` behind its reason, which is returned."""
    side, px, first, second = asked[0], asked[1], asked[2], asked[3]
    if not is_legal_size(s, book, first, second):
        return codes.INVALID_FIELD
    if px > s.books[book].max_px:
        return codes.INVALID_PRICE
    limit_px = px
    if px == 0:
        level = s.books[book].best[codes.BUY + codes.SELL - side] - 1
        px = s.levels[level].px if 0 <= level < len(s.levels) else NOTHING
        if px <= 0:  # a level that is gone while this is read may have any
            return codes.NO_LIQUIDITY
        limit_px = max(protection_px(s, book, side, px, NOTHING), np.int64(1))
    reason, wanted, equity = wanted_quantity(s, account, book, px, first, second)
    found[1] = px
    found[2] = limit_px
    found[3] = equity
    found[4] = wanted
    position = _position_in(s, account, book)
    found[5] = position_room(s, account, book, position, side)
    group = np.int64(s.members[account].group) - 1
    if 0 <= group < len(s.accounts):
        of_group = position_room(s, group, book, _position_in(s, group, book), side)
        found[5] = min(found[5], of_group)
    found[6] = funds_room(s, account, book, position, side, limit_px)
    if reason != codes.OK:
        return reason
    qty = min(wanted, found[5], found[6])
    return check_size(s, book, limit_px, qty, qty)


@njit
def _position_in(s: Any, account: Int, book: Int) -> Int:
    """Return the position of an account in an instrument, or NIL."""
    position = np.int64(s.accounts[account].positions_head) - 1
    for _ in range(s.books_used):
        if not 0 <= position < len(s.positions):
            break
        if s.positions[position].key & INSTRUMENT_MASK == book:
            return position
        position = np.int64(s.positions[position].account_next) - 1
    return NIL
