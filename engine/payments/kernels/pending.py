"""Pending payments: approved and held, while a processor is asked whether it approves them too.

PAY  ->  pending  ->  open or captured    it approves (outcomes.py)
                  ->  declined            PROCESSOR_DECLINED, or without an answer in time PROCESSOR_DOWN
                  ->  voided              REVERSED, by a void or a reversal meanwhile

Where the processor may hold what is given back here, a reversal is owed: the payment stands among the owed
ones, and gives way to no other, until the processor has confirmed it.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.kernels.answers import take_decline
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import append, find_pair, take_out
from ringbuf.kernel import inlined, kernel


@kernel
def decline_pending(s, at, code, state, owes):
    """Give a pending payment that holds nothing any more, and stands in no queue, an end without approval."""
    row = s.payments[at]
    s.pending_count -= 1
    row.code = code
    row.decision = k.DECISION_DECLINE
    row.approved_amount = 0
    row.state = state
    answer = answer_of(s, at)
    if answer != NIL:
        take_decline(s, answer, code, state)
    forget_as_last(s, at)
    if owes:
        owe(s, at)
    else:
        append(s.closed, s.payments, at)


@inlined
def answer_of(s, at):
    """Return the remembered reply to a pending payment, or NIL where that has given way."""
    answer = np.int64(s.payments[at].answer) - 1
    if answer != NIL and s.answers[answer].payment != s.payments[at].payment:
        answer = NIL
    return answer


@inlined
def owe(s, at):
    """Note that the reversal of a payment is owed, which holds nothing and stands in no queue."""
    s.payments[at].forwarding = k.REVERSAL_OWED
    append(s.owed, s.payments, at)
    s.owed_count += 1


@inlined
def pay_off(s, at):
    """Note that the reversal of a payment is confirmed: it is a closed one like others."""
    s.payments[at].forwarding = k.REVERSAL_CONFIRMED
    take_out(s.owed, s.payments, at)
    s.owed_count -= 1
    append(s.closed, s.payments, at)


@inlined
def forget_as_last(s, at):
    """Note that the card's last approved payment came to nothing, where it is this one."""
    key = s.payments[at].card
    card = find_pair(s.card_bucket, s.cards, key[0], key[1])
    if card != NIL and s.cards[card].last_payment == s.payments[at].payment:
        s.cards[card].last_is_voided = 1
