"""Kernels of a replay beside its replica: a command without a number, and whose instrument an order is.

They take the array of one STATE record, not the record: numba works out the type of a record
anew at every call from Python (57 us for this one), that of an array it remembers (1 us).
"""

import numpy as np

from engine.contract.batches import close_versions
from engine.contract.event_hash import forget_events, hash_events
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.apply import apply
from engine.trading.kernels.identity import find_ended, find_live, find_order
from engine.trading.kernels.state import NIL
from ringbuf.kernel import kernel


@kernel
def apply_unnumbered(state, commands, ring):
    """Apply one command that no line of the input asked for: it takes no number."""
    s = state[0]
    made = apply(s, commands[0], s.seq, s.eng_ts, ring)
    close_versions(s, s.seq)
    hash_events(s)
    forget_events(s)
    return made


@kernel
def client_instrument(state, account, client_order_id):
    """Return (whether the id is known, instrument of its live order or NIL)."""
    s = state[0]
    account_idx = find_account(s, account)
    if account_idx == NIL:
        return False, NIL
    order, _ = find_live(s, account_idx, client_order_id)
    if order != NIL:
        return True, np.int64(s.hot[order].instrument)
    entry, _ = find_ended(s, account_idx, client_order_id)
    return entry != NIL, NIL


@kernel
def order_instrument(state, order_id):
    """Return the instrument of a live order, or NIL."""
    s = state[0]
    order = find_order(s, order_id)
    return np.int64(s.hot[order].instrument) if order != NIL else NIL
