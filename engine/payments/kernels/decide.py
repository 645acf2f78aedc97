"""Decide an authorise or a sale: what is remembered, room, the rules, then all that follows from it."""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import BODY, KEY, MERCHANT
from engine.payments.kernels import event_forms as at
from engine.payments.kernels.accounts import add_row, find_merchant
from engine.payments.kernels.answers import find_answer, keep, remember
from engine.payments.kernels.attempts import count_attempt
from engine.payments.kernels.evaluate import ONE
from engine.payments.kernels.events import about, begin, by_user_rules, judged, kind_of_command, mark_of
from engine.payments.kernels.gather import gather
from engine.payments.kernels.holds import (
    begin_payment,
    claim_payment,
    close,
    has_room,
    open_account,
    queue,
    queue_pending,
)
from engine.payments.kernels.judge import IDEMPOTENCY_BIT, judge
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import find_pair
from engine.payments.kernels.trials import count_unserved, judge_beside, tell_trial
from engine.payments.kernels.windows import DAY_BUCKET_MS, DAY_MS, add_at, total_at
from engine.payments.records import FORWARDS, MONEY_MAX
from engine.trials.kernels import is_live
from ringbuf.kernel import inlined, kernel

BYTE_BITS, BYTE = 3, 0xFF


@inlined
def pay(s, command):
    """Answer a PAY from what is remembered, or decide it."""
    words = command["words"]
    remembered = find_answer(s, words[KEY], words[KEY + 1])
    is_reversed = remembered != NIL and s.answers[remembered].is_reversal != 0
    if remembered != NIL and not is_reversed:
        _tell_remembered(s, command, remembered)
        return
    gather(s, command)
    if _lacks_room(s):
        _tell_capacity(s, command)
        return
    rules = s.rulesets[s.governing]
    decision, code, rule, field, matched, user, approved_amount = judge(s, command, rules, is_reversed)
    ruleset, cohort = s.ruleset, k.NONE
    is_on_trial = is_live(s.trial[0])
    if is_on_trial:
        decision, code, rule, field, matched, user, approved_amount, ruleset, cohort = judge_beside(
            s, command, is_reversed, decision, code, rule, field, matched, user, approved_amount
        )
    count_attempt(s, command, decision == k.DECISION_DECLINE)
    payment = claim_payment(s, s.seq)
    _fill(s, command, payment, decision, code, rule, field, matched, user, ruleset, cohort)
    if decision == k.DECISION_APPROVE:
        if command["options"] & FORWARDS:
            _hold_pending(s, command, payment, approved_amount)
        else:
            approve(s, payment, approved_amount)
    elif decision == k.DECISION_REVIEW:
        s.payments[payment].state = k.STATE_REVIEW
        queue(s, payment, hold_days_of(s, payment))
    else:
        close(s, payment, k.STATE_DECLINED if decision == k.DECISION_DECLINE else k.STATE_STEP_UP)
    _keep_answer(s, words, payment)
    _tell_decided(s, command, payment)
    if is_on_trial:
        tell_trial(s, command, payment)


@inlined
def _lacks_room(s):
    """Tell whether a table is full that this payment needs a row of, or a sum would grow too large."""
    ctx, found = s.context[0], s.found[0]
    needs_row = found.merchant != NIL and found.row == NIL
    is_too_much = ctx.account_sum_24h > MONEY_MAX or ctx.merchant_daily > MONEY_MAX
    return (needs_row and s.rows_used == len(s.rows)) or is_too_much or not has_room(s)


@inlined
def _fill(s, command, payment, decision, code, rule, field, matched, user, ruleset, cohort):
    """Write a new payment's row; what a later state brings is 0."""
    begin_payment(s, command, payment)
    found, row = s.found[0], s.payments[payment]
    row.account = found.account
    row.balance = found.balance
    row.merchant = found.merchant
    row.approved_amount = 0
    row.captured = 0
    row.refunded = 0
    row.ruleset = ruleset
    row.code = code
    row.rule = rule
    row.field = field
    row.decision = decision
    row.cohort = cohort
    row.matched = matched
    row.user_matched = user


