"""Execution reports: every word of an event's slots is written, whatever they held before.

Events of the command being applied are collected in `s.out`, in slots, stamped and numbered as they
will lie in the event ring. Each writer begins one event, in the form that has room for what there is
to say (engine/trading/event_forms.py), and leaves it; the runtime publishes them.
"""

import numpy as np

from engine.contract.spread import COUNT_MASK, IDX_BITS, MARK_WORD, SLOT_WORDS
from engine.trading import codes
from engine.trading import event_forms as at
from engine.trading.kernels.state import NIL
from ringbuf.kernel import apart, inlined, kernel
from ringbuf.layout import GATE_WORD, STAMP_WORD

FIRST_ADMIN_OP = codes.OP_CURRENCY
OPEN = codes.STATUS_OPEN
NOTHING = np.int64(0)
BYTE = 0xFF
LOW = 0xFFFFFFFF
HIGH_BITS = 32
FLAGS_BITS, OP_BITS, STATUS_BITS, REASON_BITS, RING_BITS, MAKER_RING_BITS = 8, 16, 24, 32, 48, 56
"""Where what shares the word KIND begins."""


@inlined
def _begin(s, command, mark, kind, flags, status, reason, maker_ring, instrument):
    """Claim the slots of the next event, write what every kind has; return the first slot's index."""
    first = s.out_count
    s.out_count = first + (mark & COUNT_MASK)
    s.out_last = first
    s.out[first, STAMP_WORD] = s.slot_count
    s.slot_count += mark & COUNT_MASK
    s.out[first, GATE_WORD] = s.seq
    s.out[first, MARK_WORD] = (s.event_count << IDX_BITS) | mark
    s.event_count += 1
    s.out[first, at.ENG_TS] = s.eng_ts
    kind |= (flags << FLAGS_BITS) | ((np.int64(command["op"]) & BYTE) << OP_BITS) | (status << STATUS_BITS)
    kind |= (reason << REASON_BITS) | ((s.ring & BYTE) << RING_BITS)
    s.out[first, at.KIND] = kind | (maker_ring << MAKER_RING_BITS)
    s.out[first, at.INSTRUMENT] = (instrument & LOW) | (np.int64(command["session"]) << HIGH_BITS)
    s.out[first, at.REQ_SEQ] = command["req_seq"]
    return first


@inlined
def _go_on(s, slot, used):
    """Write what every further slot has: its place, and zeros behind the first `used` words."""
    s.out[slot, STAMP_WORD] = s.out[slot - 1, STAMP_WORD] + 1
    s.out[slot, GATE_WORD] = s.seq
    for word in range(used, SLOT_WORDS):
        s.out[slot, word] = 0


@inlined
def _ids(s, first, account, order_id, client_order_id, px, qty):
    s.out[first, at.ACCOUNT] = account
    s.out[first, at.ORDER_ID] = order_id
    s.out[first, at.CLIENT_ORDER_ID] = client_order_id
    s.out[first, at.PX] = px
    s.out[first, at.QTY] = qty


@inlined
def _order(s, first, order, px, qty):
    """Write the order's side of a report, but for its texts and its notional."""
    account = s.accounts[s.hot[order].account].account
    _ids(s, first, account, s.hot[order].order_id, s.cold[order].client_order_id, px, qty)
    s.out[first, at.CUM_QTY] = s.cold[order].cum
    s.out[first, at.LEAVES_QTY] = s.hot[order].leaves


@inlined
def _book(s, first, book, session, rev):
    """Count the report as one of the book's, and write whose session hears of it."""
    s.books[book].md_seq += 1
    s.out[first, at.MD_SEQ] = s.books[book].md_seq
    s.out[first, at.MAKER_SESSION] = (session & LOW) | (rev << HIGH_BITS)


@inlined
def _sells(s, order):
    """Return the flag of an order's side."""
    return codes.FLAG_SELL if s.cold[order].side == codes.SELL else NOTHING


@inlined
def _text(s, slot, word, order):
    """Write an order's text, zeros where it has none."""
    has_text = s.cold[order].has_text != 0
    for part in range(3):
        s.out[slot, word + part] = s.texts[order].words[part] if has_text else NOTHING


@kernel
def _whole(s, command, order, kind, flags, status, reason, ring, session, qty, prev_px, prev_qty):
    """Report what an order's short form has no room for: of its kind, in the form WHOLE."""
    book = np.int64(s.hot[order].instrument)
    flags |= _sells(s, order)
    first = _begin(s, command, at.WHOLE_MARK, kind, flags, status, reason, ring, book)
    _order(s, first, order, s.hot[order].px, qty)
    _book(s, first, book, session, np.int64(s.cold[order].rev))
    slot = first + 1
    s.out[slot, at.NOTIONAL] = s.cold[order].notional
    s.out[slot, at.PREV_PX] = prev_px
    s.out[slot, at.PREV_QTY] = prev_qty
    _text(s, slot, at.WHOLE_TEXT, order)
    _go_on(s, slot, at.WHOLE_TEXT + 3)


