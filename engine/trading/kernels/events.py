"""Execution reports: every field of an EVENT is written, whatever the slot held before.

Events of the command being applied are collected in `s.out`. Each writer fills one
record and leaves it; the runtime numbers and publishes them.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.state import NIL
from ringbuf.kernel import inlined, kernel

FIRST_ADMIN_OP = codes.OP_CURRENCY


@inlined
def _header(s, command, kind, instrument):
    """Claim the next event, write what every kind has, clear what only some have."""
    e = s.out[s.out_count]
    s.out_count += 1
    e["event_idx"] = 0
    e["seq"] = s.seq
    e["eng_ts"] = s.eng_ts
    e["kind"] = kind
    e["flags"] = 0
    e["op"] = command["op"]
    e["status"] = 0
    e["reason"] = 0
    e["ring"] = s.ring
    e["maker_ring"] = -1
    e["instrument"] = instrument
    e["session"] = command["session"]
    e["req_seq"] = command["req_seq"]
    e["px"] = 0
    e["qty"] = 0
    e["fee"] = 0
    e["prev_px"] = 0
    e["prev_qty"] = 0
    e["md_seq"] = 0
    return e


@inlined
def _no_maker(e):
    e["maker_account"] = 0
    e["maker_order_id"] = 0
    e["maker_client_order_id"] = 0
    e["maker_cum_qty"] = 0
    e["maker_leaves_qty"] = 0
    e["maker_notional"] = 0
    e["maker_fee"] = 0
    e["maker_session"] = 0
    e["maker_text"][0] = 0
    e["maker_text"][1] = 0
    e["maker_text"][2] = 0


@inlined
def _no_order(e):
    e["account"] = 0
    e["order_id"] = 0
    e["client_order_id"] = 0
    e["cum_qty"] = 0
    e["leaves_qty"] = 0
    e["notional"] = 0
    e["rev"] = 0
    e["text"][0] = 0
    e["text"][1] = 0
    e["text"][2] = 0


@inlined
def _order(s, e, order, status):
    """Write the order's side of a report."""
    if s.cold[order].side == codes.SELL:
        e["flags"] = codes.FLAG_SELL
    e["status"] = status
    e["account"] = s.accounts[s.hot[order].account].account
    e["order_id"] = s.hot[order].order_id
    e["client_order_id"] = s.cold[order].client_order_id
    e["cum_qty"] = s.cold[order].cum
    e["leaves_qty"] = s.hot[order].leaves
    e["notional"] = s.cold[order].notional
    e["rev"] = s.cold[order].rev
    e["text"][0] = 0
    e["text"][1] = 0
    e["text"][2] = 0
    if s.cold[order].has_text:
        e["text"][0] = s.cold[order].text[0]
        e["text"][1] = s.cold[order].text[1]
        e["text"][2] = s.cold[order].text[2]


@kernel
def _maker(s, e, maker):
    """Write the resting order's side of a TRADE or PREVENTED."""
    e["maker_ring"] = s.cold[maker].ring
    e["maker_session"] = s.cold[maker].session
    e["maker_account"] = s.accounts[s.hot[maker].account].account
    e["maker_order_id"] = s.hot[maker].order_id
    e["maker_client_order_id"] = s.cold[maker].client_order_id
    e["maker_cum_qty"] = s.cold[maker].cum
    e["maker_leaves_qty"] = s.hot[maker].leaves
    e["maker_notional"] = s.cold[maker].notional
    e["maker_text"][0] = 0
    e["maker_text"][1] = 0
    e["maker_text"][2] = 0
    if s.cold[maker].has_text:
        e["maker_text"][0] = s.cold[maker].text[0]
        e["maker_text"][1] = s.cold[maker].text[1]
        e["maker_text"][2] = s.cold[maker].text[2]


@inlined
def _owner(s, e, order):
    """Name the session that entered the order: it hears of it whoever asked."""
    e["maker_ring"] = s.cold[order].ring
    e["maker_session"] = s.cold[order].session


@kernel
def _next_md_seq(s, book):
    s.books[book].md_seq += 1
    return s.books[book].md_seq


@inlined
def accepted(s, command, order):
    """Report ACCEPTED: px and qty as they will be matched."""
    book = s.cold[order].instrument
    e = _header(s, command, codes.EVENT_ACCEPTED, book)
    _no_maker(e)
    _order(s, e, order, codes.STATUS_OPEN)
    e["px"] = s.hot[order].px
    e["qty"] = s.cold[order].qty
    e["md_seq"] = _next_md_seq(s, book)


