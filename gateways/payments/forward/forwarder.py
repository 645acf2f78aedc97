"""Forwarding: a payment that is pending goes to the processor, what comes of it back to the engine.

    desk -> mark: PAY says FORWARDS -> engine: pending, durable
    desk -> begin -> processor -> outcome -> PROCESSED -> engine: settled -> whoever waits

A payment whose door dies on the way is not sent again, for the card number was in that door alone: the
engine's timer ends it, and its reversal is owed (reversals.py).
"""

import asyncio
import struct
from collections.abc import Callable

from engine.payments.forwarding import Processed
from engine.payments.records import COMMAND, FORWARDS, Op
from gateways.payments.events import PaymentEvent
from gateways.payments.form import Asked
from gateways.payments.forward.journaling import OwnCommands
from gateways.payments.forward.messages import payment_message
from gateways.payments.forward.processor import Processor, gathered

UNDER_WAY_MAX = 1024
"""Payments that wait for the processor at a time; what would be more is answered PROCESSOR_DOWN."""
GRACE_S = 1.5
"""What is under way has so long when the door stops."""

assert COMMAND.fields is not None
_OP, _KIND, _OPTIONS, _PAYMENT = (
    int(COMMAND.fields[name][1]) for name in ("op", "kind", "options", "payment")
)
_WORD = struct.Struct("<q")


class Forwarder:
    """Forwards payments.

    id_of : returns the id of a payment by its seq
    deadline_ms : so long the engine waits for the outcome, from its decision on
    """

    def __init__(
        self,
        processor: Processor,
        commands: OwnCommands,
        id_of: Callable[[int], str],
        deadline_ms: int,
    ) -> None:
        self._processor = processor
        self._commands = commands
        self._id_of = id_of
        self._deadline_ms = deadline_ms
        self._under_way: set[asyncio.Task[None]] = set()

    def mark(self, record: bytearray) -> None:
        """Let a payment's command say that it is forwarded, and how long the outcome may take."""
        record[_OPTIONS] |= FORWARDS
        _WORD.pack_into(record, _PAYMENT, self._deadline_ms)

    def begin(self, asked: Asked, decided: PaymentEvent) -> None:
        """Send on a payment that is pending."""
        assert asked.fields is not None
        message = None
        if len(self._under_way) < UNDER_WAY_MAX:
            message = payment_message(self._id_of(decided.payment), asked.fields, decided.approved_amount)
        task = asyncio.create_task(self._forward(asked.record, decided.payment, message), name="forwarding")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait a moment for what is under way; the rest is the engine's to end."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_S)
        await gathered(self._under_way)

    async def _forward(self, record: bytearray, payment: int, message: bytes | None) -> None:
        outcome, limit_s = Processed.NOT_SENT, self._deadline_ms / 1000
        if message is not None:
            outcome = await self._processor.pay(self._id_of(payment), message, limit_s)
        await self._commands.send(processed_command(record, payment, outcome), limit_s)


def processed_command(paid: bytes | bytearray, payment: int, outcome: Processed) -> bytearray:
    """Return PROCESSED of a payment, out of the command that asked for it: the same card and merchant."""
    record = bytearray(paid)
    record[_OP], record[_KIND], record[_OPTIONS] = Op.PROCESSED, outcome, 0
    _WORD.pack_into(record, _PAYMENT, payment)
    return record
