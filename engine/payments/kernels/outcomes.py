"""What a processor says of payments: it approves or declines those that are pending, and confirms reversals.

Whatever it says of a payment that is not pending any more changes nothing: what it holds then is undone by
the reversal that is owed.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import CARD
from engine.payments.kernels import event_forms as at
from engine.payments.kernels.attempts import count_decline, new_card
from engine.payments.kernels.decide import disclosed_as, hold_days_of, total_of
from engine.payments.kernels.events import about, begin_for_ring, judged, moved, of_kind
from engine.payments.kernels.gather import bin_key, find_card_pair
from engine.payments.kernels.holds import (
    changed,
    close,
    count_fault,
    find_payment,
    leave_queue,
    open_account,
    open_payment,
    queue,
    release,
)
from engine.payments.kernels.pending import answer_of, decline_pending, pay_off
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.set_up import tell_done
from engine.payments.kernels.tables import find_pair
from engine.payments.kernels.windows import HOUR_BUCKET_MS, MONTH_BUCKET_MS, total_at
from ringbuf.kernel import inlined, kernel


@kernel
def processed(s, command):
    """Settle a pending payment as the processor, or the door that could not reach it, says."""
    payment = find_payment(s, command["payment"])
    code = _code_of(payment)
    if code == k.OK and s.payments[payment].state != k.STATE_PENDING:
        code = k.NOT_OPEN
    if code == k.OK:
        open_payment(s, payment)
        open_account(s, np.int64(s.payments[payment].account))
        leave_queue(s, payment)
        _settle(s, command, payment)
        changed(s, payment)
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)
    if code == k.OK:
        tell_settled(s, command, payment)


@kernel
def confirmed(s, command):
    """Take note that the processor has reversed a payment."""
    payment = find_payment(s, command["payment"])
    code = _code_of(payment)
    if code == k.OK and s.payments[payment].forwarding != k.REVERSAL_OWED:
        code = k.NOT_OPEN
    if code == k.OK:
        open_payment(s, payment)
        pay_off(s, payment)
        changed(s, payment)
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)


@inlined
def _code_of(payment):
    return k.NOT_FOUND if payment == NIL else k.OK


@kernel
def _settle(s, command, payment):
    """Give a pending payment that has left its queue the state that its outcome brings."""
    outcome = np.int64(command["kind"])
    if outcome == k.PROCESSED_APPROVED:
        _approve(s, payment)
        return
    release(s, payment)
    if outcome == k.PROCESSED_DECLINED:
        decline_pending(s, payment, k.PROCESSOR_DECLINED, k.STATE_DECLINED, False)
        _count_refusal(s, command)
    else:
        owes = outcome != k.PROCESSED_NOT_SENT
        decline_pending(s, payment, k.PROCESSOR_DOWN, k.STATE_DECLINED, owes)
        count_fault(s, payment)


@kernel
def _approve(s, payment):
    """Let a payment be what it would have been at once without a processor."""
    row, amount = s.payments[payment], s.payments[payment].held
    s.pending_count -= 1
    if row.kind == k.SALE:
        s.balances[row.balance].total -= amount
        release(s, payment)
        row.captured = amount
        close(s, payment, k.STATE_CAPTURED)
    else:
        row.state = k.STATE_OPEN
        queue(s, payment, hold_days_of(s, payment))
    answer = answer_of(s, payment)
    if answer != NIL:
        s.answers[answer].state = row.state


@kernel
def _count_refusal(s, command):
    """Count that the processor has declined a payment as a decline of its card, at T."""
    found, words = s.found[0], command["words"]
    hour = s.now // HOUR_BUCKET_MS
    card = find_pair(s.card_bucket, s.cards, words[CARD], words[CARD + 1])
    if card == NIL:
        card = new_card(s, words[CARD], words[CARD + 1])
    total_at(s.cards[card].declines, hour)
    found.pair = find_card_pair(s, words)
    if found.pair != NIL:
        total_at(s.pairs[found.pair].declines, s.now // MONTH_BUCKET_MS)
    found.bin = NIL
    if command["bin"] >= 0:
        number, digits = bin_key(command)
        found.bin = find_pair(s.bin_bucket, s.bins, number, digits)
        if found.bin != NIL:
            total_at(s.bins[found.bin].declines, hour)
    count_decline(s, command, card)


@kernel
def tell_settled(s, command, payment):
    """Tell the door that asked for a pending payment what has become of it."""
    row = s.payments[payment]
    first = begin_for_ring(s, command, at.MOVEMENT_MARK, k.KIND_SETTLED, np.int64(row.ring))
    number, amount, total = row.account_number, row.amount, total_of(s, payment)
    about(s, first, row.payment, number, amount, row.approved_amount, row.matched, row.payment, total)
    code, rule, field = np.int64(row.code), np.int64(row.rule), np.int64(row.field)
    state, decision, cohort = np.int64(row.state), np.int64(row.decision), np.int64(row.cohort)
    disclosed = disclosed_as(s, np.int64(row.merchant), code)
    judged(s, first, code, rule, field, state, decision, cohort, disclosed, k.NONE)
    kind_of_payment(s, first, payment)
    moved(s, first, row.captured, row.refunded, row.held)


@inlined
def kind_of_payment(s, first, payment):
    """Write which rules judged a payment, and what kind of money and of payment it is."""
    row = s.payments[payment]
    exponent, channel = np.int64(row.exponent), np.int64(row.channel)
    of_kind(s, first, np.int64(row.ruleset), np.int64(row.currency), exponent, channel)
