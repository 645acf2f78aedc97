"""Movements of money: DEPOSIT, WITHDRAW and TRANSFER, each once by an id of its own (exchange rules S4, S20).

    movement    from                          to
    DEPOSIT     outside                       the account
    WITHDRAW    the account                   outside
    TRANSFER    an account, or the fees       an account, or the fees

What comes from outside less what goes there is `deposited` of the currency, so accounts and fees always add
up to it. The ids stand in a window of their own, a ring with a chained hash table over it: the oldest is
forgotten. An id is of the account whose money it was (FEES of the fee account) and of the kind of movement.

    move_bucket -> moves.next       ids by account, kind and text
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.equity import change_balance, is_countable
from engine.trading.kernels.events import moved, movement_rejected
from engine.trading.kernels.margin import check_margin_left
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.validate import check_operator
from engine.trading.records import FEES, MONEY_MAX
from ringbuf.kernel import apart, kernel

FEE_ACCOUNT, OUTSIDE = np.int64(-2), np.int64(-3)
"""Sides of a movement that are no account's index; NIL is an account that there is not."""
NOTHING = np.int64(0)
FNV_BASIS, FNV_PRIME, FNV_MASK = np.int64(2166136261), np.int64(16777619), np.int64(2**32 - 1)
"""FNV-1a of 32 bits (Fowler, Noll and Vo, RFC 9923): every product stays below 2**57."""
WORD_BYTES, BYTE_BITS, BYTE = 8, 8, 0xFF


@apart
def apply_movement(s, command):
    """Apply a DEPOSIT, WITHDRAW or TRANSFER: a MOVED, or a REJECTED that names the account at fault."""
    source, target = _source_of(s, command), _target_of(s, command)
    reason, at_fault, original = _check(s, command, source, target)
    if reason != codes.OK:
        movement_rejected(s, command, reason, at_fault, original)
        return
    _remember(s, command)
    currency, amount = command["px"], command["qty"]
    taken_from = _move(s, source, currency, -amount)
    given_to = _move(s, target, currency, amount)
    if source == OUTSIDE:
        moved(s, command, command["account"], given_to, NOTHING, NOTHING)
    elif target == OUTSIDE:
        moved(s, command, command["account"], taken_from, NOTHING, NOTHING)
    else:
        moved(s, command, command["account"], taken_from, command["order_id"], given_to)


@kernel
def _source_of(s, command):
    """Return from whom the money comes: an account's index or NIL, FEE_ACCOUNT, OUTSIDE."""
    if command["op"] == codes.OP_DEPOSIT:
        return OUTSIDE
    return _side_of(s, command, command["account"])


@kernel
def _target_of(s, command):
    """Return to whom the money goes: an account's index or NIL, FEE_ACCOUNT, OUTSIDE."""
    if command["op"] == codes.OP_WITHDRAW:
        return OUTSIDE
    return _side_of(s, command, _target_id(command))


@kernel
def _side_of(s, command, account_id):
    if command["op"] == codes.OP_TRANSFER and account_id == FEES:
        return FEE_ACCOUNT
    return find_account(s, account_id)


@kernel
def _target_id(command):
    """Return the external id of the account to which the money goes; of a WITHDRAW from which it comes."""
    return command["order_id"] if command["op"] == codes.OP_TRANSFER else command["account"]


@kernel
def _check(s, command, source, target):
    """Return (reason, external id of the account that it is about, seq of the movement that has the id).

    In the order of exchange rule S3: who and what, the id, the fields, then what may be moved.
    """
    source_id, target_id = command["account"], _target_id(command)
    currency, amount = command["px"], command["qty"]
    reason = check_operator(command)
    if reason != codes.OK:
        return reason, source_id, NOTHING
    if source == NIL:
        return codes.UNKNOWN_ACCOUNT, source_id, NOTHING
    if target == NIL:
        return codes.UNKNOWN_ACCOUNT, target_id, NOTHING
    if currency < 0 or currency >= s.currencies_used:
        return codes.UNKNOWN_CURRENCY, source_id, NOTHING
    if (command["text"][0] | command["text"][1] | command["text"][2]) == 0:
        return codes.INVALID_FIELD, source_id, NOTHING
    entry = _find(s, command)
    if entry != NIL:
        return codes.DUPLICATE, source_id, s.moves[entry].seq
    if amount < 1 or source == target:
        return codes.INVALID_FIELD, source_id, NOTHING
    if amount > MONEY_MAX:
        return codes.OVERFLOW, source_id, NOTHING
    if not is_countable(s, source, currency):
        return codes.NO_RATE, source_id, NOTHING
    if not is_countable(s, target, currency):
        return codes.NO_RATE, target_id, NOTHING
    reason = _check_source(s, source, currency, amount)
    if reason != codes.OK:
        return reason, source_id, NOTHING
    return _check_target(s, target, currency, amount), target_id, NOTHING


