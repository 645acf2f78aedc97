"""Reports as private streams tell them: a refused movement of money has an id, and names no order."""

import numpy as np

from api.documents import report
from engine.trading.instruments import Catalogue
from engine.trading.records import EVENT, EventKind, Op, Reason, text_words

NOTHING = Catalogue([], [])


def test_a_refused_movement_is_told_by_its_id_and_as_no_order() -> None:
    event = np.zeros(1, EVENT)
    event["kind"], event["op"], event["reason"] = EventKind.REJECTED, Op.WITHDRAW, Reason.DUPLICATE
    event["account"], event["instrument"], event["order_id"] = 7, -1, 41
    event["text"] = text_words(b"w-1")

    told = report(NOTHING, tuple(event[0].item()))

    assert (told["account"], told["op"], told["reason"], told["id"]) == (7, "withdraw", "duplicate", "w-1")
    assert (told["order_id"], told["client_order_id"]) == (None, None)


def test_a_refused_order_has_no_id_of_a_movement() -> None:
    event = np.zeros(1, EVENT)
    event["kind"], event["op"], event["reason"] = EventKind.REJECTED, Op.NEW, Reason.INVALID_PRICE
    event["account"], event["instrument"], event["text"] = 7, -1, text_words(b"mine")

    told = report(NOTHING, tuple(event[0].item()))

    assert told["client_order_id"] == "mine"
    assert "id" not in told