@inlined
def _maker(s, slot, maker):
    """Write the resting order's side of a TRADE or PREVENTED, but for its account, fee and text."""
    s.out[slot, at.MAKER_ORDER_ID] = s.hot[maker].order_id
    s.out[slot, at.MAKER_CLIENT_ORDER_ID] = s.cold[maker].client_order_id
    s.out[slot, at.MAKER_CUM_QTY] = s.cold[maker].cum
    s.out[slot, at.MAKER_LEAVES_QTY] = s.hot[maker].leaves
    s.out[slot, at.MAKER_NOTIONAL] = s.cold[maker].notional


@inlined
def accepted(s, command, order):
    """Report ACCEPTED: px and qty as they will be matched."""
    qty = s.cold[order].qty
    if s.cold[order].has_text:
        kind = codes.EVENT_ACCEPTED
        _whole(s, command, order, kind, NOTHING, OPEN, NOTHING, NIL, NOTHING, qty, NOTHING, NOTHING)
        return
    book = np.int64(s.hot[order].instrument)
    flags = _sells(s, order)
    first = _begin(s, command, at.PLAIN_MARK, codes.EVENT_ACCEPTED, flags, OPEN, NOTHING, NIL, book)
    _order(s, first, order, s.hot[order].px, qty)
    _book(s, first, book, NOTHING, np.int64(s.cold[order].rev))


@inlined
def tell_chosen(s):
    """Complete the newest event, an ACCEPTED: the engine has chosen its quantity, or could have cut it."""
    s.out[s.out_last, at.KIND] |= codes.FLAG_QUANTITY_CHOSEN << FLAGS_BITS


@kernel
def rejected(s, command, reason):
    """Report REJECTED with the ids the command gave; return the event's index in `s.out`."""
    op = command["op"]
    is_admin = op >= FIRST_ADMIN_OP
    instrument = NIL if op == codes.OP_INSTRUMENT else np.int64(command["instrument"])
    has_text = not is_admin and (command["text"][0] | command["text"][1] | command["text"][2]) != 0
    mark = at.WHOLE_MARK if has_text else at.PLAIN_MARK
    first = _begin(s, command, mark, codes.EVENT_REJECTED, NOTHING, NOTHING, reason, NIL, instrument)
    _nothing(s, first)
    if not is_admin:
        if op != codes.OP_NEW:
            s.out[first, at.ORDER_ID] = command["order_id"]
        s.out[first, at.CLIENT_ORDER_ID] = command["client_order_id"]
    names_account = op == codes.OP_ACCOUNT or op == codes.OP_LIMITS or op >= codes.OP_KILL
    if not is_admin or names_account:
        s.out[first, at.ACCOUNT] = command["account"]
    if s.refused_by != 0 or op >= codes.OP_KILL:
        _name_group(s, command, first)
    if has_text:
        _go_on(s, first + 1, MARK_WORD)
        for part in range(3):
            s.out[first + 1, at.WHOLE_TEXT + part] = command["text"][part]
    return first


@apart
def _name_group(s, command, first):
    """Complete a REJECTED with the group that a command names, or whose limit or latch refuses it."""
    op = command["op"]
    is_of_group = op == codes.OP_GROUP
    is_of_group |= op == codes.OP_ACCOUNT_LIMITS and command["flags"] & codes.FLAG_OF_GROUP != 0
    is_of_group |= (op == codes.OP_KILL or op == codes.OP_RESET_LATCH) and command[
        "value"
    ] == codes.KILL_GROUP
    if is_of_group:
        s.out[first, at.ACCOUNT] = s.refused_account
        s.out[first, at.PX] = command["account"]
    else:
        s.out[first, at.PX] = s.refused_by
    s.refused_by = 0
    s.refused_account = 0