@inlined
def hold_days_of(s, payment):
    """Return how many days the merchant of a payment lets it hold; it is known."""
    return np.int64(s.merchants[s.payments[payment].merchant].hold_days)


@inlined
def approve(s, payment, amount):
    """Hold an amount for a payment that stands in no queue, or capture it at once; count it as approved."""
    balance = np.int64(s.payments[payment].balance)
    open_account(s, np.int64(s.payments[payment].account))
    s.payments[payment].approved_amount = amount
    _count_approved(s, payment, balance, amount)
    if s.payments[payment].kind == k.SALE:
        s.balances[balance].total -= amount
        s.payments[payment].captured = amount
        close(s, payment, k.STATE_CAPTURED)
    else:
        s.balances[balance].held += amount
        s.payments[payment].held = amount
        s.payments[payment].state = k.STATE_OPEN
        queue(s, payment, hold_days_of(s, payment))


@kernel
def _hold_pending(s, command, payment, amount):
    """Hold an amount until the processor answers; it counts as approved from now on."""
    balance = np.int64(s.payments[payment].balance)
    open_account(s, np.int64(s.payments[payment].account))
    s.payments[payment].approved_amount = amount
    _count_approved(s, payment, balance, amount)
    s.balances[balance].held += amount
    s.payments[payment].held = amount
    s.payments[payment].state = k.STATE_PENDING
    s.payments[payment].forwarding = k.FORWARDED
    s.payments[payment].ring = s.ring
    queue_pending(s, payment, command["payment"])


@inlined
def _count_approved(s, payment, balance, amount):
    """Enter an approval into the sums of account and merchant, and as the card's last one."""
    day = s.now // DAY_BUCKET_MS
    total_at(s.balances[balance].sum_24h, day)
    add_at(s.balances[balance].sum_24h, day, amount)
    merchant, row = np.int64(s.payments[payment].merchant), s.found[0].row
    if row == NIL:
        row = add_row(s, merchant, np.int64(s.payments[payment].currency))
    if s.rows[row].day != s.now // DAY_MS:
        s.rows[row].day = s.now // DAY_MS
        s.rows[row].day_sum = 0
    s.rows[row].day_sum += amount
    card = s.found[0].card
    if card == NIL:
        return
    s.cards[card].last_merchant = merchant
    s.cards[card].last_at = s.now
    s.cards[card].last_amount = amount
    s.cards[card].last_payment = s.payments[payment].payment
    s.cards[card].last_currency = s.payments[payment].currency
    s.cards[card].last_is_voided = 0


@inlined
def find_card(s, payment):
    """Return the row of a payment's card, or NIL where it has given way."""
    key = s.payments[payment].card
    return find_pair(s.card_bucket, s.cards, key[0], key[1])


@inlined
def _keep_answer(s, words, payment):
    """Remember the reply to a payment that this command has decided."""
    answer = remember(s, words[KEY], words[KEY + 1])
    row, decided = s.answers[answer], s.payments[payment]
    if decided.state == k.STATE_PENDING:
        decided.answer = answer + 1  # it will be told otherwise
    row.body[0] = words[BODY]
    row.body[1] = words[BODY + 1]
    row.at = s.now
    row.payment = decided.payment
    row.reply_seq = s.seq
    row.matched = decided.matched
    row.user_matched = decided.user_matched
    row.amount = decided.amount
    row.approved_amount = decided.approved_amount
    row.ruleset = decided.ruleset
    row.currency = decided.currency
    row.exponent = decided.exponent
    row.is_reversal = 0
    row.code = decided.code
    row.rule = decided.rule
    row.field = decided.field
    row.state = decided.state
    row.decision = decided.decision
    row.cohort = decided.cohort
    keep(s, answer)


