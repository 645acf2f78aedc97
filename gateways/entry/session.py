"""A session: what a connected client is to the engine, whatever it speaks.

It has a number of its own, which its commands carry, and hears of its orders until it ends; its
end is told to the engine. What it has to say waits in `outbox`, as bytes of its protocol, for
whoever owns the connection to write.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from gateways.entry.desk import Desk
from gateways.entry.principals import Principal
from gateways.json_lines.events import EventWords

IN_FLIGHT_MAX = 4096
"""Commands of one session that may wait for their answers; beyond it the door stops reading."""
LAPPED_REASON = "execution reports were lost: the door fell behind; ask the API and reconnect"


class Session(ABC):
    """The session of one connected client; its protocol adds how commands are read and events told.

    in_flight : commands whose answers have not come yet; whoever submits them counts
    on_output : called when the outbox was empty and is no more
    """

    def __init__(self, principal: Principal, number: int, desk: Desk, on_output: Callable[["Session"], None]):
        self.principal = principal
        self.number = number
        self.outbox: list[bytes] = []
        self.in_flight = 0
        self.ended_because: str | None = None
        self._desk = desk
        self._on_output = on_output

    @abstractmethod
    def report(self, event: EventWords) -> None:
        """Tell the client what became of a resting order."""

    def begin(self) -> None:
        """Hear of the session's orders from now on."""
        self._desk.dispatcher.listen(self.number, self)

    def end(self) -> None:
        """Hear of nothing more, and tell the engine that the session has ended."""
        del self._desk.dispatcher.listeners[self.number]
        self._desk.session_down(self.number)

    def lapped(self) -> None:
        """End the session: reports that it should have had are lost."""
        self.ended_because = LAPPED_REASON
        self._on_output(self)

    def send(self, data: bytes) -> None:
        """Say something to the client, when its connection is written to next."""
        outbox = self.outbox
        outbox.append(data)
        if len(outbox) == 1:
            self._on_output(self)
