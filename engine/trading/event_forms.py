"""The forms in which EVENTs lie in slots of 128 bytes (engine/contract/spread.py), and their words.

    form            slots   of which events
    PLAIN           1       ACCEPTED, REJECTED, DONE, PHASE, LATCHED
    CANCELLED       1       CANCELLED: it has no `qty`, so its `notional` lies there
    REPLACED        1       REPLACED of an order without fills: `leaves_qty` is `qty`
    WHOLE           2       the same kinds where a text is given, and REPLACED of an order with fills;
                            REJECTED of a movement of money
    PREVENTED       2       PREVENTED: taker and maker have one account, and there are no fees
    TRADE           2       TRADE, neither order with a text
    TRADE_OF_TEXTS  3       TRADE, an order with a text at least
    MOVED           2       MOVED: money, whose it was and whose it is
    PREVENTED_APART 2       PREVENTED: taker and maker are two accounts of one group

Most commands make events of one slot alone, which is half of what a whole EVENT takes.
"""

from engine.contract.spread import FORM_BITS, Form, Spread, place_in
from engine.trading.records import EVENT

_WHO = ("eng_ts", "kind", "instrument", "req_seq", "account", "order_id", "client_order_id", "px")
_FIRST = (*_WHO, "qty", "cum_qty", "leaves_qty", "md_seq", "maker_session")
_MAKER = ("maker_order_id", "maker_client_order_id", "maker_cum_qty", "maker_leaves_qty", "maker_notional")
_TEXTS = ("text", "maker_text")

PLAIN_FORM = Form((_FIRST,))
CANCELLED_FORM = Form(((*_WHO, "notional", "cum_qty", "leaves_qty", "md_seq", "maker_session"),))
REPLACED_FORM = Form(
    ((*_WHO, "qty", "prev_px", "prev_qty", "md_seq", "maker_session"),), {"leaves_qty": "qty"}
)
WHOLE_FORM = Form((_FIRST, ("notional", "prev_px", "prev_qty", "text")))
PREVENTED_FORM = Form((_FIRST, ("notional", *_MAKER, *_TEXTS)), {"maker_account": "account"})
_TRADED = ("notional", *_MAKER, "maker_account", "fee", "maker_fee")
TRADE_FORM = Form((_FIRST, _TRADED))
TRADE_OF_TEXTS_FORM = Form((_FIRST, _TRADED, _TEXTS))
MOVED_FORM = Form((_FIRST, ("maker_account", "text")))
PREVENTED_APART_FORM = Form((_FIRST, ("notional", *_MAKER, *_TEXTS, "maker_account")))

FORMS = (
    *(PLAIN_FORM, CANCELLED_FORM, REPLACED_FORM, WHOLE_FORM),
    *(PREVENTED_FORM, TRADE_FORM, TRADE_OF_TEXTS_FORM, MOVED_FORM),
    PREVENTED_APART_FORM,
)
PLAIN, CANCELLED, REPLACED, WHOLE, PREVENTED, TRADE, TRADE_OF_TEXTS, MOVED, PREVENTED_APART = range(
    len(FORMS)
)
SPREAD = Spread(EVENT, FORMS)


def _mark(form: int) -> int:
    """Return the lower bits of the mark of an event of this form."""
    return form << FORM_BITS | len(FORMS[form].slots)


PLAIN_MARK, CANCELLED_MARK, REPLACED_MARK, WHOLE_MARK = map(_mark, (PLAIN, CANCELLED, REPLACED, WHOLE))
PREVENTED_MARK, TRADE_MARK, TRADE_OF_TEXTS_MARK = map(_mark, (PREVENTED, TRADE, TRADE_OF_TEXTS))
MOVED_MARK, PREVENTED_APART_MARK = map(_mark, (MOVED, PREVENTED_APART))


def _word(name: str, form: Form = PLAIN_FORM) -> int:
    return place_in(form, EVENT, name)


ENG_TS, KIND, INSTRUMENT, REQ_SEQ = map(_word, ("eng_ts", "kind", "instrument", "req_seq"))
ACCOUNT, ORDER_ID, CLIENT_ORDER_ID = map(_word, ("account", "order_id", "client_order_id"))
PX, QTY, CUM_QTY, LEAVES_QTY = map(_word, ("px", "qty", "cum_qty", "leaves_qty"))
MD_SEQ, MAKER_SESSION = map(_word, ("md_seq", "maker_session"))
"""Words of a first slot. KIND holds kind, flags, op, status, reason, ring and maker_ring, INSTRUMENT the
session too, MAKER_SESSION the rev: lowest byte first, as they stand in an EVENT."""
CANCELLED_NOTIONAL = _word("notional", CANCELLED_FORM)
REPLACED_PREV_PX, REPLACED_PREV_QTY = (_word(name, REPLACED_FORM) for name in ("prev_px", "prev_qty"))

NOTIONAL, PREV_PX, PREV_QTY, WHOLE_TEXT = (
    _word(name, WHOLE_FORM) for name in ("notional", "prev_px", "prev_qty", "text")
)
MAKER_ORDER_ID, MAKER_CLIENT_ORDER_ID, MAKER_CUM_QTY, MAKER_LEAVES_QTY, MAKER_NOTIONAL = (
    _word(name, TRADE_FORM) for name in _MAKER
)
PREVENTED_MAKER_ACCOUNT = _word("maker_account", PREVENTED_APART_FORM)
MAKER_ACCOUNT, FEE, MAKER_FEE = (_word(name, TRADE_FORM) for name in ("maker_account", "fee", "maker_fee"))
PREVENTED_TEXT, PREVENTED_MAKER_TEXT = (_word(name, PREVENTED_FORM) for name in _TEXTS)
TRADE_TEXT, TRADE_MAKER_TEXT = (_word(name, TRADE_OF_TEXTS_FORM) for name in _TEXTS)
MOVED_TO, MOVED_TEXT = (_word(name, MOVED_FORM) for name in ("maker_account", "text"))
"""Words of further slots."""
