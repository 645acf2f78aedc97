"""The door for ISO 8583 before real kernels, with the HTTP door before the same engine beside it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from engine.payments.records import Clock
from engine.payments.view.live_view import LiveView
from engine.payments.view.remembered import RememberedRequests
from engine.settings.door_settings import DoorLimits
from gateways.iso8583.desk import MessageDesk
from gateways.iso8583.sockets import MessageServer
from gateways.payments.door.desk import PaymentDesk
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.keys import KeyOwner, key_ring
from gateways.payments.door.limiters import NO_LIMITS, Limiters
from gateways.payments.hashing import hash_words
from gateways.payments.replies import Replies
from gateways.payments.setup_lines import setup_lines
from tests.engine.payments.building import SMALL, Engine, settings
from tests.gateways.iso8583.client import LENGTH_BYTES, Message, decoded, encoded, messages_of
from tests.gateways.payments.bodies_of_payments import FORM, HASHER
from tests.gateways.payments.engine_client import EngineGate
from tests.gateways.payments.wired_door import KEYS, WiredDoor
from tests.gateways.process.wire import Wire, settle

SET_UP = """{"op":"merchant","merchant":"m1"}
{"op":"merchant","merchant":"m2","limits":{"EUR":{"max":500}},"disclose":{"61":"05","12":"05"}}
{"op":"account","account":1,"balances":{"EUR":1000000,"JPY":100000}}
{"op":"account","account":2,"status":"frozen","balances":{"EUR":1000}}"""
LIMITS = DoorLimits(head_timeout_s=2.0, unread_timeout_s=3.0)
IDLE_S = 60.0
PEERS = {"127.0.0.1": "acquirer", "192.0.2.9": "other", "::1": "viewer"}


def owners() -> dict[str, KeyOwner]:
    """Return the owners of the keys by their names."""
    return {each.name: each for each in key_ring(KEYS, range(1, len(KEYS) + 1)).owners}


class IsoDoor:
    """The door: ask it by messages, or over a simulated socket.

    view : of the payments, where it is not that of the engine
    """

    def __init__(
        self,
        engine: Engine | None = None,
        gate: Any = None,
        view: Any = None,
        limits: Mapping[str, Any] = NO_LIMITS,
    ) -> None:
        if engine is None:
            records = [record for line in setup_lines(SET_UP.encode(), HASHER) for record in line.records]
            engine = Engine(SMALL, settings(Clock.ENGINE), *records)
        self.engine = engine
        self.now = 0.0
        self.view = LiveView(engine.replica.state)
        self.gate = gate or EngineGate(engine)
        self.dispatcher = PaymentDispatcher(self.gate, lambda: None)
        requests = RememberedRequests(engine.replica.state)
        payment_of = (view or self.view).payment
        self.desk = MessageDesk(
            PaymentDesk(FORM, Replies("a"), self.dispatcher, payment_of),
            Limiters(owners().values(), limits, lambda: int(self.now * 1e9)),
            payment_of,
            lambda merchant, request_id: requests.request(*hash_words(HASHER.request(merchant, request_id))),
            lambda: self.now,
        )
        self.http = WiredDoor(EngineGate(engine), self.view, FORM)
        self.http.durable = 2**62

    def turn(self) -> None:
        """Do what the pump does."""
        self.dispatcher.now = self.now
        self.dispatcher.flush()
        self.dispatcher.collect()
        if self.now >= self.dispatcher.next_deadline:
            self.dispatcher.expire()

    def ask(self, message: Message, key: str = "acquirer") -> Message:
        """Return the reply to a message."""
        return self.raw(encoded(message)[LENGTH_BYTES:], key)

    def raw(self, data: bytes, key: str = "acquirer") -> Message:
        """Return the reply to bytes without their length."""
        sent: list[bytes] = []
        self.desk.submit(owners()[key], data, sent.append)
        for _ in range(3):  # a reversal takes two commands, one out of history three
            self.turn()
        [reply] = sent
        return decoded(reply[LENGTH_BYTES:])

    def server(self, connections_max: int = 9) -> MessageServer:
        """Return what makes connections; within an event loop."""
        return MessageServer(
            self.desk,
            {address: owners()[name] for address, name in PEERS.items()},
            LIMITS,
            idle_timeout_s=IDLE_S,
            connections_max=connections_max,
            time=lambda: self.now,
        )


class Line:
    """One connection of a client to a server of the door, on a simulated socket."""

    def __init__(self, door: IsoDoor, server: MessageServer, peer: str = "127.0.0.1") -> None:
        self.wire = Wire((peer, 40_000))
        self.connection = server()
        self._door = door
        self.connection.connection_made(self.wire)

    async def send(self, *messages: Message) -> list[Message]:
        """Send messages in one piece; return all replies so far."""
        return await self.raw(b"".join(map(encoded, messages)))

    async def raw(self, data: bytes) -> list[Message]:
        """Send bytes; return all replies so far."""
        self.connection.data_received(data)
        await self.settle()
        return self.replies

    async def settle(self) -> None:
        """Let the door do what it has to do."""
        await settle(self._door.turn)
        await asyncio.sleep(0)

    @property
    def replies(self) -> list[Message]:
        """What came back."""
        return messages_of(bytes(self.wire.sent))
