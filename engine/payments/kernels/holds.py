"""Payments: their rows, the queues in which holds end, and what a state of them does to a balance.

PAY  ->  open or review   in the queue of its hold_days, for those end in the order they began
     ->  pending          in a queue of its own, until the processor answers or is late (pending.py)
     ->  any other state  among the closed ones, oldest first: they give way when rows run out
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import CARD, MERCHANT, MERCHANT_WORDS, REQUEST_ID, REQUEST_ID_WORDS
from engine.payments.kernels.pending import decline_pending
from engine.payments.kernels.rows import HOLD_DAYS_MAX, NIL
from engine.payments.kernels.tables import append, link, take_out, unlink
from engine.payments.kernels.windows import DAY_MS
from engine.trials.kernels import counts_arms
from ringbuf.kernel import inlined, kernel
from ringbuf.seqlock import open_version

CLOSED_KEPT_MS = 60_000
"""A closed payment is kept so long at least, and until the database has it, where a history follows."""
PENDING_QUEUE = 0
"""Among the queues by hold_days, which are 1 and more, that of pending payments."""


@inlined
def open_for_writing(s, word):
    """Mark what a version word stands for as being written by this command; it may be already."""
    if s.version[word] != 2 * s.seq - 1:
        open_version(s.version, word, s.seq)
        s.opened[s.opened_count] = word
        s.opened_count += 1


@inlined
def open_payment(s, at):
    """Mark a payment as being written."""
    open_for_writing(s, 1 + at)


@inlined
def open_account(s, at):
    """Mark an account and its balances as being written."""
    open_for_writing(s, 1 + len(s.payments) + at)


@inlined
def open_rules(s):
    """Mark the sets of rules and the trial as being written."""
    open_for_writing(s, len(s.version) - 1)


@inlined
def find_payment(s, payment):
    """Return the row of a payment by its seq, or NIL."""
    at = np.int64(s.payment_bucket[payment & (len(s.payment_bucket) - 1)]) - 1
    while at != NIL and s.payments[at].payment != payment:
        at = np.int64(s.payments[at].chain) - 1
    return at


@inlined
def has_room(s):
    """Tell whether there is a row for one more payment."""
    return s.payments_used < len(s.payments) or _may_give_way(s)


@kernel
def _may_give_way(s):
    at = np.int64(s.closed.oldest) - 1
    if at == NIL or s.payments[at].is_untold:
        return False
    if s.has_history and s.payments[at].changed_seq > s.history_seq:
        return False
    return s.now - s.payments[at].changed_at >= CLOSED_KEPT_MS


@inlined
def claim_payment(s, payment):
    """Return a row for a payment by its seq, findable and otherwise as it was left; `has_room` was asked."""
    if s.payments_used < len(s.payments):
        at = s.payments_used
        s.payments_used += 1
    else:
        at = _forget_oldest(s)
    open_payment(s, at)
    s.payments[at].payment = payment
    link(s.payment_bucket, s.payments, payment & (len(s.payment_bucket) - 1), at)
    return at


@inlined
def begin_payment(s, command, payment):
    """Write what a payment's row takes from its command as it is; nothing is held, nothing was done to it."""
    row, words = s.payments[payment], command["words"]
    row.kind = command["kind"]
    row.channel = command["channel"]
    row.exponent = command["exponent"]
    row.held = 0
    row.due = 0
    row.operations = 0
    row.operation_count = 0
    row.currency = command["currency"]
    row.amount = command["amount"]
    row.account_number = command["account"]
    for word in range(REQUEST_ID_WORDS):
        row.request_id[word] = words[REQUEST_ID + word]
    for word in range(MERCHANT_WORDS):
        row.merchant_name[word] = words[MERCHANT + word]
    row.card[0] = words[CARD]
    row.card[1] = words[CARD + 1]
    row.is_untold = 0
    row.forwarding = k.NOT_FORWARDED
    changed(s, payment)


