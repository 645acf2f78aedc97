"""Dispatch of payments: each command is answered by one event of its own (gateways/commands/dispatch.py).

What somebody waits for comes as the event, or as the code of why there is none: BUSY or SYSTEM where the
command was not published, TIMEOUT where its outcome is unknown. A payment that is pending at the processor is
waited for further, by all who asked for it, until the event that settles it.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.contract.port import Closed
from engine.payments.codes import Code
from engine.payments.records import COMMAND, EventKind
from gateways.commands.dispatch import CommandDispatcher, Gate
from gateways.payments.events import PaymentEvent, payment_events

TIMEOUT_S = 1.0
BUSY, TIMEOUT, SYSTEM = int(Code["BUSY"]), int(Code["TIMEOUT"]), int(Code["SYSTEM"])
Answered = PaymentEvent | int
"""The event that answers a command, or a code."""

assert COMMAND.fields is not None
_SESSION_OFFSET, _ROLES_OFFSET = (int(COMMAND.fields[name][1]) for name in ("session", "roles"))
_SESSION = struct.Struct("<i")
_SETTLED = int(EventKind.SETTLED)


class Awaited(msgspec.Struct):
    """One command on its way: who asked, who is answered, and until when that is of use (loop time)."""

    session: int
    answer: Callable[[Answered], None]
    deadline: float = 0.0


class PaymentDispatcher(CommandDispatcher[Awaited]):
    """The dispatcher of the payments door."""

    def __init__(self, gate: Gate, on_staged: Callable[[], None]) -> None:
        super().__init__(gate, COMMAND, TIMEOUT_S, on_staged)
        self._outcomes: dict[int, list[Awaited]] = {}

    def stage(self, record: bytes | bytearray, roles: int, awaited: Awaited) -> None:
        """Put a command into the next batch, stamped with whose it is."""
        offset = self._offset
        self._buffer[offset : offset + self._record_bytes] = record
        _SESSION.pack_into(self._buffer, offset + _SESSION_OFFSET, awaited.session)
        self._buffer[offset + _ROLES_OFFSET] = roles
        self._add(awaited)

    def publish(self, records: npt.NDArray[np.void], roles: int, awaited: Sequence[Awaited]) -> int:
        """Publish many commands in their order; return how many: the others are neither sent nor answered."""
        self.flush()
        if self._gate.closed_because() is not None:
            return 0
        self._on_staged()
        first = self._req_seq + 1
        self._req_seq += len(records)
        records["req_seq"] = np.arange(first, first + len(records))
        records["session"] = awaited[0].session
        records["roles"] = roles
        count = self._gate.submit(records)
        for place, waiter in enumerate(awaited[:count]):
            self._pending[first + place] = waiter
            self.next_deadline = min(self.next_deadline, waiter.deadline)
        return count

    def await_outcome(self, payment: int, awaited: Awaited) -> None:
        """Answer with the event that settles a pending payment; its decision has been handed out just now."""
        self._outcomes.setdefault(payment, []).append(awaited)
        self.next_deadline = min(self.next_deadline, awaited.deadline)

    @property
    def waiting_count(self) -> int:
        """Commands that were published and not yet answered, and payments whose outcome is waited for."""
        return super().waiting_count + len(self._outcomes)

    def expire(self) -> None:
        """Answer TIMEOUT for what has waited too long; `now` is set by the caller."""
        super().expire()
        for payment, waiters in list(self._outcomes.items()):
            left = [waiter for waiter in waiters if waiter.deadline > self.now]
            if left:
                self._outcomes[payment] = left
                self.next_deadline = min(self.next_deadline, *(waiter.deadline for waiter in left))
            else:
                del self._outcomes[payment]
            for waiter in waiters:
                if waiter.deadline <= self.now:
                    waiter.answer(TIMEOUT)

    def abandon(self, cause: str) -> None:
        """Answer TIMEOUT for everything published, and for every outcome."""
        super().abandon(cause)
        outcomes, self._outcomes = self._outcomes, {}
        for waiters in outcomes.values():
            for waiter in waiters:
                waiter.answer(TIMEOUT)

    def _take(self, events: Any) -> None:
        pending, ring_idx = self._pending, self._ring_idx
        for event in payment_events(events):
            if event.ring != ring_idx:
                continue  # a hold that ended: nobody asked
            if event.kind == _SETTLED:
                for outcome_waiter in self._outcomes.pop(event.payment, ()):
                    outcome_waiter.answer(event)
                continue
            waiter = pending.get(event.req_seq)
            if waiter is not None and waiter.session == event.session:
                del pending[event.req_seq]
                waiter.answer(event)

    def _refuse(self, waiter: Awaited, closed: Closed | None) -> None:
        waiter.answer(SYSTEM if closed is Closed.LATCHED else BUSY)

    def _give_up(self, waiter: Awaited, cause: str) -> None:
        waiter.answer(TIMEOUT)