@kernel
def _check_source(s, source, currency, amount):
    """Check that `amount` is there to be taken: of an account what it does not reserve, of fees all.

    On margin, what its equity does not need.
    """
    if source == OUTSIDE:
        return codes.OVERFLOW if s.currencies[currency].deposited > MONEY_MAX - amount else codes.OK
    if source == FEE_ACCOUNT:
        return codes.INSUFFICIENT_FUNDS if amount > s.currencies[currency].fees else codes.OK
    free = s.balances[currency, source].total - s.balances[currency, source].reserved
    if s.accounts[source].unlimited == 0 and amount > free:
        return codes.INSUFFICIENT_FUNDS
    if free < amount - MONEY_MAX:
        return codes.OVERFLOW
    return check_margin_left(s, source, currency, amount)


@kernel
def _check_target(s, target, currency, amount):
    """Check that `amount` more takes nothing past 2**62, whatever an account's open sells bring in."""
    if target == OUTSIDE:
        return codes.OVERFLOW if s.currencies[currency].deposited < amount - MONEY_MAX else codes.OK
    if target == FEE_ACCOUNT:
        return codes.OVERFLOW if s.currencies[currency].fees > MONEY_MAX - amount else codes.OK
    held = s.balances[currency, target].total + s.balances[currency, target].selling
    return codes.OVERFLOW if held > MONEY_MAX - amount else codes.OK


@kernel
def _move(s, side, currency, change):
    """Give `change` to a side of a movement, or take it; return what the side has then, 0 of OUTSIDE."""
    if side == OUTSIDE:
        s.currencies[currency].deposited -= change
        return NOTHING
    if side == FEE_ACCOUNT:
        s.currencies[currency].fees += change
        return s.currencies[currency].fees
    touch_account(s, side)
    change_balance(s, side, currency, change)
    return s.balances[currency, side].total


@kernel
def movement_hash(account, op, first, second, third):
    """Return what the buckets of a movement's id are taken from; also for whole columns of ids."""
    hashed = FNV_BASIS ^ op
    for word in (account, first, second, third):
        for octet in range(WORD_BYTES):
            hashed = ((hashed ^ ((word >> (BYTE_BITS * octet)) & BYTE)) * FNV_PRIME) & FNV_MASK
    return hashed


@kernel
def _find(s, command):
    """Return the entry of the window that has a command's id, or NIL."""
    op, account = np.int64(command["op"]), command["account"]
    first, second, third = command["text"][0], command["text"][1], command["text"][2]
    hashed = movement_hash(account, op, first, second, third)
    entry = np.int64(s.move_bucket[hashed & (len(s.move_bucket) - 1)]) - 1
    while entry != NIL:  # at most the ids of one bucket
        if s.moves[entry].account == account and s.moves[entry].op == op:
            held = s.moves[entry].words
            if held[0] == first and held[1] == second and held[2] == third:
                break
        entry = np.int64(s.moves[entry].next) - 1
    return entry


@kernel
def _remember(s, command):
    """Take a command's id into the window, over the oldest when it is full."""
    entry = s.moves_next
    s.moves_next = entry + 1 if entry + 1 < len(s.moves) else 0
    if s.moves_used < len(s.moves):
        s.moves_used += 1
    else:
        _forget(s, entry)
    s.moves[entry].account = command["account"]
    s.moves[entry].op = command["op"]
    for word in range(3):
        s.moves[entry].words[word] = command["text"][word]
    s.moves[entry].seq = s.seq
    bucket = _bucket_of(s, entry)
    s.moves[entry].next = s.move_bucket[bucket]
    s.move_bucket[bucket] = entry + 1


@kernel
def _forget(s, entry):
    """Take the id of an entry out of its chain."""
    bucket = _bucket_of(s, entry)
    at = np.int64(s.move_bucket[bucket]) - 1
    if at == entry:
        s.move_bucket[bucket] = s.moves[entry].next
        return
    while s.moves[at].next - 1 != entry:  # at most the ids of one bucket
        at = np.int64(s.moves[at].next) - 1
    s.moves[at].next = s.moves[entry].next


@kernel
def _bucket_of(s, entry):
    """Return the bucket of an entry's id."""
    op, words = np.int64(s.moves[entry].op), s.moves[entry].words
    hashed = movement_hash(s.moves[entry].account, op, words[0], words[1], words[2])
    return hashed & (len(s.move_bucket) - 1)
