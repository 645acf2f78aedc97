"""What forwarding is made of, joined to the parts of a door that takes payments."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from engine.contract.port import Port
from engine.settings.config import DoorSettings
from gateways.payments.door.parts import FORWARD, DoorParts
from gateways.payments.forward.forwarder import Forwarder
from gateways.payments.forward.journaling import OwnCommands
from gateways.payments.forward.processor import Processor, gathered
from gateways.payments.forward.reversals import Reversals

log = logging.getLogger(__name__)


class ForwardingParts:
    """Forwards what a door takes, and where it is the one to do that sends what is owed.

    settings : url and deadline_ms
    """

    def __init__(
        self, settings: dict[str, Any], gate: Port, parts: DoorParts, now: Callable[[], float]
    ) -> None:
        id_of, view = parts.desk.replies.id_of, parts.view
        commands = OwnCommands(parts.dispatcher, gate.next_session(), now)
        self.deadline_s: float = settings["deadline_ms"] / 1000
        """A processor's answer is of use for so long."""
        self._processor = Processor(settings["url"], now)
        self._forwarder = Forwarder(self._processor, commands, id_of, settings["deadline_ms"])
        self._reversals = Reversals(
            lambda limit: view.owed(gate.durable_seq(), limit), self._processor, commands, id_of, now
        )
        self._sending: asyncio.Task[None] | None = None
        parts.desk.forward_by(self._forwarder)

    def begin(self, failed: Callable[[], None]) -> None:
        """Begin to send what any door of the instance owes; failed : called where a fault of ours ends that.

        One door of an instance does: what is owed is the state's, and each is sent once at a time.
        """

        def ended(sending: "asyncio.Task[None]") -> None:
            if not sending.cancelled():
                log.critical("reversals are not sent any more", exc_info=sending.exception())
                failed()

        self._sending = asyncio.create_task(self._reversals.run(), name="reversals")
        self._sending.add_done_callback(ended)

    async def close(self) -> None:
        """Let what is under way end, and disconnect."""
        if self._sending is not None:
            await gathered({self._sending})
        await self._forwarder.close()
        await self._processor.close()


def forwarding_of(
    door: DoorSettings, gate: Port, parts: DoorParts, now: Callable[[], float]
) -> ForwardingParts | None:
    """Return what forwards for a door; None where nothing is forwarded."""
    settings = door.application.get(FORWARD)
    return None if settings is None else ForwardingParts(settings, gate, parts, now)
