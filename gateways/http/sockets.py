"""The sockets of the HTTP door: requests to the desk, answers back; WebSocket sessions.

The only file of this door that reads from or writes to a client. Everything it decides
is bounded: the size of a body and the time to send it, the size of a message, the
commands on their way per session, the bytes a slow client may leave unread.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from engine.settings.door_settings import DoorLimits
from engine.trading.records import Role
from gateways.entry.desk import Desk
from gateways.entry.outcome import Outcome
from gateways.entry.principals import Principal
from gateways.entry.refusals import DoorReason, Refusal, Refused, malformed
from gateways.entry.session import IN_FLIGHT_MAX, Session
from gateways.http.connections import refusal_reply, refused_reply
from gateways.http.idempotency import KeyMemory
from gateways.http.problems import HttpReason, HttpStatus, WrongMethod, document_of
from gateways.http.routes import (
    IDEMPOTENCY_KEY,
    ORDERS,
    ROLES,
    SESSION,
    Ask,
    Shape,
    ask,
    key_not_taken,
    new_order,
    refuse_unknown_parameters,
)
from gateways.http.session import JsonSession
from gateways.json_lines.fields import Fields
from gateways.process.answers import Reply, options
from gateways.process.bodies import BodyFault, whole_body
from gateways.process.connections import show_key
from gateways.process.keys import AUTHORIZATION, KeyRing
from gateways.process.plain import Head
from gateways.process.plain_connections import PlainConnection
from gateways.process.query_string import QueryFault, parameters
from gateways.process.turns import Turns

BODY_MAX = 2**20
MESSAGE_MAX = 2**18
SESSION_BUFFER_MAX = 2**22
"""Bytes a session's client may leave unread before it is dropped."""
TURN_BYTES = 2**14
"""Bytes of bodies and messages that all clients together have worked on in one turn of the event loop."""
PING_S = 20.0
CLOSE_WAIT_S = 2.0
"""How long the door, when it stops, waits for sessions to take their close frame."""
TEXT_FRAME = 0x81
MESSAGES = (WSMsgType.TEXT, WSMsgType.BINARY)
UNREAD = (HttpReason.TOO_LARGE, HttpReason.REQUEST_TIMEOUT)
"""Refusals of a body whose rest is not waited for: no other request can follow it."""
_encode = msgspec.json.Encoder().encode
_head = struct.Struct(">BBH").pack


