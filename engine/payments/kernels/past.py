"""The database and the state: what it has may give way, and what is asked for again comes back."""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import (
    MERCHANT,
    RESTORED_APPROVED,
    RESTORED_CAPTURED,
    RESTORED_CODES,
    RESTORED_MATCHED,
    RESTORED_REFUNDED,
    RESTORED_RULESET,
    RESTORED_USER_MATCHED,
)
from engine.payments.kernels.accounts import find_account, find_balance, find_merchant
from engine.payments.kernels.events import (
    BYTE,
    COHORT_BITS,
    DECISION_BITS,
    FIELD_BITS,
    RULE_BITS,
    STATE_BITS,
)
from engine.payments.kernels.holds import begin_payment, claim_payment, close, find_payment, has_room
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.set_up import tell_done
from ringbuf.kernel import inlined, kernel


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
    begin_payment(s, command, payment)
    words, row = command["words"], s.payments[payment]
    account = find_account(s, command["account"])
    row.account = account
    row.balance = NIL if account == NIL else find_balance(s, account, np.int64(command["currency"]))
    row.merchant = find_merchant(s, words[MERCHANT], words[MERCHANT + 1], words[MERCHANT + 2])
    row.approved_amount = words[RESTORED_APPROVED]
    row.captured = words[RESTORED_CAPTURED]
    row.refunded = words[RESTORED_REFUNDED]
    row.ruleset = words[RESTORED_RULESET]
    row.matched = words[RESTORED_MATCHED]
    row.user_matched = words[RESTORED_USER_MATCHED]
    _take_codes(row, words[RESTORED_CODES])
    close(s, payment, (words[RESTORED_CODES] >> STATE_BITS) & BYTE)


@inlined
def _take_codes(row, codes):
    """Write the codes of a payment out of one word."""
    row.code = codes & BYTE
    row.rule = (codes >> RULE_BITS) & BYTE
    row.field = (codes >> FIELD_BITS) & BYTE
    row.decision = (codes >> DECISION_BITS) & BYTE
    row.cohort = (codes >> COHORT_BITS) & BYTE
