"""Events: every word of an event's slots is written, whatever they held before.

Events of the command being applied are collected in `s.out`, in slots, stamped and numbered as they will
lie in the event ring; the runtime publishes them.
"""

import numpy as np

from engine.contract.spread import COUNT_MASK, IDX_BITS, MARK_WORD, SLOT_WORDS
from engine.payments import constants as k
from engine.payments.kernels import event_forms as at
from ringbuf.kernel import inlined
from ringbuf.layout import GATE_WORD, STAMP_WORD

BYTE, LOW16, LOW32 = 0xFF, 0xFFFF, 0xFFFFFFFF
OP_BITS, FLAGS_BITS, RING_BITS, SESSION_BITS = 8, 16, 24, 32
RULE_BITS, FIELD_BITS, STATE_BITS, DECISION_BITS, COHORT_BITS, DISCLOSED_BITS, REPLAYED_BITS = (
    *(8, 16, 24, 32, 40, 48, 56),
)
CURRENCY_BITS, EXPONENT_BITS, CHANNEL_BITS = 32, 48, 56
BEHIND_MOVED, BEHIND_USER = at.HELD + 1, at.USER_MATCHED + 1
"""The first word of a second slot that its form does not use."""


@inlined
def begin(s, command, mark, kind):
    """Claim the slots of the next event of a command and write who hears of it; return the first slot."""
    op, ring = np.int64(command["op"]), s.ring & BYTE
    first = _claim(
        s, mark, kind | op << OP_BITS | ring << RING_BITS | np.int64(command["session"]) << SESSION_BITS
    )
    s.out[first, at.REQ_SEQ] = command["req_seq"]
    return first


@inlined
def begin_untold(s, command, mark, kind):
    """Claim the slots of an event that answers nobody; return the first slot."""
    return begin_for_ring(s, command, mark, kind, np.int64(BYTE))


@inlined
def begin_for_ring(s, command, mark, kind, ring):
    """Claim the slots of an event that a ring hears of, and none of its sessions; return the first slot."""
    op = np.int64(command["op"])
    first = _claim(s, mark, kind | op << OP_BITS | (ring & BYTE) << RING_BITS)
    s.out[first, at.REQ_SEQ] = 0
    return first


@inlined
def _claim(s, mark, who):
    first = s.out_count
    s.out_count = first + (mark & COUNT_MASK)
    s.out_last = first
    s.out[first, STAMP_WORD] = s.slot_count
    s.slot_count += mark & COUNT_MASK
    s.out[first, GATE_WORD] = s.seq
    s.out[first, MARK_WORD] = (s.event_count << IDX_BITS) | mark
    s.event_count += 1
    s.out[first, at.ENG_TS] = s.eng_ts
    s.out[first, at.KIND] = who
    s.out[first, at.TS_MS] = s.now
    return first


@inlined
def about(s, first, payment, account, amount, approved_amount, matched, reply_seq, total):
    """Write the numbers of an event."""
    s.out[first, at.PAYMENT] = payment
    s.out[first, at.ACCOUNT] = account
    s.out[first, at.AMOUNT] = amount
    s.out[first, at.APPROVED_AMOUNT] = approved_amount
    s.out[first, at.MATCHED] = matched
    s.out[first, at.REPLY_SEQ] = reply_seq
    s.out[first, at.TOTAL] = total


@inlined
def judged(s, first, code, rule, field, state, decision, cohort, disclosed, replayed):
    """Write the codes of an event."""
    word = code | rule << RULE_BITS | field << FIELD_BITS | state << STATE_BITS | decision << DECISION_BITS
    s.out[first, at.CODE] = (
        word | cohort << COHORT_BITS | disclosed << DISCLOSED_BITS | replayed << REPLAYED_BITS
    )


@inlined
def of_kind(s, first, ruleset, currency, exponent, channel):
    """Write which rules judged, and what kind of money and of payment it is about."""
    low = (ruleset & LOW32) | (currency & LOW16) << CURRENCY_BITS
    s.out[first, at.RULESET] = low | (exponent & BYTE) << EXPONENT_BITS | (channel & BYTE) << CHANNEL_BITS


@inlined
def kind_of_command(s, command, first, ruleset):
    """Write the same of the money and the channel that a PAY is about."""
    currency, exponent = np.int64(command["currency"]), np.int64(command["exponent"])
    of_kind(s, first, ruleset, currency, exponent, np.int64(command["channel"]))


@inlined
def moved(s, first, captured, refunded, held):
    """Write the second slot of an event: what its payment has moved and still holds."""
    slot = _second(s, first)
    s.out[slot, at.CAPTURED] = captured
    s.out[slot, at.REFUNDED] = refunded
    s.out[slot, at.HELD] = held
    for word in range(BEHIND_MOVED, SLOT_WORDS):
        s.out[slot, word] = 0


@inlined
def mark_of(user_matched):
    """Return the mark of a decision: user rules that matched need a second slot."""
    return at.DECISION_MARK if user_matched == 0 else at.USER_MARK


@inlined
def by_user_rules(s, first, user_matched):
    """Write the second slot of a decision in which user rules matched."""
    if user_matched == 0:
        return
    slot = _second(s, first)
    s.out[slot, at.USER_MATCHED] = user_matched
    for word in range(BEHIND_USER, SLOT_WORDS):
        s.out[slot, word] = 0


@inlined
def _second(s, first):
    """Begin the second slot of an event."""
    slot = first + 1
    s.out[slot, STAMP_WORD] = s.out[first, STAMP_WORD] + 1
    s.out[slot, GATE_WORD] = s.seq
    return slot


@inlined
def finish(s):
    """Mark the last event of the command."""
    if s.out_count > s.out_first:
        s.out[s.out_last, at.KIND] |= k.FLAG_LAST << FLAGS_BITS