@inlined
def _nothing(s, first):
    """Write the zeros of a report about no order."""
    _ids(s, first, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    s.out[first, at.CUM_QTY] = 0
    s.out[first, at.LEAVES_QTY] = 0
    s.out[first, at.MD_SEQ] = 0
    s.out[first, at.MAKER_SESSION] = 0


@kernel
def tell_original(s, first, order_id, status, cum, leaves):
    """Complete the REJECTED that begins at `first` with where the order of the same id stands."""
    s.out[first, at.ORDER_ID] = order_id
    s.out[first, at.KIND] |= status << STATUS_BITS
    s.out[first, at.CUM_QTY] = cum
    s.out[first, at.LEAVES_QTY] = leaves


@kernel
def traded(s, command, taker, maker, px, qty, taker_fee, maker_fee, status):
    """Report TRADE: both sides after the fill; `status` is the taker's."""
    book = np.int64(s.hot[taker].instrument)
    has_text = s.cold[taker].has_text | s.cold[maker].has_text
    mark = at.TRADE_OF_TEXTS_MARK if has_text else at.TRADE_MARK
    flags, ring = _sells(s, taker), np.int64(s.cold[maker].ring)
    first = _begin(s, command, mark, codes.EVENT_TRADE, flags, status, NOTHING, ring, book)
    _order(s, first, taker, px, qty)
    _book(s, first, book, np.int64(s.cold[maker].session), np.int64(s.cold[taker].rev))
    slot = first + 1
    s.out[slot, at.NOTIONAL] = s.cold[taker].notional
    _maker(s, slot, maker)
    s.out[slot, at.MAKER_ACCOUNT] = s.accounts[s.hot[maker].account].account
    s.out[slot, at.FEE] = taker_fee
    s.out[slot, at.MAKER_FEE] = maker_fee
    _go_on(s, slot, at.MAKER_FEE + 1)
    if has_text:
        _text(s, slot + 1, at.TRADE_TEXT, taker)
        _text(s, slot + 1, at.TRADE_MAKER_TEXT, maker)
        _go_on(s, slot + 1, at.TRADE_MAKER_TEXT + 3)


@kernel
def cancelled(s, command, order, reason, status):
    """Report CANCELLED; leaves_qty is what was taken off."""
    ring, session = np.int64(s.cold[order].ring), np.int64(s.cold[order].session)
    if s.cold[order].has_text:
        kind = codes.EVENT_CANCELLED
        _whole(s, command, order, kind, NOTHING, status, reason, ring, session, NOTHING, NOTHING, NOTHING)
        return
    book = np.int64(s.hot[order].instrument)
    flags = _sells(s, order)
    mark = at.CANCELLED_MARK
    first = _begin(s, command, mark, codes.EVENT_CANCELLED, flags, status, reason, ring, book)
    _order(s, first, order, s.hot[order].px, s.cold[order].notional)  # CANCELLED_NOTIONAL is QTY
    _book(s, first, book, session, np.int64(s.cold[order].rev))


@inlined
def replaced(s, command, order, prev_px, prev_qty, flags, reason):
    """Report REPLACED: px and qty (new total) now and before; flags: PRIORITY_KEPT or 0.

    reason : OK where it was asked for, else why the order was lowered
    """
    ring, session = np.int64(s.cold[order].ring), np.int64(s.cold[order].session)
    qty = s.cold[order].qty
    if s.cold[order].has_text or s.cold[order].cum != 0:
        kind = codes.EVENT_REPLACED
        _whole(s, command, order, kind, flags, OPEN, reason, ring, session, qty, prev_px, prev_qty)
        return
    book = np.int64(s.hot[order].instrument)
    flags |= _sells(s, order)
    first = _begin(s, command, at.REPLACED_MARK, codes.EVENT_REPLACED, flags, OPEN, reason, ring, book)
    account = s.accounts[s.hot[order].account].account
    px = s.hot[order].px
    _ids(s, first, account, s.hot[order].order_id, s.cold[order].client_order_id, px, qty)
    s.out[first, at.REPLACED_PREV_PX] = prev_px
    s.out[first, at.REPLACED_PREV_QTY] = prev_qty
    _book(s, first, book, session, np.int64(s.cold[order].rev))


@kernel
def prevented(s, command, taker, maker, qty):
    """Report PREVENTED: a self-trade of `qty` that did not happen (exchange rule S9)."""
    book = np.int64(s.hot[taker].instrument)
    flags, ring = _sells(s, taker), np.int64(s.cold[maker].ring)
    is_apart = s.hot[taker].account != s.hot[maker].account
    mark = at.PREVENTED_APART_MARK if is_apart else at.PREVENTED_MARK
    first = _begin(s, command, mark, codes.EVENT_PREVENTED, flags, OPEN, NOTHING, ring, book)
    _order(s, first, taker, s.hot[maker].px, qty)
    _book(s, first, book, np.int64(s.cold[maker].session), np.int64(s.cold[taker].rev))
    slot = first + 1
    s.out[slot, at.NOTIONAL] = s.cold[taker].notional
    _maker(s, slot, maker)
    _text(s, slot, at.PREVENTED_TEXT, taker)
    _text(s, slot, at.PREVENTED_MAKER_TEXT, maker)
    _go_on(s, slot, at.PREVENTED_MAKER_TEXT + 3)
    if is_apart:
        s.out[slot, at.PREVENTED_MAKER_ACCOUNT] = s.accounts[s.hot[maker].account].account


@kernel
def phase_entered(s, command, book, phase):
    """Report PHASE: status is the phase that now holds."""
    first = _begin(s, command, at.PLAIN_MARK, codes.EVENT_PHASE, NOTHING, phase, NOTHING, NIL, book)
    _nothing(s, first)
    _book(s, first, book, NOTHING, NOTHING)


@kernel
def done(s, command, instrument):
    """Close a command; qty is the number of orders it cancelled: its events so far."""
    order_count = _cancel_count(s)
    mark = at.PLAIN_MARK
    first = _begin(s, command, mark, codes.EVENT_DONE, NOTHING, NOTHING, NOTHING, NIL, instrument)
    _nothing(s, first)
    s.out[first, at.QTY] = order_count


@kernel
def latched(s, command, account, instrument, level, reason, order_count, measured, allowed, currency):
    """Report LATCHED: the level that a kill's scope or a limit of an account or a group stands at now.

    account : its external id, of a group below zero; 0 for none
    reason : which latch; BLOCKED for a kill, of which nothing is measured
    order_count : orders cancelled by it
    """
    kind = codes.EVENT_LATCHED
    s.events_before += 1  # DONE does not count it
    first = _begin(s, command, at.PLAIN_MARK, kind, NOTHING, level, reason, NIL, instrument)
    group = max(-account, NOTHING)
    _ids(s, first, max(account, NOTHING), NOTHING, group, currency, order_count)
    s.out[first, at.CUM_QTY] = measured
    s.out[first, at.LEAVES_QTY] = allowed
    s.out[first, at.MD_SEQ] = 0
    s.out[first, at.MAKER_SESSION] = 0


@kernel
def moved(s, command, account, balance, target, target_balance):
    """Report MOVED: px is the currency, qty the amount, the text its id.

    account, target : external ids; whose money it is, of a TRANSFER from whom and to whom
    balance, target_balance : minor units that they have then
    """
    kind = codes.EVENT_MOVED
    first = _begin(s, command, at.MOVED_MARK, kind, NOTHING, NOTHING, NOTHING, NIL, NIL)
    _ids(s, first, account, NOTHING, NOTHING, command["px"], command["qty"])
    s.out[first, at.CUM_QTY] = balance
    s.out[first, at.LEAVES_QTY] = target_balance
    s.out[first, at.MD_SEQ] = 0
    s.out[first, at.MAKER_SESSION] = 0
    _go_on(s, first + 1, MARK_WORD)
    s.out[first + 1, at.MOVED_TO] = target
    for part in range(3):
        s.out[first + 1, at.MOVED_TEXT + part] = command["text"][part]


@kernel
def tell_rule(s, first):
    """Complete the REJECTED that begins at `first` with the rule that refuses, and the hash of its set."""
    place, found = s.governing - 1, s.judged[0].found
    s.out[first, at.PX] = s.rule_sets[place].hash[0]
    s.out[first, at.QTY] = s.rule_sets[place].hash[1]
    s.out[first, at.CUM_QTY] = abs(found)
    s.out[first, at.LEAVES_QTY] = np.int64(found < 0)


@kernel
def rules_changed(s, command, status, place, before):
    """Report RULES of the set that lies at `place`, NIL for none; before : id of that which governed."""
    kind = codes.EVENT_RULES
    first = _begin(s, command, at.PLAIN_MARK, kind, NOTHING, status, NOTHING, NIL, NIL)
    _nothing(s, first)
    if place != NIL:
        s.out[first, at.PX] = s.rule_sets[place].hash[0]
        s.out[first, at.QTY] = s.rule_sets[place].hash[1]
        s.out[first, at.CUM_QTY] = s.rule_sets[place].ruleset
    s.out[first, at.LEAVES_QTY] = before


@kernel
def movement_rejected(s, command, reason, account, original):
    """Report REJECTED of a movement of money with its id as the text.

    account : external id that the reason is about, FEES for the fee account
    original : seq of the movement that has the id already; 0 for none
    """
    kind = codes.EVENT_REJECTED
    first = _begin(s, command, at.WHOLE_MARK, kind, NOTHING, NOTHING, reason, NIL, NIL)
    _nothing(s, first)
    s.out[first, at.ACCOUNT] = account
    s.out[first, at.ORDER_ID] = original
    _go_on(s, first + 1, MARK_WORD)
    for part in range(3):
        s.out[first + 1, at.WHOLE_TEXT + part] = command["text"][part]


@kernel
def _cancel_count(s):
    """Return how many orders the rare command being applied has cancelled: all its events but latches."""
    return s.event_count - s.events_before


@inlined
def finish(s):
    """Mark the last event of the command."""
    if s.out_count > s.out_first:
        s.out[s.out_last, at.KIND] |= codes.FLAG_LAST << FLAGS_BITS
