"""Operations on a payment: capture, void, refund, review, and the reversal that names its request.

Judged in this order: the payment, own idempotency, room, state, amount.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import BODY, KEY, OWN_KEY
from engine.payments.kernels import event_forms as at
from engine.payments.kernels.accounts import find_row
from engine.payments.kernels.answers import find_answer, keep, remember_bare
from engine.payments.kernels.decide import approve, disclosed_as, find_card, total_of
from engine.payments.kernels.events import about, begin, begin_untold, judged, moved, of_kind
from engine.payments.kernels.holds import (
    changed,
    close,
    find_payment,
    leave_queue,
    open_account,
    open_payment,
    release,
)
from engine.payments.kernels.outcomes import kind_of_payment, tell_settled
from engine.payments.kernels.pending import decline_pending, forget_as_last, owe
from engine.payments.kernels.rows import EXPIRED_MAX, NIL, OPERATIONS_MAX
from engine.payments.kernels.tables import touch
from engine.payments.kernels.windows import DAY_BUCKET_MS, DAY_MS, total_at
from engine.payments.records import APPROVE_IT, FINAL, MONEY_MAX, NOT_GIVEN
from ringbuf.kernel import inlined, kernel

ONE = np.int64(1)


@kernel
def operate(s, command):
    """Answer a CAPTURE, VOID or REFUND."""
    payment = find_payment(s, command["payment"])
    if payment == NIL:
        _tell_not_found(s, command)
        return
    _operate_on(s, command, payment, KEY)


@kernel
def reverse(s, command):
    """Void a payment by merchant and request, or remember that it is to be declined when it comes."""
    words = command["words"]
    answer = find_answer(s, words[KEY], words[KEY + 1])
    if answer != NIL and not s.answers[answer].is_reversal:
        payment = find_payment(s, s.answers[answer].payment)
        if payment == NIL:
            _tell_not_found(s, command)
        elif _came_late(s, payment):  # the reversal holds
            _tell_moved(s, command, payment, k.OK, k.NONE, k.NONE, np.int64(0))
        else:
            _operate_on(s, command, payment, OWN_KEY)
        return
    replayed = np.int64(answer != NIL)
    reply_seq = s.seq
    if replayed:
        reply_seq = s.answers[answer].reply_seq
    else:
        _keep_reversal(s, words)
    _tell_of_none(s, command, k.NONE, k.OK, k.NONE, k.DECISION_APPROVE, reply_seq, replayed)


@inlined
def _came_late(s, payment):
    """Tell whether a payment was declined behind its reversal; one that was pending is voided."""
    return s.payments[payment].code == k.REVERSED and s.payments[payment].state == k.STATE_DECLINED


@kernel
def _keep_reversal(s, words):
    answer = remember_bare(s, words[KEY], words[KEY + 1])
    row = s.answers[answer]
    row.is_reversal = 1
    row.code = k.OK
    row.decision = k.DECISION_APPROVE
    keep(s, answer)


@kernel
def _operate_on(s, command, payment, key_at):
    """Answer an operation on a payment that is there; key_at: where in `words` its own key begins."""
    words = command["words"]
    known = np.int64(s.payments[payment].operations) - 1
    while known != NIL:
        key = s.operations[known].key
        if key[0] == words[key_at] and key[1] == words[key_at + 1]:
            _tell_known(s, command, payment, known)
            return
        known = np.int64(s.operations[known].next) - 1
    has_row = s.operations_free != 0 or s.operations_used < len(s.operations)
    if s.payments[payment].operation_count >= OPERATIONS_MAX or not has_row:
        _tell_refused(s, command, payment, k.CAPACITY, k.NONE)
        return
    open_payment(s, payment)
    op = command["op"]
    was_pending = s.payments[payment].state == k.STATE_PENDING
    if op == k.OP_CAPTURE:
        code, field, amount = _capture(s, command, payment)
    elif op == k.OP_REFUND:
        code, field, amount = _refund(s, command, payment)
    else:
        code, field, amount = _void(s, command, payment)
    _keep_operation(s, command, payment, key_at, code, field, amount)
    if was_pending and s.payments[payment].state != k.STATE_PENDING:
        tell_settled(s, command, payment)


@inlined
def _asked_of(command, there_is):
    """Return the amount of an operation: all there is where none was given."""
    return there_is if command["amount"] == NOT_GIVEN else command["amount"]


@kernel
def _capture(s, command, payment):
    """Take from the balance what is held; return (code, field, amount moved)."""
    held = s.payments[payment].held
    if held == 0 or s.payments[payment].state == k.STATE_PENDING:
        return k.NOT_OPEN, k.FIELD_PAYMENT, np.int64(0)
    amount = _asked_of(command, held)
    if amount > held:
        return k.EXCEEDS_AUTHORISED, k.FIELD_AMOUNT, np.int64(0)
    balance = np.int64(s.payments[payment].balance)
    open_account(s, np.int64(s.payments[payment].account))
    s.balances[balance].held -= amount
    s.balances[balance].total -= amount
    s.payments[payment].held -= amount
    s.payments[payment].captured += amount
    if command["kind"] == FINAL or s.payments[payment].held == 0:
        release(s, payment)
        leave_queue(s, payment)
        close(s, payment, k.STATE_CAPTURED)
    changed(s, payment)
    return k.OK, k.NONE, amount


@kernel
def _void(s, command, payment):
    """Release what is held; return (code, field, amount moved). A reversal ends a review, too."""
    if command["op"] == k.OP_REVERSE and s.payments[payment].state == k.STATE_REVIEW:
        leave_queue(s, payment)
        close(s, payment, k.STATE_VOIDED)
        changed(s, payment)
        return k.OK, k.NONE, np.int64(0)
    held = s.payments[payment].held
    if held == 0:
        return k.NOT_OPEN, k.FIELD_PAYMENT, np.int64(0)
    amount = held if command["op"] == k.OP_REVERSE else _asked_of(command, held)
    if amount > held:
        return k.EXCEEDS_AUTHORISED, k.FIELD_AMOUNT, np.int64(0)
    is_pending = s.payments[payment].state == k.STATE_PENDING
    if is_pending and amount != held:  # the processor decides on all of it, or on nothing
        return k.NOT_OPEN, k.FIELD_PAYMENT, np.int64(0)
    open_account(s, np.int64(s.payments[payment].account))
    s.balances[s.payments[payment].balance].held -= amount
    s.payments[payment].held -= amount
    if s.payments[payment].held == 0:
        leave_queue(s, payment)
        if is_pending:
            decline_pending(s, payment, k.REVERSED, k.STATE_VOIDED, True)
        else:
            _end_voided(s, payment)
    changed(s, payment)
    return k.OK, k.NONE, amount


@kernel
def _end_voided(s, payment):
    """Close a payment of which nothing is held any more; voided whole, the processor has to know of it."""
    if s.payments[payment].captured != 0:
        close(s, payment, k.STATE_CAPTURED)
        return
    forget_as_last(s, payment)
    if s.payments[payment].forwarding == k.FORWARDED:
        s.payments[payment].state = k.STATE_VOIDED
        owe(s, payment)
    else:
        close(s, payment, k.STATE_VOIDED)


@kernel
def _refund(s, command, payment):
    """Give back to the balance what was captured; return (code, field, amount moved)."""
    captured = s.payments[payment].captured
    if captured == 0:
        return k.NOT_OPEN, k.FIELD_PAYMENT, np.int64(0)
    left = captured - s.payments[payment].refunded
    amount = _asked_of(command, left)
    if left == 0 or amount > left:
        return k.EXCEEDS_CAPTURED, k.FIELD_AMOUNT, np.int64(0)
    open_account(s, np.int64(s.payments[payment].account))
    s.balances[s.payments[payment].balance].total += amount
    s.payments[payment].refunded += amount
    changed(s, payment)
    if s.payments[payment].state != k.STATE_OPEN:
        touch(s.closed, s.payments, payment)  # it is the newest change that history has to have
    return k.OK, k.NONE, amount


@kernel
def _keep_operation(s, command, payment, key_at, code, field, amount):
    """Remember an operation under its own key, and tell how it ended."""
    if s.operations_free != 0:
        operation = s.operations_free - 1
        s.operations_free = np.int64(s.operations[operation].next)
    else:
        operation = s.operations_used
        s.operations_used += 1
    s.operations_live += 1
    words, row, of = command["words"], s.operations[operation], s.payments[payment]
    for word in range(2):
        row.key[word] = words[key_at + word]
        row.body[word] = words[BODY + word]
    row.reply_seq = s.seq
    row.amount = amount
    row.captured = of.captured
    row.refunded = of.refunded
    row.held = of.held
    row.approved_amount = of.approved_amount
    row.next = of.operations
    row.code = code
    row.field = field
    row.state = of.state
    row.decision = k.DECISION_APPROVE if code == k.OK else k.DECISION_DECLINE
    of.operations = operation + 1
    of.operation_count += 1
    _tell_operation(s, command, payment, operation, k.NONE)


@kernel
def review(s, command):
    """Approve or decline a payment in review; its first decision stands beside what becomes of it."""
    payment = find_payment(s, command["payment"])
    if payment == NIL:
        _tell_not_found(s, command)
        return
    if s.payments[payment].state != k.STATE_REVIEW:
        _tell_refused(s, command, payment, k.NOT_OPEN, k.FIELD_PAYMENT)
        return
    code, rule, field = k.OK, k.NONE, k.NONE
    if command["kind"] == APPROVE_IT:
        code, rule, field = _may_approve(s, payment)
    if code != k.OK:
        _tell_moved(s, command, payment, code, rule, field, np.int64(0))
        return
    open_payment(s, payment)
    leave_queue(s, payment)
    if command["kind"] == APPROVE_IT:
        approve(s, payment, s.payments[payment].amount)
    else:
        close(s, payment, k.STATE_DECLINED)
    changed(s, payment)
    amount = s.payments[payment].approved_amount
    _tell_moved(s, command, payment, k.OK, k.NONE, k.NONE, amount)


@kernel
def _may_approve(s, payment):
    """Return (code, rule, field) of what speaks against a payment in review; finds what it would count in."""
    found, row = s.found[0], s.payments[payment]
    account, currency = np.int64(row.account), np.int64(row.currency)
    if s.accounts[account].status == k.STATUS_CLOSED:
        return k.CLOSED_ACCOUNT, k.RULE_ACCOUNT_STATUS, k.FIELD_ACCOUNT
    if s.accounts[account].status == k.STATUS_FROZEN:
        return k.FROZEN_ACCOUNT, k.RULE_ACCOUNT_STATUS, k.FIELD_ACCOUNT
    balance = np.int64(row.balance)
    if s.balances[balance].total - s.balances[balance].held < row.amount:
        return k.FUNDS, k.RULE_BALANCE, k.FIELD_AMOUNT
    found.card = find_card(s, payment)
    found.row = find_row(s, np.int64(row.merchant), currency)
    day_sum = np.int64(0)
    if found.row == NIL:
        if s.rows_used == len(s.rows):
            return k.CAPACITY, k.NONE, k.NONE
    elif s.rows[found.row].day == s.now // DAY_MS:
        day_sum = s.rows[found.row].day_sum
    account_sum = total_at(s.balances[balance].sum_24h, s.now // DAY_BUCKET_MS)
    if max(day_sum, account_sum) + row.amount > MONEY_MAX:
        return k.CAPACITY, k.NONE, k.NONE
    return k.OK, k.NONE, k.NONE


@kernel
def _tell_moved(s, command, payment, code, rule, field, amount):
    """Tell of an operation that is not remembered, with the payment as it stands."""
    row = s.payments[payment]
    decision = k.DECISION_APPROVE if code == k.OK else k.DECISION_DECLINE
    first = begin(s, command, at.MOVEMENT_MARK, k.KIND_MOVED)
    total = total_of(s, payment)
    about(s, first, row.payment, row.account_number, amount, row.approved_amount, k.NONE, s.seq, total)
    disclosed, cohort = disclosed_as(s, np.int64(row.merchant), code), np.int64(row.cohort)
    judged(s, first, code, rule, field, np.int64(row.state), decision, cohort, disclosed, k.NONE)
    kind_of_payment(s, first, payment)
    moved(s, first, row.captured, row.refunded, row.held)


@kernel
def _tell_refused(s, command, payment, code, field):
    """Refuse an operation that is not remembered."""
    _tell_moved(s, command, payment, code, k.NONE, field, np.int64(0))


@kernel
def _tell_known(s, command, payment, operation):
    """Answer a repeated operation with what was answered, or as a duplicate where it asks for another."""
    words, row = command["words"], s.operations[operation]
    if row.body[0] == words[BODY] and row.body[1] == words[BODY + 1]:
        _tell_operation(s, command, payment, operation, ONE)
        return
    of = s.payments[payment]
    first = begin(s, command, at.MOVEMENT_MARK, k.KIND_MOVED)
    about(s, first, of.payment, of.account_number, k.NONE, of.approved_amount, k.NONE, row.reply_seq, k.NONE)
    disclosed, cohort = disclosed_as(s, np.int64(of.merchant), k.DUPLICATE), np.int64(of.cohort)
    field, state = k.FIELD_REQUEST_ID, np.int64(row.state)
    judged(s, first, k.DUPLICATE, k.NONE, field, state, k.DECISION_DECLINE, cohort, disclosed, k.NONE)
    kind_of_payment(s, first, payment)
    moved(s, first, of.captured, of.refunded, of.held)


@inlined
def _tell_operation(s, command, payment, operation, replayed):
    row, of = s.operations[operation], s.payments[payment]
    first = begin(s, command, at.MOVEMENT_MARK, k.KIND_MOVED)
    number, total = of.account_number, total_of(s, payment)
    about(s, first, of.payment, number, row.amount, row.approved_amount, k.NONE, row.reply_seq, total)
    code, field, state = np.int64(row.code), np.int64(row.field), np.int64(row.state)
    disclosed, cohort = disclosed_as(s, np.int64(of.merchant), code), np.int64(of.cohort)
    judged(s, first, code, k.NONE, field, state, np.int64(row.decision), cohort, disclosed, replayed)
    kind_of_payment(s, first, payment)
    moved(s, first, row.captured, row.refunded, row.held)


@kernel
def _tell_not_found(s, command):
    payment, field, decision = command["payment"], k.FIELD_PAYMENT, k.DECISION_DECLINE
    _tell_of_none(s, command, payment, k.NOT_FOUND, field, decision, s.seq, k.NONE)


@kernel
def _tell_of_none(s, command, payment, code, field, decision, reply_seq, replayed):
    """Answer an operation for which there is no payment; payment: the one asked for.

    Its codes are disclosed as themselves: an approval always is, and of the other one no merchant is known.
    """
    first = begin(s, command, at.MOVEMENT_MARK, k.KIND_MOVED)
    about(s, first, payment, k.NONE, k.NONE, k.NONE, k.NONE, reply_seq, k.NONE)
    judged(s, first, code, k.NONE, field, k.NONE, decision, k.NONE, k.NONE, replayed)
    of_kind(s, first, k.NONE, k.NONE, k.NONE, k.NONE)
    moved(s, first, k.NONE, k.NONE, k.NONE)


@kernel
def tell_expired(s, command):
    """Tell of payments whose holds have ended, the oldest first, as many as leave with one command."""
    for _ in range(EXPIRED_MAX):
        if s.untold_first == 0:
            return
        payment = np.int64(s.untold_first) - 1
        row = s.payments[payment]
        s.untold_first = row.untold
        if s.untold_first == 0:
            s.untold_last = 0
        row.is_untold = 0
        if row.code == k.PROCESSOR_DOWN:
            tell_settled(s, command, payment)
            continue
        first = begin_untold(s, command, at.MOVEMENT_MARK, k.KIND_EXPIRED)
        amount, total = row.approved_amount - row.captured, total_of(s, payment)
        about(s, first, row.payment, row.account_number, amount, row.approved_amount, k.NONE, s.seq, total)
        code, cohort, decision = np.int64(row.code), np.int64(row.cohort), np.int64(row.decision)
        judged(s, first, code, k.NONE, k.NONE, k.STATE_EXPIRED, decision, cohort, k.NONE, k.NONE)
        kind_of_payment(s, first, payment)
        moved(s, first, row.captured, row.refunded, row.held)