@kernel
def rejected(s, command, reason):
    """Report REJECTED with the ids the command gave; return the event's index in `s.out`."""
    op = command["op"]
    e = _header(
        s,
        command,
        codes.EVENT_REJECTED,
        NIL if op == codes.OP_INSTRUMENT else np.int64(command["instrument"]),
    )
    _no_maker(e)
    _no_order(e)
    e["reason"] = reason
    if op < FIRST_ADMIN_OP:
        if op != codes.OP_NEW:
            e["order_id"] = command["order_id"]
        e["client_order_id"] = command["client_order_id"]
        e["text"][0] = command["text"][0]
        e["text"][1] = command["text"][1]
        e["text"][2] = command["text"][2]
    if op < FIRST_ADMIN_OP or op == codes.OP_ACCOUNT or op == codes.OP_LIMITS:
        e["account"] = command["account"]
    return s.out_count - 1


@kernel
def traded(s, command, taker, maker, px, qty, taker_fee, maker_fee, status):
    """Report TRADE: both sides after the fill; `status` is the taker's."""
    book = s.cold[taker].instrument
    e = _header(s, command, codes.EVENT_TRADE, book)
    _order(s, e, taker, status)
    _maker(s, e, maker)
    e["px"] = px
    e["qty"] = qty
    e["fee"] = taker_fee
    e["maker_fee"] = maker_fee
    e["md_seq"] = _next_md_seq(s, book)


@kernel
def cancelled(s, command, order, reason, status):
    """Report CANCELLED; leaves_qty is what was taken off."""
    book = s.cold[order].instrument
    e = _header(s, command, codes.EVENT_CANCELLED, book)
    _no_maker(e)
    _order(s, e, order, status)
    _owner(s, e, order)
    e["reason"] = reason
    e["px"] = s.hot[order].px
    e["md_seq"] = _next_md_seq(s, book)


@inlined
def replaced(s, command, order, prev_px, prev_qty, flags):
    """Report REPLACED: px and qty (new total) now and before; flags: PRIORITY_KEPT or 0."""
    book = s.cold[order].instrument
    e = _header(s, command, codes.EVENT_REPLACED, book)
    _no_maker(e)
    _order(s, e, order, codes.STATUS_OPEN)
    _owner(s, e, order)
    e["flags"] |= flags
    e["px"] = s.hot[order].px
    e["qty"] = s.cold[order].qty
    e["prev_px"] = prev_px
    e["prev_qty"] = prev_qty
    e["md_seq"] = _next_md_seq(s, book)


@kernel
def prevented(s, command, taker, maker, qty):
    """Report PREVENTED: a self-trade of `qty` that did not happen (exchange rule S9)."""
    book = s.cold[taker].instrument
    e = _header(s, command, codes.EVENT_PREVENTED, book)
    _order(s, e, taker, codes.STATUS_OPEN)
    _maker(s, e, maker)
    e["maker_fee"] = 0
    e["px"] = s.hot[maker].px
    e["qty"] = qty
    e["md_seq"] = _next_md_seq(s, book)


@kernel
def phase_entered(s, command, book, phase):
    """Report PHASE: status is the phase that now holds."""
    e = _header(s, command, codes.EVENT_PHASE, book)
    _no_maker(e)
    _no_order(e)
    e["status"] = phase
    e["md_seq"] = _next_md_seq(s, book)


@kernel
def done(s, command, instrument):
    """Close a command; qty is the number of orders it cancelled: its events so far."""
    order_count = s.out_count - s.out_first
    e = _header(s, command, codes.EVENT_DONE, instrument)
    _no_maker(e)
    _no_order(e)
    e["qty"] = order_count


@inlined
def finish(s):
    """Mark the last event and roll all of them into the state's event hash (exchange rule S27)."""
    end = s.out_count
    if end == s.out_first:
        return
    s.out[end - 1]["flags"] |= codes.FLAG_LAST
    s.event_count += end - s.out_first
    rolling = s.event_hash
    for i in range(s.out_first, end):
        e = s.out[i]
        rolling ^= e["seq"] ^ (e["order_id"] << 7) ^ (e["maker_order_id"] << 13) ^ (e["px"] << 19)
        rolling ^= (e["qty"] << 27) ^ (e["leaves_qty"] << 33) ^ (e["cum_qty"] << 3) ^ (e["account"] << 41)
        rolling ^= (e["fee"] << 23) ^ (e["maker_fee"] << 29) ^ (e["md_seq"] << 37) ^ (e["eng_ts"] << 17)
        # np.int64: a narrow field shifted in plain Python would lose its bits.
        rolling ^= np.int64(e["kind"]) ^ (np.int64(e["status"]) << 47)
        rolling ^= (np.int64(e["reason"]) << 50) ^ (np.int64(e["flags"]) << 55)
        # One round of Marsaglia's xorshift64: order matters, nothing overflows.
        rolling ^= rolling << 13
        rolling ^= (rolling >> 7) & 0x1FFFFFFFFFFFFFF
        rolling ^= rolling << 17
    s.event_hash = rolling
