"""What was answered, for whoever asks the same again (the rule `idempotency`).

Answers are found by the hash of (merchant, request_id), a deposit's by that of (account, id). Where no row
is free the oldest decline gives way, or, where there is none, the oldest of all; one older than a day first.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import append, find_pair, link, take_out, unlink
from engine.payments.kernels.windows import DAY_MS
from ringbuf.kernel import inlined, kernel


@inlined
def find_answer(s, first, second):
    """Return the answer that is remembered under a key, or NIL: also where it is a day old."""
    at = find_pair(s.answer_bucket, s.answers, first, second)
    if at != NIL and s.now - s.answers[at].at >= DAY_MS:
        at = NIL
    return at


@inlined
def is_decline(s, at):
    """Tell whether an answer stands among the declines."""
    return s.answers[at].decision == k.DECISION_DECLINE


@inlined
def remember(s, first, second):
    """Return the row that an answer under this key goes to, in no order yet; it may have been another's."""
    at = find_pair(s.answer_bucket, s.answers, first, second)
    if at != NIL:  # a day old, or a reversal whose payment has come
        _leave(s, at)
        return at
    at = s.answers_used
    if at == len(s.answers):
        at = _give_way(s)
    else:
        s.answers_used += 1
    s.answers[at].key[0] = first
    s.answers[at].key[1] = second
    link(s.answer_bucket, s.answers, first & (len(s.answer_bucket) - 1), at)
    return at


@kernel
def remember_bare(s, first, second):
    """Return the row of an answer of this command that is about no payment, in no order yet: all zeros but
    for its key, T and seq."""
    at = remember(s, first, second)
    row = s.answers[at]
    row.body[0] = 0
    row.body[1] = 0
    row.at = s.now
    row.payment = 0
    row.reply_seq = s.seq
    row.matched = 0
    row.user_matched = 0
    row.amount = 0
    row.approved_amount = 0
    row.ruleset = 0
    row.currency = 0
    row.exponent = 0
    row.is_reversal = 0
    row.code = 0
    row.rule = 0
    row.field = 0
    row.state = 0
    row.decision = 0
    row.cohort = 0
    return at


@inlined
def keep(s, at):
    """Put an answer that has its decision behind the newest of its kind."""
    if is_decline(s, at):
        append(s.decline_table, s.answers, at)
    else:
        append(s.approval_table, s.answers, at)


@kernel
def take_decline(s, at, code, state):
    """Let an answer that approved be that of a decline, with nothing approved; it is told from now on."""
    take_out(s.approval_table, s.answers, at)
    row = s.answers[at]
    row.decision = k.DECISION_DECLINE
    row.code = code
    row.state = state
    row.approved_amount = 0
    append(s.decline_table, s.answers, at)


@inlined
def _leave(s, at):
    if is_decline(s, at):
        take_out(s.decline_table, s.answers, at)
    else:
        take_out(s.approval_table, s.answers, at)


@kernel
def _give_way(s):
    """Forget an answer and return its row."""
    at = np.int64(s.approval_table.oldest) - 1
    is_old = at != NIL and s.now - s.answers[at].at >= DAY_MS
    if not is_old and s.decline_table.oldest != 0:
        at = np.int64(s.decline_table.oldest) - 1
    _leave(s, at)
    if s.now - s.answers[at].at < DAY_MS:
        s.approval_table.early += 1
    unlink(s.answer_bucket, s.answers, s.answers[at].key[0] & (len(s.answer_bucket) - 1), at)
    return at
