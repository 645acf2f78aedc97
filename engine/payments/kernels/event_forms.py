"""The forms in which EVENTs lie in slots of 128 bytes (engine/contract/spread.py), and their words.

form      slots   of which events
DECISION  1       DECIDED, DISAGREED, TRIAL, DONE, REJECTED
USER      2       DECIDED, DISAGREED where user rules matched: which ones stands behind
MOVEMENT  2       MOVED, EXPIRED, SETTLED: what was captured, refunded and is held stands behind
"""

from engine.contract.spread import FORM_BITS, Form, Spread, place_in
from engine.payments.records import EVENT

_FIRST = (
    *("eng_ts", "kind", "req_seq", "payment", "account", "amount", "approved_amount", "matched"),
    *("code", "ruleset", "reply_seq", "ts_ms", "total"),
)
DECISION_FORM = Form((_FIRST,))
MOVEMENT_FORM = Form((_FIRST, ("captured", "refunded", "held")))
USER_FORM = Form((_FIRST, ("user_matched",)))
FORMS = (DECISION_FORM, MOVEMENT_FORM, USER_FORM)
DECISION, MOVEMENT, USER = range(len(FORMS))
SPREAD = Spread(EVENT, FORMS)


def _mark(form: int) -> int:
    """Return the lower bits of the mark of an event of this form."""
    return form << FORM_BITS | len(FORMS[form].slots)


DECISION_MARK, MOVEMENT_MARK, USER_MARK = map(_mark, (DECISION, MOVEMENT, USER))


def _word(name: str, form: Form = DECISION_FORM) -> int:
    return place_in(form, EVENT, name)


ENG_TS, KIND, REQ_SEQ, PAYMENT, ACCOUNT, AMOUNT = map(
    _word, ("eng_ts", "kind", "req_seq", "payment", "account", "amount")
)
APPROVED_AMOUNT, MATCHED, CODE, RULESET, REPLY_SEQ, TS_MS, TOTAL = map(
    _word, ("approved_amount", "matched", "code", "ruleset", "reply_seq", "ts_ms", "total")
)
"""Words of the first slot. KIND holds kind, op, flags, ring and session, CODE what follows `code` up to
`replayed`, RULESET currency, exponent and channel too: lowest byte first, as they stand in an EVENT."""
CAPTURED, REFUNDED, HELD = (_word(name, MOVEMENT_FORM) for name in ("captured", "refunded", "held"))
"""Words of the second slot of a MOVEMENT."""
USER_MATCHED = _word("user_matched", USER_FORM)
"""The word of the second slot of USER."""
