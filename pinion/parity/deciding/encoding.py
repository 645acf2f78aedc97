"""Pairs become records: commands that an engine decides, and the words that are expected as answers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.payments.records import COMMAND, NOT_GIVEN, Op
from gateways.payments.door.routes import PaymentAsk
from gateways.payments.hashing import Hasher
from gateways.payments.replies import Replies
from gateways.payments.setup_lines import SetupFault, setup_lines
from gateways.payments.values import FormRefusal
from pinion.parity.answers import PAYMENT, ServiceAnswer, answer_of, captured_answer, differences
from pinion.parity.deciding.engine import Records
from pinion.parity.deciding.expected import DONE_WORDS, EXPECTED, NO_WORDS, SETTLED_WORDS, words_of
from pinion.parity.deciding.reading import Reading
from pinion.parity.deciding.replies import OK_STATUS, answer_of_told
from pinion.parity.pairs import Pair, is_read

UNPROCESSABLE = 422
REQUESTS = (Op.PAY, Op.CAPTURE, Op.VOID, Op.REFUND, Op.REVIEW, Op.REVERSE)


class Encoded(NamedTuple):
    """Pairs as records, one of each list a pair."""

    pairs: Sequence[Pair]
    commands: Records
    """Of all pairs."""
    ends: list[int]
    """Where the commands of each pair end."""
    line_ends: dict[int, list[int]]
    """Of a pair of set-up where the commands of each line end."""
    expected: Records
    """What is expected of the event of each pair, by its `kind` (expected.py)."""
    request_ids: list[str | None]
    payments: list[str | None]
    """The id of the payment that each answer names."""
    is_fresh: list[bool]
    """Whether the request made that payment."""
    refused: dict[int, ServiceAnswer]
    """What Pinion answers where a body is refused for its form."""


class Encoder:
    """Encodes pairs; stamps : a request without a moment gets the one at which it had arrived."""

    def __init__(self, hasher: Hasher, *, stamps: bool) -> None:
        self._hasher = hasher
        self._stamps = stamps
        self._now_ms = 0
        self._reading = Reading(hasher, lambda: self._now_ms)
        self._replies = Replies("")  # a refusal for form names no payment

    def encode(self, pairs: Sequence[Pair]) -> Encoded:
        """Return the pairs as records."""
        records = bytearray()
        ends: list[int] = []
        words: list[bytes] = []
        nothing = np.zeros(0, COMMAND), np.zeros(0, EXPECTED)
        found = Encoded(pairs, nothing[0], ends, {}, nothing[1], [], [], [], {})
        for idx, pair in enumerate(pairs):
            request_id = self._read(pair, idx, records, found)
            ends.append(len(records) // COMMAND.itemsize)
            found.request_ids.append(request_id)
            words.append(_expected(pair, idx, request_id, found))
        commands = np.frombuffer(records, COMMAND).copy()
        if self._stamps:
            _stamp(commands, pairs, ends)
        expected = np.frombuffer(bytearray().join(words), EXPECTED)
        return found._replace(commands=commands, expected=expected)

    def _read(self, pair: Pair, idx: int, records: bytearray, found: Encoded) -> str | None:
        """Put the commands of a pair behind the others; return its request_id."""
        ask = pair.route.ask
        self._now_ms = pair.at_ms
        if is_read(pair.route):
            return None
        try:
            if ask == PaymentAsk.SET_UP:
                line_ends = found.line_ends[idx] = []
                for line in setup_lines(pair.request, self._hasher):
                    records += line.records.tobytes()
                    line_ends.append(len(records) // COMMAND.itemsize)
                return None
            asked = self._reading.read(ask, pair.request)
        except SetupFault:
            found.refused[idx] = ServiceAnswer(UNPROCESSABLE, {})
            return None
        except FormRefusal as refusal:
            told = self._replies.refused(refusal, is_operation=ask != PaymentAsk.PAY)
            found.refused[idx] = answer_of_told(told)
            return None
        records += asked.record
        return asked.request_id


def _expected(pair: Pair, idx: int, request_id: str | None, found: Encoded) -> bytes:
    """Note which payment an answer names; return the words that are expected."""
    payment, is_fresh, packed = None, False, NO_WORDS
    if pair.reply is None or pair.status is None or is_read(pair.route):
        pass
    elif pair.route.ask == PaymentAsk.SET_UP or idx in found.refused:
        packed = _settled(pair, idx, found)
    else:
        is_operation = pair.route.ask != PaymentAsk.PAY
        words = words_of(pair.status, pair.reply, request_id, is_operation)
        if words is not None:
            payment, packed = words.payment, words.packed
            is_fresh = words.is_first and not is_operation
        else:
            said = answer_of(pair.status, pair.reply, pair.route.ask).document or {}
            payment = said.get(PAYMENT) if isinstance(said.get(PAYMENT), str) else None
            is_fresh = not is_operation and not said.get("replayed") and said.get("code") != "DUPLICATE"
    found.payments.append(payment)
    found.is_fresh.append(is_fresh)
    return packed


def _settled(pair: Pair, idx: int, found: Encoded) -> bytes:
    """Return what is expected of a pair whose answer is a refusal for its form, or about set-up."""
    old = captured_answer(pair)
    if old is None:
        return NO_WORDS
    if idx in found.refused:
        return NO_WORDS if differences(old, found.refused[idx], str) else SETTLED_WORDS
    all_done = {"lines": [["OK", False]] * len(found.line_ends[idx])}
    return DONE_WORDS if old == ServiceAnswer(OK_STATUS, all_done) else NO_WORDS


def _stamp(commands: Records, pairs: Sequence[Pair], ends: list[int]) -> None:
    """Give each request that brings no moment the one at which it had arrived."""
    counts = np.diff(np.array(ends, np.int64), prepend=np.int64(0)).astype(np.int64)
    at_ms = np.repeat(np.array([pair.at_ms for pair in pairs], np.int64), counts)
    is_without = (commands["received_at"] == NOT_GIVEN) & np.isin(commands["op"], REQUESTS)
    commands["received_at"][is_without] = at_ms[is_without]
