"""Set up merchants, accounts, lists and deposits.

A line about a merchant or an account may come as several commands. The parts before the last one are staged
in rows of their own, under a number that the first part of a line has raised; the last command lets those
of this line hold and lifts what it does not name. A line that never came to its end changes nothing.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import (
    BALANCE_ROW_WORDS,
    BODY,
    CARD_TYPES_SHIFT,
    COUNTRY_WORDS,
    DISCLOSE_WORDS,
    KEY,
    LIMIT_ROW_WORDS,
    MERCHANT_CHANNELS,
    MERCHANT_COUNTRIES,
    MERCHANT_DISCLOSE,
    MERCHANT_HOLD_DAYS,
    MERCHANT_MCC,
    MERCHANT_NAME,
    MERCHANT_PARAMS_MAX,
    MERCHANT_STATUS,
    MERCHANT_WORDS,
    PARAM_ROW_WORDS,
    PART_BEGINS,
    PERMIT_WORDS,
)
from engine.payments.kernels import event_forms as at
from engine.payments.kernels.accounts import (
    account_bucket_of,
    add_balance,
    add_row,
    find_account,
    find_balance,
    find_merchant,
    find_row,
    lift_limits,
    merchant_bucket_of,
)
from engine.payments.kernels.answers import find_answer, keep, remember_bare
from engine.payments.kernels.events import about, begin, judged, of_kind
from engine.payments.kernels.holds import open_account
from engine.payments.kernels.listing import put_on, take_off
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import link
from engine.payments.records import LIST_REMOVE, MONEY_MAX
from ringbuf.kernel import inlined, kernel

ONE = np.int64(1)
BYTE = 0xFF
CURRENCY_MASK, EXPONENT_SHIFT = 0xFFFF, 16


@kernel
def tell_done(s, command, code, field, reply_seq, replayed):
    """Answer a set-up command."""
    first = begin(s, command, at.DECISION_MARK, k.KIND_DONE)
    about(s, first, k.NONE, command["account"], command["amount"], k.NONE, k.NONE, reply_seq, k.NONE)
    decision = k.DECISION_APPROVE if code == k.OK else k.DECISION_DECLINE
    judged(s, first, code, k.NONE, field, k.NONE, decision, k.NONE, k.NONE, replayed)
    currency, exponent = np.int64(command["currency"]), np.int64(command["exponent"])
    of_kind(s, first, s.ruleset, currency, exponent, k.NONE)


@inlined
def _done(s, command, code):
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)


@kernel
def _merchant_of(s, command):
    """Return the row of the merchant that a line names, a new one where there is none; NIL: no room."""
    words = command["words"]
    first, second, third = words[MERCHANT_NAME], words[MERCHANT_NAME + 1], words[MERCHANT_NAME + 2]
    merchant = find_merchant(s, first, second, third)
    if merchant == NIL:
        merchant = s.merchants_used
        if merchant == len(s.merchants):
            return NIL
        s.merchants_used += 1
        bucket = merchant_bucket_of(s, first, second, third)
        link(s.merchant_bucket, s.merchants, bucket, merchant)
        s.merchants[merchant].name[0] = first
        s.merchants[merchant].name[1] = second
        s.merchants[merchant].name[2] = third
    if command["options"] & PART_BEGINS:
        s.merchants[merchant].staging += 1
        for word in range(PERMIT_WORDS):
            s.merchants[merchant].staged_currencies[word] = 0
        for place in range(MERCHANT_PARAMS_MAX):
            s.merchants[merchant].staged_params[place, 0] = 0
            s.merchants[merchant].staged_params[place, 1] = 0
    return merchant


@kernel
def merchant_limits(s, command):
    """Stage limits of a merchant in some currencies."""
    merchant, words = _merchant_of(s, command), command["words"]
    if merchant == NIL:
        _done(s, command, k.CAPACITY)
        return
    for place in range(command["payment"]):
        word = MERCHANT_WORDS + place * LIMIT_ROW_WORDS
        row = find_row(s, merchant, words[word])
        if row == NIL:
            row = add_row(s, merchant, words[word])
        if row == NIL:
            _done(s, command, k.CAPACITY)
            return
        for limit in range(LIMIT_ROW_WORDS - 1):
            s.rows[row].staged[limit] = words[word + 1 + limit]
        s.rows[row].staging = s.merchants[merchant].staging
    _done(s, command, k.OK)


@kernel
def merchant_permits(s, command):
    """Stage the currencies that a merchant lists."""
    merchant, words = _merchant_of(s, command), command["words"]
    if merchant == NIL:
        _done(s, command, k.CAPACITY)
        return
    for word in range(PERMIT_WORDS):
        s.merchants[merchant].staged_currencies[word] = words[MERCHANT_WORDS + word]
    _done(s, command, k.OK)


@kernel
def merchant_params(s, command):
    """Stage what params of user rules are at a merchant."""
    merchant, words = _merchant_of(s, command), command["words"]
    if merchant == NIL:
        _done(s, command, k.CAPACITY)
        return
    for place in range(min(command["payment"], np.int64(MERCHANT_PARAMS_MAX))):
        word = MERCHANT_WORDS + place * PARAM_ROW_WORDS
        s.merchants[merchant].staged_params[place, 0] = words[word]
        s.merchants[merchant].staged_params[place, 1] = words[word + 1]
    _done(s, command, k.OK)


@kernel
def merchant(s, command):
    """Let a line about a merchant hold: what it says itself, and the parts staged before it."""
    which, words = _merchant_of(s, command), command["words"]
    if which == NIL:
        _done(s, command, k.CAPACITY)
        return
    row, kinds = s.merchants[which], words[MERCHANT_CHANNELS]
    row.is_defined = 1
    row.status = words[MERCHANT_STATUS]
    row.channels = kinds & BYTE
    row.card_types = (kinds >> CARD_TYPES_SHIFT) & BYTE
    row.hold_days = words[MERCHANT_HOLD_DAYS]
    row.mcc = words[MERCHANT_MCC]
    for word in range(COUNTRY_WORDS):
        row.countries[word] = words[MERCHANT_COUNTRIES + word]
    for word in range(DISCLOSE_WORDS):
        row.disclose[word] = words[MERCHANT_DISCLOSE + word]
    for word in range(PERMIT_WORDS):
        row.currencies[word] = row.staged_currencies[word]
    for place in range(MERCHANT_PARAMS_MAX):
        row.params[place, 0] = row.staged_params[place, 0]
        row.params[place, 1] = row.staged_params[place, 1]
    of = np.int64(row.rows) - 1
    while of != NIL:
        if s.rows[of].staging == row.staging:
            staged = s.rows[of].staged
            s.rows[of].amount_min = staged[0]
            s.rows[of].amount_max = staged[1]
            s.rows[of].daily = staged[2]
            s.rows[of].sca_above = staged[3]
            s.rows[of].geo_above = staged[4]
        else:
            lift_limits(s, of)
        of = np.int64(s.rows[of].next) - 1
    row.staging += 1
    _done(s, command, k.OK)


@kernel
def _account_of(s, command):
    """Return the row of the account that a line names, a new one where there is none; NIL: no room."""
    account = find_account(s, command["account"])
    if account == NIL:
        account = s.accounts_used
        if account == len(s.accounts):
            return NIL
        s.accounts_used += 1
        bucket = account_bucket_of(s, command["account"])
        link(s.account_bucket, s.accounts, bucket, account)
        s.accounts[account].account = command["account"]
        s.accounts[account].count_limit = NIL
    if command["options"] & PART_BEGINS:
        s.accounts[account].staging += 1
    return account


@kernel
def account_balances(s, command):
    """Stage limits of an account in some currencies, and what it has at its creation."""
    account, words = _account_of(s, command), command["words"]
    if account == NIL:
        _done(s, command, k.CAPACITY)
        return
    open_account(s, account)
    for place in range(command["payment"]):
        word = place * BALANCE_ROW_WORDS
        currency = words[word] & CURRENCY_MASK
        balance = find_balance(s, account, currency)
        if balance == NIL:
            balance = add_balance(s, account, currency, words[word] >> EXPONENT_SHIFT)
        if balance == NIL:
            _done(s, command, k.CAPACITY)
            return
        for value in range(BALANCE_ROW_WORDS - 1):
            s.balances[balance].staged[value] = words[word + 1 + value]
        s.balances[balance].staging = s.accounts[account].staging
    _done(s, command, k.OK)


@kernel
def account(s, command):
    """Let a line about an account hold; what it has is set at its creation only."""
    which = _account_of(s, command)
    if which == NIL:
        _done(s, command, k.CAPACITY)
        return
    open_account(s, which)
    row = s.accounts[which]
    is_new = row.status == k.NONE
    row.status = command["kind"]
    row.count_limit = command["amount"]
    of = np.int64(row.balances) - 1
    while of != NIL:
        is_named = s.balances[of].staging == row.staging
        staged = s.balances[of].staged
        s.balances[of].amount_min = staged[1] if is_named else NIL
        s.balances[of].amount_max = staged[2] if is_named else NIL
        s.balances[of].sum_limit = staged[3] if is_named else NIL
        if is_new and is_named:
            s.balances[of].total = staged[0]
            s.balances[of].deposited = staged[0]
        of = np.int64(s.balances[of].next) - 1
    row.staging += 1
    _done(s, command, k.OK)


@kernel
def put_on_list(s, command):
    """Put keys on a list, or take them off it."""
    words, kind = command["words"], np.int64(command["kind"])
    for place in range(command["payment"]):
        first, second = words[2 * place], words[2 * place + 1]
        if command["options"] & LIST_REMOVE:
            take_off(s, kind, first, second)
        elif not put_on(s, kind, first, second):
            _done(s, command, k.CAPACITY)
            return
    _done(s, command, k.OK)


@kernel
def deposit(s, command):
    """Bring money to a balance, or take out what is available."""
    words = command["words"]
    answer = find_answer(s, words[KEY], words[KEY + 1])
    if answer != NIL:
        row = s.answers[answer]
        if row.body[0] == words[BODY] and row.body[1] == words[BODY + 1]:
            tell_done(s, command, np.int64(row.code), np.int64(row.field), row.reply_seq, ONE)
        else:
            tell_done(s, command, k.DUPLICATE, k.NONE, row.reply_seq, k.NONE)
        return
    code, field = _deposited(s, command)
    if code != k.CAPACITY:
        _keep_deposit(s, command, code, field)
    tell_done(s, command, code, field, s.seq, k.NONE)


@kernel
def _deposited(s, command):
    """Move the money; return (code, field)."""
    which = find_account(s, command["account"])
    if which == NIL or s.accounts[which].status == k.NONE:
        return k.NO_ACCOUNT, k.FIELD_ACCOUNT
    currency, amount = np.int64(command["currency"]), command["amount"]
    balance = find_balance(s, which, currency)
    if balance == NIL:
        if amount < 0:
            return k.FUNDS, k.FIELD_AMOUNT
        balance = add_balance(s, which, currency, np.int64(command["exponent"]))
        if balance == NIL:
            return k.CAPACITY, k.NONE
    row = s.balances[balance]
    if row.total - row.held + amount < 0:
        return k.FUNDS, k.FIELD_AMOUNT
    if row.deposited + amount > MONEY_MAX:
        return k.CAPACITY, k.NONE
    open_account(s, which)
    row.total += amount
    row.deposited += amount
    return k.OK, k.NONE


@kernel
def _keep_deposit(s, command, code, field):
    words = command["words"]
    answer = remember_bare(s, words[KEY], words[KEY + 1])
    row = s.answers[answer]
    row.body[0] = words[BODY]
    row.body[1] = words[BODY + 1]
    row.amount = command["amount"]
    row.ruleset = s.ruleset
    row.currency = command["currency"]
    row.exponent = command["exponent"]
    row.code = code
    row.field = field
    row.decision = k.DECISION_APPROVE if code == k.OK else k.DECISION_DECLINE
    keep(s, answer)
