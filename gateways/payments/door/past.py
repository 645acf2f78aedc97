"""Payments that gave way: read from history, and brought back by a command of their own.

    state ---- closed payments changed ----> tell_mark: HISTORY "the database has all up to its mark"
    refund of one that is not there -------> one row -> RESTORE -> the refund
    GET of one that is not there ----------> one row

A payment gives way once the state was told a mark behind its last change (engine/payments/kernels/past.py).
So its row is right in a database whose own mark is no less than that, and nothing is answered from another:
one that a crash took back, or that catches up after a time without history, is as good as away. What was
read stays right for 60 s, for a payment that is brought back is kept so long behind its next change; a
reading that is older than half of that is given up.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from engine.payments.codes import Code
from engine.payments.command_words import (
    CARD,
    MERCHANT,
    MERCHANT_WORDS,
    REQUEST_ID,
    REQUEST_ID_WORDS,
    RESTORED_APPROVED,
    RESTORED_CAPTURED,
    RESTORED_CODES,
    RESTORED_MATCHED,
    RESTORED_REFUNDED,
    RESTORED_RULESET,
    RESTORED_USER_MATCHED,
)
from engine.payments.records import COMMAND, COMMAND_VERSION, NOT_GIVEN, TEXT_WORD_BYTES, Op, Role, State
from engine.payments.texts import text_words
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import PaymentView
from engine.payments.view.past_rows import COLUMNS, RESTORED_COLUMNS, past_payment
from gateways.payments.door.dispatch import Answered, Awaited, PaymentDispatcher
from gateways.payments.door.reads import NotNowError
from gateways.process.read_only_pool import OUTAGES, ReadOnlyPool
from ringbuf.seqlock import TornReadError

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 2
READINGS_MAX = 128
"""Tasks at a time, two for a refund; what would be more is told to ask again."""
CONNECT_S_MAX = 1.0
QUERY_S_MAX = 1.0
READING_S_MAX = 30.0
MARK_EVERY_S = 1.0
MARK_TIMEOUT_S = 30.0
ROW = (
    f"SELECT m.seq AS mark, {', '.join(f'p.{name}' for name in (*COLUMNS, *RESTORED_COLUMNS))} "
    "FROM mark m LEFT JOIN payments p ON p.payment = $1"
)
CLOSED = (State.CAPTURED, State.VOIDED, State.EXPIRED, State.DECLINED, State.STEP_UP)
RULE_BITS, FIELD_BITS, STATE_BITS, DECISION_BITS, COHORT_BITS = 8, 16, 24, 32, 40
OK, NOT_FOUND = int(Code["OK"]), int(Code["NOT_FOUND"])


Result = TypeVar("Result")


class HistoryMarks(NamedTuple):
    """How far the database goes, as the process that writes it tells."""

    seq: Callable[[], int]
    """The command that its mark is behind."""
    complete_seq: Callable[[], int]
    """The last command up to which it lacks nothing that happened."""


class PastReading(NamedTuple):
    """A payment as history had it at a moment of the event loop's time."""

    view: PaymentView
    command: Any
    read_at: float


