"""The sweep: whoever holds what changed its mark or rate is valued anew, some at the head of each command.

Exchange rule S21: a change of a mark concerns every holder, and no command may wait for ten thousand of them.
So SWEPT of them are valued at the head of each command and TICK, currency by currency and instrument by
instrument in the order of their index, and the engine makes TICKs without waiting while a round is under way.
A visit to a ring values each of its stakes once at most; what a change made due again in between has to
wait until the others had their turn, or an instrument that trades all the time would starve them.
"""

import numpy as np

from engine.contract.bits import lowest_bit
from engine.trading.kernels.equity import set_due, value_cash, value_position
from engine.trading.kernels.groups import group_of
from engine.trading.kernels.latches import judge
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, NIL
from engine.trading.kernels.watch_records import CURRENCIES_MAX, ROUND_BITS, SWEPT
from ringbuf.kernel import apart, kernel


@apart
def sweep(s, command):
    """Value the next stakes that are due; the events that this makes are of nobody's asking (ring -1)."""
    ring = s.ring
    s.ring = NIL
    left = SWEPT
    while left > 0 and s.rounds_due != 0:
        if s.round_left == 0 or s.rounds[s.round_idx].due == 0:
            s.round_idx = _next_due(s, s.round_idx)
            s.round_left = np.int64(s.rounds[s.round_idx].length)
        left -= 1
        _pass_stake(s, command, s.round_idx)
    s.ring = ring


@kernel
def _pass_stake(s, command, idx):
    """Value the stake that is next in the ring of the round at `idx`; judge its account, then its group."""
    stake = np.int64(s.rounds[idx].at) - 1
    is_cash = idx < CURRENCIES_MAX
    s.rounds[idx].at = s.cash_stakes[idx, stake].next if is_cash else s.stakes[stake].next
    set_due(s, idx, np.int64(s.rounds[idx].due) - 1)
    s.round_left -= 1
    if s.rounds[idx].due == 0 or s.round_left == 0:
        s.round_left = 0
        s.round_idx = idx + 1
    account = stake if is_cash else s.positions[stake].key >> ACCOUNT_IDX_BITS
    if is_cash:
        value_cash(s, idx, account)
    else:
        value_position(s, stake, account)
    judge(s, command, account)
    if s.members[account].is_counted != 0:
        judge(s, command, group_of(s, account))


@kernel
def _next_due(s, idx):
    """Return the first round from `idx` on that is under way; after the last the first."""
    word, bit = idx // ROUND_BITS, idx % ROUND_BITS
    words = len(s.round_bits)
    bits = s.round_bits[word] >> bit << bit if word < words else np.int64(0)
    while bits == 0:  # one word at least has a bit: the caller has seen to it
        word = word + 1 if word + 1 < words else 0
        bits = s.round_bits[word]
    return word * ROUND_BITS + lowest_bit(bits)
