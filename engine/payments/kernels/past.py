"""The database and the state: what it has may give way, and what is asked for again comes back."""

import numpy as np

from engine.payments import constants as k
from engine.payments.kernels.accounts import find_account, find_balance, find_merchant
from engine.payments.kernels.holds import changed, claim_payment, close, find_payment, has_room
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.set_up import tell_done
from engine.payments.records import (
    CARD,
    MERCHANT,
    REQUEST_ID,
    REQUEST_ID_WORDS,
    RESTORED_APPROVED,
    RESTORED_CAPTURED,
    RESTORED_CODES,
    RESTORED_MATCHED,
    RESTORED_REFUNDED,
    RESTORED_RULESET,
)
from ringbuf.kernel import inlined, kernel

BYTE, RULE_BITS, FIELD_BITS, STATE_BITS, DECISION_BITS, COHORT_BITS = 0xFF, 8, 16, 24, 32, 40


@kernel
def follow_history(s, command):
    """Take note of how far the database has come."""
    s.history_seq = max(s.history_seq, min(command["payment"], s.seq))
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def restore(s, command):
    """Bring back a closed payment that gave way; one that is there stays as it is."""
    code = k.OK
    if find_payment(s, command["payment"]) == NIL:
        if has_room(s):
            _bring_back(s, command, claim_payment(s, command["payment"]))
        else:
            code = k.CAPACITY
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)


@kernel
def _bring_back(s, command, payment):
    """Write the row of a payment as history has it."""
    words, row = command["words"], s.payments[payment]
    account = find_account(s, command["account"])
    row.account = account
    row.balance = NIL if account == NIL else find_balance(s, account, np.int64(command["currency"]))
    row.merchant = find_merchant(s, words[MERCHANT], words[MERCHANT + 1], words[MERCHANT + 2])
    row.kind = command["kind"]
    row.channel = command["channel"]
    row.exponent = command["exponent"]
    row.approved_amount = words[RESTORED_APPROVED]
    row.captured = words[RESTORED_CAPTURED]
    row.refunded = words[RESTORED_REFUNDED]
    row.held = 0
    row.due = 0
    row.operations = 0
    row.operation_count = 0
    row.ruleset = words[RESTORED_RULESET]
    row.currency = command["currency"]
    _take_codes(row, words[RESTORED_CODES])
    row.amount = command["amount"]
    row.matched = words[RESTORED_MATCHED]
    row.account_number = command["account"]
    for word in range(REQUEST_ID_WORDS):
        row.request_id[word] = words[REQUEST_ID + word]
    for word in range(3):
        row.merchant_name[word] = words[MERCHANT + word]
    row.card[0] = words[CARD]
    row.card[1] = words[CARD + 1]
    row.is_untold = 0
    close(s, payment, (words[RESTORED_CODES] >> STATE_BITS) & BYTE)
    changed(s, payment)


@inlined
def _take_codes(row, codes):
    """Write the codes of a payment out of one word."""
    row.code = codes & BYTE
    row.rule = (codes >> RULE_BITS) & BYTE
    row.field = (codes >> FIELD_BITS) & BYTE
    row.decision = (codes >> DECISION_BITS) & BYTE
    row.cohort = (codes >> COHORT_BITS) & BYTE
