"""Kernels of a replay around `apply`: timed, unnumbered, and whose instrument an order is.

They take the array of one STATE record, not the record: numba works out the type of a record
anew at every call from Python (57 us for this one), that of an array it remembers (1 us).
"""

from engine.trading import codes
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.apply import apply
from engine.trading.kernels.identity import find_ended, find_live, find_order
from engine.trading.kernels.simulate import close_opened, run
from engine.trading.kernels.state import NIL
from engine.trading.offline.latency import count_latency
from ringbuf.atomics import clock_monotonic_ns
from ringbuf.kernel import kernel


@kernel
def run_batch(state, commands, first, count, ring, events, room):
    """As `run`, on the array of one STATE record."""
    return run(state[0], commands, first, count, ring, events, room)


@kernel
def run_timed(state, commands, first, count, ring, events, room, latency_counts, longest_ns):
    """As `run`, and count each command's nanoseconds; return (applied, written)."""
    s = state[0]
    written = 0
    for k in range(count):
        command = commands[first + k]
        eng_ts = s.eng_ts
        if command["op"] == codes.OP_TIME:
            eng_ts = max(eng_ts, command["value"])
        s.out_count = 0
        began = clock_monotonic_ns()
        made = apply(s, command, s.seq + 1, eng_ts, ring)
        took = clock_monotonic_ns() - began
        close_opened(s)
        count_latency(latency_counts, longest_ns, s.seq, took)
        if room != 0:
            if written + made > room:
                return k + 1, written
            for i in range(made):
                events[written + i] = s.out[i]
                events[written + i]["event_idx"] = s.event_count - made + i
            written += made
    s.out_count = 0
    return count, written


@kernel
def apply_unnumbered(state, commands, ring):
    """Apply one command that no line of the input asked for: it takes no number."""
    s = state[0]
    s.out_count = 0
    made = apply(s, commands[0], s.seq, s.eng_ts, ring)
    close_opened(s)
    s.out_count = 0
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
        return True, s.cold[order].instrument
    entry, _ = find_ended(s, account_idx, client_order_id)
    return entry != NIL, NIL


@kernel
def order_instrument(state, order_id):
    """Return the instrument of a live order, or NIL."""
    s = state[0]
    order = find_order(s, order_id)
    return s.cold[order].instrument if order != NIL else NIL