class Sockets:
    """Handles every request of the door."""

    def __init__(
        self, keys: KeyRing[Principal], desk: Desk, next_session: Callable[[], int], limits: DoorLimits
    ) -> None:
        self._limits = limits
        self._keys = keys
        self._desk = desk
        self._next_session = next_session
        self._key_memory = KeyMemory()
        self._turns = Turns(TURN_BYTES)
        self._speaking: list[SessionSocket] = []
        self.sessions: dict[int, SessionSocket] = {}
        self.is_stopping = False

    def plain(self, connection: PlainConnection, head: Head, body: bytes) -> None:
        """Answer a plain request, as `handle` does, without a task of its own."""
        (key,) = head.own

        def answer(result: Outcome) -> None:
            if key is not None and not isinstance(fields, Refused):
                result = self._key_memory.judge(principal.name, fields, body, result)
            if isinstance(result, Refusal):
                connection.answer(refusal_reply(result))
            else:
                connection.answer(Reply(HttpStatus.OK, _encode(result)))

        try:
            self._refuse_when_stopping()
            principal = self._keys.of_header(head.authorization)
            if not connection.has_key:
                connection.show_key()
            _require_role(principal, head.method, head.path)
            if head.path == ORDERS and head.method == "POST" and not head.query:
                fields = new_order(head.query, body, key).commands[0]
            else:
                fields = ask(head.method, head.path, head.query, body, key).commands[0]
            assert not isinstance(fields, Refused)
            self._desk.submit(principal, principal.session, fields, answer)
        except Refused as refused:
            connection.answer(refused_reply(refused, not self.is_stopping))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            self._refuse_when_stopping()
            principal = self._keys.of_header(request.headers.get(AUTHORIZATION))
            show_key(request)
            if request.method == "GET" and request.path == SESSION:
                return await self._session(request, principal)
            body = await read_body(request, self._limits.body_timeout_s)
            _require_role(principal, request.method, request.rel_url.raw_path)
            await self._turns.take(len(body))
            reply = await self._reply(request, principal, body)
        except WrongMethod as wrong:
            is_asked = request.method == "OPTIONS"
            reply = options(wrong.allow) if is_asked else refused_reply(wrong, not self.is_stopping)
        except Refused as refused:
            is_unread = refused.refusal.reason in UNREAD and not request.content.is_eof()
            reply = refused_reply(refused, not (self.is_stopping or is_unread))
        return cast(web.StreamResponse, reply)

    def deliver(self) -> None:
        """Write what the sessions have to say; called by the pump after every turn."""
        speaking = self._speaking
        if speaking:
            self._speaking = []
            for socket in speaking:
                socket.write()

    async def close(self) -> None:
        """Take no more requests and end every session: the door stops."""
        self.is_stopping = True
        sockets = list(self.sessions.values())
        ends = (each.end(WSCloseCode.GOING_AWAY, "the door stops") for each in sockets)
        with contextlib.suppress(TimeoutError):  # who does not take the close frame in time is cut off
            await asyncio.wait_for(asyncio.gather(*ends), CLOSE_WAIT_S)
        for each in self.sessions.values():
            each.cut_off()

    def _refuse_when_stopping(self) -> None:
        if self.is_stopping:
            raise Refused(Refusal(DoorReason.STOPPING, "the door stops; nothing was done"))

    async def _reply(self, request: web.BaseRequest, principal: Principal, body: bytes) -> Reply:
        key = request.headers.get(IDEMPOTENCY_KEY)
        asked = ask(request.method, request.rel_url.raw_path, query_of(request), body, key)
        if asked.shape != Shape.ONE:
            return await self._replies(principal, asked)
        fields = asked.commands[0]
        result = await self._outcome(principal, fields)
        if key is not None and not isinstance(fields, Refused):
            result = self._key_memory.judge(principal.name, fields, body, result)
        if isinstance(result, Refusal):
            return refusal_reply(result)
        return Reply(HttpStatus.OK, _encode(result))

    async def _replies(self, principal: Principal, asked: Ask) -> Reply:
        """Answer a batch: its commands at once, or, for administration, one after the other."""
        if asked.shape == Shape.MANY:
            results: list[Outcome] = await asyncio.gather(
                *(self._outcome(principal, each) for each in asked.commands)
            )
        else:
            results = []
            for each in asked.commands:
                await self._turns.take()  # one that is refused waits for nothing else
                results.append(await self._outcome(principal, each))
        return Reply(HttpStatus.OK, _encode({"results": [document_of(each) for each in results]}))

    def _outcome(self, principal: Principal, fields: Fields | Refused) -> "asyncio.Future[Outcome]":
        """Stage a command; return the future of what it came to."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def answer(result: Outcome) -> None:
            if not future.done():
                future.set_result(result)

        if isinstance(fields, Refused):
            answer(fields.refusal)
            return future
        try:
            self._desk.submit(principal, principal.session, fields, answer)
        except Refused as refused:
            answer(refused.refusal)
        return future

    async def _session(self, request: web.BaseRequest, principal: Principal) -> web.StreamResponse:
        """Serve a WebSocket session until either side ends it."""
        refuse_unknown_parameters(query_of(request), ())
        if IDEMPOTENCY_KEY in request.headers:
            raise key_not_taken()
        websocket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=MESSAGE_MAX, compress=False)
        if not websocket.can_prepare(cast(web.Request, request)):
            raise Refused(Refusal(HttpReason.WEBSOCKET_ONLY, f"open {SESSION} as a WebSocket"))
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        number = self._next_session()
        session = JsonSession(principal, number, self._desk, self._has_output)
        socket = SessionSocket(session, websocket, transport, self._turns)
        self.sessions[number] = socket
        session.begin()
        try:
            await socket.serve()
        finally:
            del self.sessions[number]
            session.end()
        return websocket

    def _has_output(self, session: Session) -> None:
        socket = self.sessions.get(session.number)
        if socket is not None:
            self._speaking.append(socket)


class SessionSocket:
    """The WebSocket of one session."""

    def __init__(
        self,
        session: JsonSession,
        websocket: web.WebSocketResponse,
        transport: asyncio.Transport,
        turns: Turns,
    ) -> None:
        self.session = session
        self._turns = turns
        self._websocket = websocket
        self._transport = transport
        self._room: asyncio.Event = asyncio.Event()
        self._task = asyncio.current_task()

    async def serve(self) -> None:
        """Read messages until the client closes or the session has to end."""
        session, turns, receive = self.session, self._turns, self._websocket.receive
        while True:
            kind, data, _ = await receive()
            if kind not in MESSAGES:
                return  # closed, or the protocol was violated and aiohttp has closed
            if not turns.has_taken(len(data)):
                await turns.take(len(data))
            session.receive(data)
            if session.in_flight >= IN_FLIGHT_MAX:
                await self._wait_for_room()

    def write(self) -> None:
        """Write the outbox in one go; drop a client that does not read."""
        session, transport = self.session, self._transport
        texts, session.outbox = session.outbox, []
        if session.in_flight < IN_FLIGHT_MAX:
            self._room.set()
        if transport.is_closing():
            return
        transport.write(frames(texts))
        if session.ended_because is not None:
            self._end_later(WSCloseCode.TRY_AGAIN_LATER, session.ended_because)
        elif transport.get_write_buffer_size() > SESSION_BUFFER_MAX:
            transport.abort()

    async def end(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""
        await self._websocket.close(code=code, message=reason.encode()[:120])

    def cut_off(self) -> None:
        """End the connection without a word more."""
        self._transport.abort()

    def _end_later(self, code: int, reason: str) -> None:
        task = asyncio.get_running_loop().create_task(self.end(code, reason))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _wait_for_room(self) -> None:
        """Stop reading until answers have made room: TCP then slows the client down."""
        while self.session.in_flight >= IN_FLIGHT_MAX:
            self._room.clear()
            await self._room.wait()


def _require_role(principal: Principal, method: str, path: str) -> None:
    """Refuse a key that may do nothing at this address, before what it has sent is read."""
    if method == "POST":
        roles = ROLES.get(path)
        if roles is not None and not principal.roles & roles:
            principal.require(Role(roles))


def frames(texts: Sequence[bytes]) -> bytes:
    """Return each text as one unmasked WebSocket text frame (RFC 6455, section 5.2)."""
    parts: list[bytes] = []
    for text in texts:
        length = len(text)
        if length < 126:
            head = bytes((TEXT_FRAME, length))
        elif length < 65536:
            head = _head(TEXT_FRAME, 126, length)
        else:
            head = b"\x81\x7f" + length.to_bytes(8, "big")
        parts += (head, text)
    return b"".join(parts)


async def read_body(request: web.BaseRequest, timeout_s: float) -> bytes:
    """Return the whole body; refuse one that is too large or does not come in time."""
    try:
        return await whole_body(request, timeout_s, BODY_MAX)
    except BodyFault as fault:
        raise Refused(Refusal(fault.reason, str(fault), "body")) from None


def query_of(request: web.BaseRequest) -> dict[str, str]:
    """Return the query; refuse one in which a parameter is given twice or has no value."""
    try:
        return parameters(request.rel_url.raw_query_string)
    except QueryFault as fault:
        raise malformed(str(fault), fault.parameter) from None
