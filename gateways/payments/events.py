"""Events of payments as Python values, read in bulk."""

from collections.abc import Iterator
from itertools import starmap
from typing import Any

import msgspec
import numpy as np

from engine.contract.rows import unfolded
from engine.payments.records import EVENT


class PaymentEvent(msgspec.Struct, frozen=True, gc=False):
    """The scalars of an EVENT, in its order."""

    event_idx: int
    seq: int
    eng_ts: int
    kind: int
    op: int
    flags: int
    ring: int
    session: int
    req_seq: int
    payment: int
    account: int
    amount: int
    approved_amount: int
    matched: int
    code: int
    rule: int
    field: int
    state: int
    decision: int
    cohort: int
    disclosed: int
    replayed: int
    ruleset: int
    currency: int
    exponent: int
    channel: int
    reply_seq: int
    ts_ms: int
    captured: int
    refunded: int
    held: int
    total: int
    user_matched: int
    reserved_0: int
    reserved_1: int
    reserved_2: int
    reserved_3: int
    reserved_4: int


_NAMES, _WORDS = unfolded(EVENT)
assert _NAMES == PaymentEvent.__struct_fields__


def payment_events(events: "np.ndarray[Any, np.dtype[np.void]]") -> Iterator[PaymentEvent]:
    """Return the events of an EVENT array."""
    return starmap(PaymentEvent, _WORDS.iter_unpack(events.tobytes()))
