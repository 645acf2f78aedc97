"""The sockets of the door for messages: a length, a message, and out of order the replies.

    bytes -> connection: buffer --> messages waiting, one connection after the other --> desk
    bytes <- connection         <-- replies as they come

The only file of this door that reads from or writes to a client. Bounds of a connection: IN_FLIGHT_MAX
messages at a time, BUFFER_MAX bytes that are not looked at yet (beyond both it is not read), a time for half
a message, for rest, and for what it leaves unread. A turn of the event loop takes TURN_MESSAGES from all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

from engine.payments.settings import peer_address
from engine.settings.door_settings import DoorLimits
from gateways.iso8583.desk import MessageDesk, UnanswerableError
from gateways.iso8583.messages import LENGTH_BYTES, MESSAGE_MAX
from gateways.iso8583.reasons import Reasons
from gateways.payments.door.keys import KeyOwner

IN_FLIGHT_MAX = 256
BUFFER_MAX = 2**16
UNREAD_MAX = 2**20
"""Bytes of replies that a client may leave unread; one that leaves more is cut off."""
TURN_MESSAGES, SHARE_MESSAGES = 128, 8
"""Messages of one turn of the event loop; of these, from one connection before the next one's."""
log = logging.getLogger("pinion.doors")


class MessageConnection(asyncio.Protocol):
    """One connection of a peer."""

    def __init__(self, server: "MessageServer") -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._owner: KeyOwner | None = None
        self._buffer = bytearray()
        self._in_flight = 0
        self._is_paused = False
        self._has_ended = False
        self._half_since: float | None = None
        self._stuck_since: float | None = None
        self._used_at = server.now
        self.is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve a peer of the settings while there is room, nobody else."""
        self._transport = cast(asyncio.Transport, transport)
        server = self._server
        self._owner = server.owner_of(address_of(transport))
        if self._owner is None:
            self._end("it is no peer of the settings (payments.iso8583.peers)")
        elif len(server.connections) >= server.connections_max:
            self._end(f"{server.connections_max} connections are open (doors.connections)")
        else:
            server.take_in(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is its turn."""
        if self._is_closing:
            return
        self._used_at = self._server.now
        self._buffer += data
        self._server.wait(self)
        self._regulate()

    def eof_received(self) -> bool:
        """Answer what is there before the connection is closed: nothing more can come."""
        self._has_ended = True
        self._server.wait(self)
        return True

    def pause_writing(self) -> None:
        """Note that the client does not read: it is not read either."""
        self._stuck_since = self._server.now
        self._regulate()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self._stuck_since = None
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what is in flight is decided all the same."""
        self._server.forget(self)
        self._transport = None
        self._buffer.clear()

    def work(self, messages_max: int) -> int:
        """Give messages to the desk; return how many there were."""
        count = 0
        while count < messages_max and self._may_take:
            message = self._next_message()
            if message is None:
                break
            count += 1
            self._submit(message)
        if count:
            self._half_since = None
        self._note_half()
        self._regulate()
        self._close_behind_last()
        return count

    @property
    def has_work(self) -> bool:
        """Whether the desk can have a message now."""
        return self._may_take and len(self._buffer) >= LENGTH_BYTES + self._length

    def expire(self, now: float) -> None:
        """End the connection where something hangs on it."""
        limits, transport = self._server.limits, self._transport
        if transport is None:
            return
        if transport.is_closing() and self._stuck_since is None:
            self._stuck_since = now  # what was written last has to go out, too
        if self._stuck_since is not None and now - self._stuck_since > limits.unread_timeout_s:
            self._cut_off(f"it has read nothing for {limits.unread_timeout_s:g} s (doors.unread_timeout_s)")
        elif self._half_since is not None and now - self._half_since > limits.head_timeout_s:
            self._end(f"a message did not end within {limits.head_timeout_s:g} s (doors.head_timeout_s)")
        elif not self._in_flight and now - self._used_at > self._server.idle_timeout_s:
            self.close()

    def cut_off_if_stuck(self) -> None:
        """End at once where the client does not read: nothing more would reach it."""
        if self._stuck_since is not None and self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close once what was written is read."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def _may_take(self) -> bool:
        return not self._is_closing and self._in_flight < IN_FLIGHT_MAX and self._stuck_since is None

    @property
    def _length(self) -> int:
        return int.from_bytes(self._buffer[:LENGTH_BYTES], "big")

    def _next_message(self) -> bytes | None:
        """Return the next whole message out of the buffer, None where there is none."""
        if len(self._buffer) < LENGTH_BYTES:
            return None
        length = self._length
        if not 0 < length <= MESSAGE_MAX:
            self._end(f"a message of {length} bytes: there are messages of 1 to {MESSAGE_MAX}")
            return None
        end = LENGTH_BYTES + length
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[LENGTH_BYTES:end])
        del self._buffer[:end]
        return message

    def _submit(self, message: bytes) -> None:
        assert self._owner is not None
        self._in_flight += 1
        try:
            self._server.desk.submit(self._owner, message, self._send)
        except UnanswerableError as fault:
            self._in_flight -= 1
            self._end(f"a message {fault}")
        except Exception:  # a fault of ours must not keep the other connections from their turn
            log.exception("error while handling a message")
            self.abort()

    def _send(self, reply: bytes) -> None:
        self._in_flight -= 1
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._used_at = self._server.now
        transport.write(reply)
        if transport.get_write_buffer_size() > UNREAD_MAX:
            self._cut_off(f"it has left more than {UNREAD_MAX} bytes unread")
        elif self._is_paused:
            self._go_on()
        self._close_behind_last()

    def _go_on(self) -> None:
        """Look at what had to wait, and read more where there is room for it."""
        if self.has_work:
            self._server.wait(self)
        self._regulate()

    def _regulate(self) -> None:
        """Read from the client only while there is room for what it sends."""
        if self._is_closing or self._transport is None:
            return
        is_full = len(self._buffer) > BUFFER_MAX or not self._may_take
        if is_full and not self._is_paused:
            self._transport.pause_reading()
        elif self._is_paused and not is_full:
            self._transport.resume_reading()
        self._is_paused = is_full

    def _note_half(self) -> None:
        """Note since when a message is only half here."""
        if not self._buffer or self.has_work or not self._may_take:
            self._half_since = None
        elif self._half_since is None:
            self._half_since = self._server.now

    def _close_behind_last(self) -> None:
        """Close where the client has ended and everything is answered."""
        if self._has_ended and not self._in_flight and not self.has_work:
            self.close()

    def _end(self, reason: str) -> None:
        """Close the connection, and say why; what it sends from now on is not looked at."""
        self._server.reasons.tell(self._peer, reason)
        self._buffer.clear()
        self.close()

    def _cut_off(self, reason: str) -> None:
        self._server.reasons.tell(self._peer, reason)
        self.abort()

    @property
    def _peer(self) -> str:
        """Who is at the other end, as the log says it."""
        if self._owner is not None:
            return f"the peer of key {self._owner.name!r}"
        return f"a stranger at {address_of(self._transport)}"


class MessageServer:
    """Makes and watches the connections of the door.

    owners : address of each peer -> the owner of its key
    idle_timeout_s : how long a connection may rest between two messages
    time : the event loop's
    """

    def __init__(
        self,
        desk: MessageDesk,
        owners: Mapping[str, KeyOwner],
        limits: DoorLimits,
        *,
        idle_timeout_s: float,
        connections_max: int,
        time: Callable[[], float],
    ) -> None:
        self.desk = desk
        self.limits = limits
        self.idle_timeout_s = idle_timeout_s
        self.connections_max = connections_max
        self.connections: set[MessageConnection] = set()
        self.reasons = Reasons(time)
        self.now = time()
        self._owners = owners
        self._waiting: deque[MessageConnection] = deque()
        self._is_due = False
        self._emptied = asyncio.Event()

    def __call__(self) -> MessageConnection:
        """Return the protocol of a new connection."""
        return MessageConnection(self)

    def owner_of(self, address: str | None) -> KeyOwner | None:
        """Return the owner of the key of whoever connects from an address, None for a stranger."""
        return self._owners.get(address or "")

    def take_in(self, connection: MessageConnection) -> None:
        """Watch a connection."""
        self.connections.add(connection)
        self._emptied.clear()

    def forget(self, connection: MessageConnection) -> None:
        """Watch a connection no more: it is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._emptied.set()

    def wait(self, connection: MessageConnection) -> None:
        """Let a connection have its turn behind the others."""
        if not connection.is_waiting:
            connection.is_waiting = True
            self._waiting.append(connection)
        self._take_turn_soon()

    def sweep(self, now: float) -> None:
        """End the connections on which something hangs."""
        self.now = now
        for connection in list(self.connections):
            connection.expire(now)

    def cut_off_unread(self) -> None:
        """End the connections whose clients do not read: a door that stops waits for none of them."""
        for connection in list(self.connections):
            connection.cut_off_if_stuck()

    async def shutdown(self, wait_s: float | None = None) -> None:
        """Close all connections; cut off those that are not closed in time."""
        for connection in list(self.connections):
            connection.close()
        if self.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), wait_s)
        for connection in list(self.connections):
            connection.abort()

    def _take_turn_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Give messages to the desk, some of each connection in turn."""
        self._is_due = False
        left = TURN_MESSAGES
        while self._waiting and left > 0:
            connection = self._waiting.popleft()
            connection.is_waiting = False
            left -= connection.work(min(SHARE_MESSAGES, left))
            if connection.has_work:
                connection.is_waiting = True
                self._waiting.append(connection)
        if self._waiting:
            self._take_turn_soon()


def address_of(transport: asyncio.BaseTransport | None) -> str | None:
    """Return the address that a connection comes from, as settings write it; None where it is gone."""
    peername = transport.get_extra_info("peername") if transport is not None else None
    return peer_address(peername[0]) if peername else None