class GivenWay:
    """The payments that gave way, of one door.

    dsn : of the database; empty: there is no history, and nothing comes back
    state : numbers of the live state
    disclosures : returns what merchants disclose, by merchant and code; TornReadError where it is not known
    session : of this door's own commands
    now : the event loop's time
    """

    def __init__(
        self,
        dsn: str,
        state: StateCounts,
        marks: HistoryMarks,
        disclosures: Callable[[], Mapping[tuple[str, int], int]],
        dispatcher: PaymentDispatcher,
        session: int,
        now: Callable[[], float],
    ) -> None:
        self._has_history = bool(dsn)
        self._pool = ReadOnlyPool(
            dsn,
            "pinion payments",
            connections_max=CONNECTIONS_MAX,
            connect_s_max=CONNECT_S_MAX,
            query_s_max=QUERY_S_MAX,
            settings={"statement_timeout": f"{QUERY_S_MAX:g}s"},
        )
        self._state = state
        self._marks = marks
        self._disclosures = disclosures
        self._dispatcher = dispatcher
        self._session = session
        self._now = now
        self._began_seq = state.seq
        self._told_mark = 0
        self._mark_at = 0.0
        self._readings: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Give up whatever is being looked for, and disconnect."""
        for reading in self._readings:
            reading.cancel()
        await asyncio.gather(*self._readings, return_exceptions=True)
        self._pool.close()

    def tell_mark(self) -> None:
        """Tell the engine how far the database goes, once a second while closed payments wait for that."""
        now = self._now()
        if not self._has_history or now < self._mark_at:
            return
        self._mark_at = now + MARK_EVERY_S
        mark = self._marks.seq()
        if mark <= max(self._told_mark, self._state.history_seq) or not self._state.is_news_for_history():
            return
        self._told_mark = mark

        def told(answered: Answered) -> None:
            if isinstance(answered, int):
                self._told_mark = 0  # it did not arrive, as far as anybody knows: it may be told again

        command = _command(Op.HISTORY)
        command["payment"] = mark
        self._send(command, told, now + MARK_TIMEOUT_S)

    def may_have(self, payment: int) -> bool:
        """Tell whether a payment that the live state does not have may be in history."""
        return self._has_history and 0 < payment <= self._state.seq

    async def view(self, payment: int) -> PaymentView | None:
        """Return a payment as history has it, None where there is none; raise NotNowError."""
        if not self.may_have(payment):
            return None
        found = await self._read_within(QUERY_S_MAX, payment)
        return None if found is None else found.view

    def bring_back(
        self, payment: int, is_for: Callable[[str], bool], deadline: float, then: Callable[[Answered], None]
    ) -> None:
        """Bring a payment back into the live state; `then` is told how that went, OK as a code.

        is_for : tells whether it may be asked for by the merchant's name; else it is not found
        deadline : until when, in the event loop's time, it is of use
        """
        if len(self._readings) >= READINGS_MAX:
            then(int(Code["BUSY"]))
            return
        self._owned(self._bring_back(payment, is_for, deadline, then))

    async def _bring_back(
        self, payment: int, is_for: Callable[[str], bool], deadline: float, then: Callable[[Answered], None]
    ) -> None:
        try:
            found = await self._read_within(deadline - self._now(), payment)
        except NotNowError:
            then(int(Code["BUSY"]))
            return
        if found is None or not is_for(found.view.merchant):
            then(NOT_FOUND)
        elif self._now() - found.read_at > READING_S_MAX or self._now() >= deadline:
            then(int(Code["BUSY"]))
        else:
            self._send(found.command, lambda answered: then(_outcome(answered)), deadline)

    def _send(self, command: Any, answer: Callable[[Answered], None], deadline: float) -> None:
        self._dispatcher.stage(command.tobytes(), Role.ALL, Awaited(self._session, answer, deadline))

    def _owned(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Begin something that ends with this object at the latest."""
        task = asyncio.create_task(work, name="payment out of history")
        self._readings.add(task)
        task.add_done_callback(self._readings.discard)
        return task

    async def _read_within(self, limit_s: float, payment: int) -> PastReading | None:
        """Read a payment; raise NotNowError, also where the database takes longer, even to be interrupted."""
        reading = self._owned(self._read(payment))
        await asyncio.wait((reading,), timeout=max(0.0, limit_s))
        if reading.done():
            return reading.result()
        reading.cancel()
        reading.add_done_callback(_hear_out)
        raise NotNowError("history takes too long to answer")

    async def _read(self, payment: int) -> PastReading | None:
        """Return what history has of a payment, None for nothing; raise NotNowError."""
        read_at, needed = self._now(), self._state.history_seq
        if self._marks.complete_seq() < self._began_seq:
            raise NotNowError("history has not come to where this door began")
        try:
            async with self._pool.connection() as connection:
                row = await connection.fetchrow(ROW, payment)
        except (*OUTAGES, TimeoutError) as error:
            raise NotNowError(f"history does not answer ({type(error).__name__})") from error
        if row is None or row["mark"] < needed:
            raise NotNowError("history is behind what the engine was told of it")
        if row["payment"] is None:
            return None
        if row["state"] not in CLOSED:
            log.error("payment %d is open in history and not there in the state", payment)
            raise NotNowError("history has the payment open")
        try:
            disclosed = self._disclosures().get((row["merchant"], row["code"]), 0)
        except TornReadError as torn:
            raise NotNowError(str(torn)) from torn
        return PastReading(past_payment(row, disclosed), _restore_command(row), read_at)


def _hear_out(reading: "asyncio.Task[Any]") -> None:
    """Take note of how a reading ended that nobody waits for any more."""
    if not reading.cancelled() and reading.exception() is not None:
        log.debug("a reading that took too long: %s", reading.exception())


def _outcome(answered: Answered) -> Answered:
    """Return the code OK for a payment that is there now, else what kept it away."""
    return OK if not isinstance(answered, int) and answered.code == OK else answered


def _command(op: Op) -> Any:
    command = np.zeros(1, COMMAND)
    command["op"], command["version"], command["received_at"] = op, COMMAND_VERSION, NOT_GIVEN
    return command


def _restore_command(row: Any) -> Any:
    """Return the command that brings a payment back, out of its row."""
    command = _command(Op.RESTORE)
    for name in ("payment", "account", "amount", "currency", "exponent", "channel", "kind"):
        command[name] = row[name]
    words = command["words"][0]
    words[REQUEST_ID : REQUEST_ID + REQUEST_ID_WORDS] = text_words(row["request_id"], REQUEST_ID_WORDS)
    words[MERCHANT : MERCHANT + MERCHANT_WORDS] = text_words(row["merchant"], MERCHANT_WORDS)
    words[RESTORED_CAPTURED], words[RESTORED_REFUNDED] = row["captured"], row["refunded"]
    words[RESTORED_APPROVED], words[RESTORED_MATCHED] = row["approved_amount"], row["matched"]
    words[RESTORED_USER_MATCHED] = row["user_matched"]
    words[RESTORED_CODES] = (
        row["code"]
        | row["rule"] << RULE_BITS
        | row["field"] << FIELD_BITS
        | row["state"] << STATE_BITS
        | row["decision"] << DECISION_BITS
        | row["cohort"] << COHORT_BITS
    )
    words[RESTORED_RULESET] = row["ruleset"]
    words[CARD : CARD + len(row["card"]) // TEXT_WORD_BYTES] = np.frombuffer(row["card"], "<i8")
    return command