@inlined
def disclosed_as(s, merchant, code):
    """Return the place in ISO_CODES of what an acquirer reads instead of a code, 0 for the code itself."""
    if merchant == NIL:
        return np.int64(0)
    return (s.merchants[merchant].disclose[code >> BYTE_BITS] >> ((code & 7) << BYTE_BITS)) & BYTE


@inlined
def total_of(s, payment):
    """Return the balance's total of a payment's account, 0 where it has none."""
    balance = np.int64(s.payments[payment].balance)
    return np.int64(0) if balance == NIL else s.balances[balance].total


@inlined
def _tell_decided(s, command, payment):
    row = s.payments[payment]
    first = begin(s, command, mark_of(row.user_matched), k.KIND_DECIDED)
    total = total_of(s, payment)
    about(
        s, first, row.payment, row.account_number, row.amount, row.approved_amount, row.matched, s.seq, total
    )
    code, rule, field = np.int64(row.code), np.int64(row.rule), np.int64(row.field)
    state, decision, cohort = np.int64(row.state), np.int64(row.decision), np.int64(row.cohort)
    disclosed = disclosed_as(s, np.int64(row.merchant), code)
    judged(s, first, code, rule, field, state, decision, cohort, disclosed, k.NONE)
    by_user_rules(s, first, row.user_matched)
    kind_of_command(s, command, first, np.int64(row.ruleset))


@kernel
def _tell_remembered(s, command, answer):
    """Answer a repeated request with what was answered, or as a duplicate where it asks for another thing."""
    words, row = command["words"], s.answers[answer]
    payment, matched = row.payment, row.matched
    is_same = row.body[0] == words[BODY] and row.body[1] == words[BODY + 1]
    merchant = _merchant_of(s, words)
    user = row.user_matched if is_same else np.int64(0)
    first = begin(s, command, mark_of(user), k.KIND_DECIDED)
    by_user_rules(s, first, user)
    state, cohort = np.int64(row.state), np.int64(row.cohort)
    account, amount, ruleset = command["account"], command["amount"], np.int64(row.ruleset)
    if is_same:
        code = np.int64(row.code)
        about(s, first, payment, account, amount, row.approved_amount, matched, row.reply_seq, k.NONE)
        rule, field, decision = np.int64(row.rule), np.int64(row.field), np.int64(row.decision)
        disclosed = disclosed_as(s, merchant, code)
        judged(s, first, code, rule, field, state, decision, cohort, disclosed, ONE)
    else:
        about(s, first, payment, account, amount, k.NONE, IDEMPOTENCY_BIT, row.reply_seq, k.NONE)
        rule, field, decision = k.RULE_IDEMPOTENCY, k.FIELD_REQUEST_ID, k.DECISION_DECLINE
        disclosed = disclosed_as(s, merchant, k.DUPLICATE)
        judged(s, first, k.DUPLICATE, rule, field, state, decision, cohort, disclosed, k.NONE)
    kind_of_command(s, command, first, ruleset)


@kernel
def _merchant_of(s, words):
    return find_merchant(s, words[MERCHANT], words[MERCHANT + 1], words[MERCHANT + 2])


@kernel
def _tell_capacity(s, command):
    """Refuse for want of room: nothing has changed but what a canary counts."""
    count_unserved(s, command)
    first = begin(s, command, at.DECISION_MARK, k.KIND_DECIDED)
    about(s, first, k.NONE, command["account"], command["amount"], k.NONE, k.NONE, s.seq, k.NONE)
    disclosed = disclosed_as(s, s.found[0].merchant, k.CAPACITY)
    judged(s, first, k.CAPACITY, k.NONE, k.NONE, k.NONE, k.DECISION_DECLINE, k.NONE, disclosed, k.NONE)
    kind_of_command(s, command, first, s.ruleset)
