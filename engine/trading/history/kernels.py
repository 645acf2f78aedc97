"""What history needs of the state beyond the events: running balances and positions, live orders.

Fills, deposits and other movements of money are the only things that move a balance's total or a
position, so all are followed event by event from what they were before the batch, and must come out as
the state says. The state is private to the caller: nothing here guards against a writer.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_account, find_position
from engine.trading.kernels.identity import find_order
from engine.trading.kernels.money import share_of
from engine.trading.kernels.state import NIL
from engine.trading.records import FEES
from ringbuf.kernel import kernel

DEPOSIT_COUNT = 7
BYTE = 0xFF

HELD_COLUMNS = 3  # of a position: qty, cost, realised
FILL_COLUMNS = 4  # balance, then the position's three
DEPOSIT_COLUMNS = 6  # place of the event, account idx, currency, amount, balance, the other side or NO_SIDE
NO_SIDE = np.int64(-1)
SIDES = 2  # of a movement
LIVE_COLUMNS = 6  # px, qty, cum, leaves, notional, rev; leaves 0: not live


@kernel
def follow_money(s, events, entries, totals, held, fills, deposits):
    """Follow balances and positions through a batch; return (fills, deposits) written.

    Parameters
    ----------
    s : the STATE record after the batch
    events : EVENT[m] of the batch
    entries : JOURNAL_ENTRY[n], dense in seq
    totals : int64[currencies, accounts], every balance before the batch; after it on return
    held : int64[positions, HELD_COLUMNS], every position likewise
    fills : int64[2 * trades, FILL_COLUMNS], filled: taker then maker of every trade
    deposits : int64[room, DEPOSIT_COLUMNS], filled; room for DEPOSIT_COUNT of every ACCOUNT and SIDES of
        every MOVED
    """
    fill_count = 0
    deposit_count = 0
    for place in range(len(events)):
        e = events[place]
        if e["kind"] == codes.EVENT_TRADE:
            sign = np.int64(-1) if e["flags"] & codes.FLAG_SELL else np.int64(1)
            _fill(s, e, e["account"], sign, e["fee"], totals, held, fills[fill_count])
            _fill(s, e, e["maker_account"], -sign, e["maker_fee"], totals, held, fills[fill_count + 1])
            fill_count += 2
        elif e["kind"] == codes.EVENT_DONE and e["op"] == codes.OP_ACCOUNT:
            entry = entries[e["seq"] - entries[0]["seq"]]
            deposit_count = _deposits(s, place, entry["command"], totals, deposits, deposit_count)
        elif e["kind"] == codes.EVENT_MOVED:
            deposit_count = _movement(s, place, e, totals, deposits, deposit_count)
    return fill_count, deposit_count


@kernel
def _fill(s, e, account_id, sign, fee, totals, held, after):
    """Move one side's balance and position: sign 1 buys, -1 sells."""
    book = np.int64(e["instrument"])
    account = find_account(s, account_id)
    position = find_position(s, account, book)
    assert position != NIL
    notional = e["px"] * e["qty"] * s.books[book].scale
    quote = s.books[book].quote
    totals[quote, account] -= sign * notional + fee
    _hold(held[position], sign * e["qty"], notional)
    after[0] = totals[quote, account]
    after[1] = held[position, 0]
    after[2] = held[position, 1]
    after[3] = held[position, 2]


@kernel
def _hold(held, change, notional):
    """Apply signed lots to (qty, cost, realised), as accounts.settle_fill does to a position."""
    before = held[0]
    size = abs(change)
    held[0] = before + change
    if before == 0 or (before > 0) == (change > 0):
        held[1] += notional
        return
    closing = min(abs(before), size)
    cost = share_of(held[1], closing, abs(before))
    proceeds = share_of(notional, closing, size)
    held[1] += notional - proceeds - cost
    held[2] += proceeds - cost if before > 0 else cost - proceeds


@kernel
def _deposits(s, place, command, totals, deposits, count):
    """Write the amounts of an ACCOUNT command (DEPOSIT_FIELDS of its records); return the new count."""
    account = find_account(s, command["account"])
    for k in range(DEPOSIT_COUNT):
        if k == 0:
            amount = command["client_order_id"]
        elif k == 1:
            amount = command["order_id"]
        elif k == 2:
            amount = command["px"]
        elif k == 3:
            amount = command["qty"]
        elif k == 4:
            amount = command["display_qty"]
        elif k == 5:
            amount = command["stop_px"]
        else:
            amount = command["expiry"]
        if amount != 0:
            currency = (command["text"][0] >> (8 * k)) & BYTE
            count = _change(place, account, currency, amount, NO_SIDE, totals, deposits, count)
    return count


@kernel
def _movement(s, place, e, totals, deposits, count):
    """Write what a MOVED did to accounts: to one, or to either side of a transfer but the fee account."""
    currency, amount = e["px"], e["qty"]
    source_id, target_id = e["account"], e["maker_account"]
    is_transfer = e["op"] == codes.OP_TRANSFER
    if source_id != FEES:
        change = amount if e["op"] == codes.OP_DEPOSIT else -amount
        other = target_id if is_transfer else NO_SIDE
        account = find_account(s, source_id)
        count = _change(place, account, currency, change, other, totals, deposits, count)
        assert totals[currency, account] == e["cum_qty"]
    if is_transfer and target_id != FEES:
        account = find_account(s, target_id)
        count = _change(place, account, currency, amount, source_id, totals, deposits, count)
        assert totals[currency, account] == e["leaves_qty"]
    return count


@kernel
def _change(place, account, currency, amount, other, totals, deposits, count):
    """Move one balance and write it down; return the new count."""
    totals[currency, account] += amount
    deposits[count, 0] = place
    deposits[count, 1] = account
    deposits[count, 2] = currency
    deposits[count, 3] = amount
    deposits[count, 4] = totals[currency, account]
    deposits[count, 5] = other
    return count + 1


@kernel
def read_live(s, order_ids, live):
    """Write the LIVE_COLUMNS of every order into live[i]; leaves 0 where it is not live."""
    for i in range(len(order_ids)):
        order = find_order(s, order_ids[i])
        live[i, 3] = 0
        if order != NIL:
            live[i, 0] = s.hot[order].px
            live[i, 1] = s.cold[order].qty
            live[i, 2] = s.cold[order].cum
            live[i, 3] = s.hot[order].leaves
            live[i, 4] = s.cold[order].notional
            live[i, 5] = s.cold[order].rev


@kernel
def money_agrees(s, events, totals, held):
    """Tell whether what the trades of a batch moved is now as the state says."""
    for place in range(len(events)):
        e = events[place]
        if e["kind"] == codes.EVENT_TRADE:
            if not _side_agrees(s, e, e["account"], totals, held):
                return False
            if not _side_agrees(s, e, e["maker_account"], totals, held):
                return False
    return True


@kernel
def _side_agrees(s, e, account_id, totals, held):
    book = np.int64(e["instrument"])
    account = find_account(s, account_id)
    position = find_position(s, account, book)
    quote = s.books[book].quote
    return (
        totals[quote, account] == s.balances[quote, account].total
        and held[position, 0] == s.positions[position].qty
        and held[position, 1] == s.positions[position].cost
        and held[position, 2] == s.positions[position].realised
    )