@kernel
def _forget_oldest(s):
    """Let the oldest closed payment give way, with its operations; return its row."""
    at = np.int64(s.closed.oldest) - 1
    take_out(s.closed, s.payments, at)
    unlink(s.payment_bucket, s.payments, s.payments[at].payment & (len(s.payment_bucket) - 1), at)
    operation = np.int64(s.payments[at].operations)
    while operation != 0:
        behind = np.int64(s.operations[operation - 1].next)
        s.operations[operation - 1].next = s.operations_free
        s.operations_free = operation
        s.operations_live -= 1
        operation = behind
    return at


@inlined
def queue(s, at, hold_days):
    """Let a hold or a review end by itself, `hold_days` from now."""
    s.payments[at].hold_days = hold_days
    s.payments[at].due = s.now + hold_days * DAY_MS
    append(s.open[hold_days], s.payments, at)
    _end_no_later(s, at)


@inlined
def queue_pending(s, at, limit_ms):
    """Let a pending payment end by itself, `limit_ms` from now and not before an earlier one."""
    newest = np.int64(s.open[PENDING_QUEUE].newest) - 1
    due = s.now + limit_ms
    s.payments[at].due = due if newest == NIL else max(due, s.payments[newest].due)
    s.payments[at].hold_days = PENDING_QUEUE
    append(s.open[PENDING_QUEUE], s.payments, at)
    s.pending_count += 1
    _end_no_later(s, at)


@inlined
def _end_no_later(s, at):
    if s.next_end == 0 or s.payments[at].due < s.next_end:
        s.next_end = s.payments[at].due


@inlined
def close(s, at, state):
    """Give a payment that stands in no queue its last state."""
    s.payments[at].state = state
    append(s.closed, s.payments, at)


@inlined
def leave_queue(s, at):
    """Take a payment out of the queue of its hold."""
    take_out(s.open[np.int64(s.payments[at].hold_days)], s.payments, at)


@inlined
def changed(s, at):
    """Note that this command has changed a payment."""
    s.payments[at].changed_at = s.now
    s.payments[at].changed_seq = s.seq


@kernel
def end_due(s):
    """End every hold and review that is due, in the order of their ends; their events wait to leave."""
    open_for_writing(s, 0)  # readers of any payment or account look again
    while True:
        at = _first_to_end(s)
        if at == NIL or s.payments[at].due > s.now:
            s.next_end = 0 if at == NIL else s.payments[at].due
            return
        leave_queue(s, at)
        release(s, at)
        if s.payments[at].state == k.STATE_PENDING:
            decline_pending(s, at, k.PROCESSOR_DOWN, k.STATE_DECLINED, True)
            count_fault(s, at)
        else:
            close(s, at, k.STATE_EXPIRED)
        changed(s, at)
        s.payments[at].is_untold = 1
        s.payments[at].untold = 0
        if s.untold_last != 0:
            s.payments[s.untold_last - 1].untold = at + 1
        else:
            s.untold_first = at + 1
        s.untold_last = at + 1


@kernel
def count_fault(s, at):
    """Count for its side of a canary that a payment which the present step decided had no processor."""
    t, payment = s.trial[0], s.payments[at].payment
    if counts_arms(t) and t.step_began_seq != 0 and payment >= t.step_began_seq:
        open_rules(s)
        t.arms[s.payments[at].cohort].faults += 1


@kernel
def _first_to_end(s):
    """Return the payment whose hold ends first, or NIL."""
    first = NIL
    for hold_days in range(PENDING_QUEUE, HOLD_DAYS_MAX + 1):
        at = np.int64(s.open[hold_days].oldest) - 1
        if at == NIL:
            continue
        if (
            first == NIL
            or s.payments[at].due < s.payments[first].due
            or (
                s.payments[at].due == s.payments[first].due
                and s.payments[at].payment < s.payments[first].payment
            )
        ):
            first = at
    return first


@inlined
def release(s, at):
    """Give back what a payment still holds."""
    if s.payments[at].held != 0:
        s.balances[s.payments[at].balance].held -= s.payments[at].held
        s.payments[at].held = 0
