"""The sweep: whoever holds what changed its mark is valued anew, some at the head of each command.

Exchange rule S21: a change of a mark concerns every holder, and no command may wait for ten thousand of them.
So SWEPT of them are valued at the head of each command and TICK, instrument by instrument in
the order of their index, and the engine makes TICKs without waiting while a round is under way. A visit
to an instrument values each of its stakes once at most; what a change made due again in between has to
wait until the others had their turn, or an instrument that trades all the time would starve them.
"""

import numpy as np

from engine.contract.bits import lowest_bit
from engine.trading.kernels.equity import set_due, value_position
from engine.trading.kernels.latches import judge
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, NIL, ROUND_BITS, SWEPT
from ringbuf.kernel import apart, kernel


@apart
def sweep(s, command):
    """Value the next stakes that are due; the events that this makes are of nobody's asking (ring -1)."""
    ring = s.ring
    s.ring = NIL
    left = SWEPT
    while left > 0 and s.rounds_due != 0:
        if s.round_left == 0 or s.rounds[s.round_book].due == 0:
            s.round_book = _next_due(s, s.round_book)
            s.round_left = np.int64(s.rounds[s.round_book].length)
        left -= 1
        _pass_stake(s, command, s.round_book)
    s.ring = ring


@kernel
def _pass_stake(s, command, book):
    """Value the stake that is next in an instrument's ring, and judge its account."""
    position = np.int64(s.rounds[book].at) - 1
    s.rounds[book].at = s.stakes[position].next
    set_due(s, book, np.int64(s.rounds[book].due) - 1)
    s.round_left -= 1
    if s.rounds[book].due == 0 or s.round_left == 0:
        s.round_left = 0
        s.round_book = book + 1
    account = s.positions[position].key >> ACCOUNT_IDX_BITS
    value_position(s, position, account)
    judge(s, command, account)


@kernel
def _next_due(s, book):
    """Return the first instrument from `book` on whose round is under way; after the last the first."""
    word, bit = book // ROUND_BITS, book % ROUND_BITS
    words = len(s.round_bits)
    bits = s.round_bits[word] >> bit << bit if word < words else np.int64(0)
    while bits == 0:  # one word at least has a bit: the caller has seen to it
        word = word + 1 if word + 1 < words else 0
        bits = s.round_bits[word]
    return word * ROUND_BITS + lowest_bit(bits)
