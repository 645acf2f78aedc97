"""The socket side of `WS /v1/stream`: one reading loop and one writing task a connection.

    reads requests ------> StreamSession -----> Hub
    writes messages <----- Outbox <------------ Hub, pump

The writer waits for the socket, so a slow reader fills its own outbox and nothing else; the
outbox's policies decide what it gets. An overrun reader is closed with 4008 and a reason that
names the seq to resume from. The key comes as an Authorization header or, from browsers, in
the first message: never in the URL, which would end in logs.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from api.process.access import Access
from api.process.parameters import allow_only
from api.process.problem import ApiProblem
from api.streams.hub import Hub
from api.streams.outbox import Outbox
from api.streams.requests import REQUEST_BYTES_MAX
from api.streams.session import CloseCode, StreamClosed, StreamSession
from engine.settings.door_settings import DoorLimits
from gateways.process.connections import show_key
from gateways.process.keyless import Keyless, quota_address
from gateways.process.keys import AUTHORIZATION
from gateways.process.turns import Turns

STREAMS_MAX = 512
"""With a key; those without one yet have a quota of their own."""
FULL = f"{STREAMS_MAX} streams are open: close one"
PING_S = 20.0
CLOSE_WAIT_S = 2.0
REQUESTS_PER_TURN = 16
"""Requests of all readers together that are answered in one turn of the event loop."""
REPLIES_MAX = 64
"""With more answers waiting, the reader's requests are not read."""
CLOSE_REASON_BYTES = 123  # RFC 6455, section 5.5


class Streams:
    """The open stream connections of this process."""

    def __init__(self, hub: Hub, access: Access, limits: DoorLimits) -> None:
        self._hub = hub
        self._access = access
        self._key_timeout_s = limits.key_timeout_s
        self._turns = Turns(REQUESTS_PER_TURN * REQUEST_BYTES_MAX)
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._named: set[_Connection] = set()
        self._keyless: Keyless[_Connection] = Keyless(
            limits.keyless_streams, limits.keyless_streams_per_address
        )
        self.opened_count = 0
        self.overrun_count = 0

    @property
    def open_count(self) -> int:
        """Connections open at this moment."""
        return len(self._open)

    def has_room(self) -> bool:
        """Tell whether one more reader with a key can be served."""
        return len(self._named) < STREAMS_MAX

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        allow_only(request, ())
        header = request.headers.get(AUTHORIZATION)
        key = self._access.caller(header) if header is not None else None
        is_named = key is not None or self._access.is_open
        if is_named and not self.has_room():
            raise ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", FULL)
        socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=REQUEST_BYTES_MAX, compress=False)
        if not socket.can_prepare(request).ok:
            raise ApiProblem(
                HTTPStatus.UPGRADE_REQUIRED,
                "upgrade_required",
                "this is a WebSocket: connect with ws://",
                headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
            )
        await socket.prepare(request)
        self.opened_count += 1
        self._open[socket] = request
        connection = _Connection(socket, request, self._key_timeout_s, self._take_key, self._turns)
        session = StreamSession(self._hub, self._access, connection.outbox, key, is_named)
        if is_named:
            self._named.add(connection)
            show_key(request)
        else:
            going = self._keyless.enter(connection, quota_address(request.protocol.peername))
            if going is not None:
                going.give_way()
        try:
            closed = await connection.serve(session)
            if closed is not None:
                self.overrun_count += closed.code == CloseCode.OVERRUN
                await _close(request, socket, closed)
        finally:
            session.leave()
            self._keyless.leave(connection)
            self._named.discard(connection)
            del self._open[socket]
        return socket

    def _take_key(self, connection: "_Connection") -> None:
        """Count a connection among those with a key: it has named one."""
        if connection in self._named:
            return
        if not self.has_room():
            raise StreamClosed(CloseCode.FULL, FULL)
        self._keyless.leave(connection)
        self._named.add(connection)
        show_key(connection.request)

    async def close_all(self) -> None:
        """End every connection: the server stops, and waits for no reader that does not read."""
        ends = (socket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops") for socket in self._open)
        with contextlib.suppress(TimeoutError):  # who does not take the close frame in time is cut off
            await asyncio.wait_for(asyncio.gather(*ends), CLOSE_WAIT_S)
        for request in self._open.values():
            if request.transport is not None:
                request.transport.abort()


async def _close(request: web.Request, socket: web.WebSocketResponse, closed: StreamClosed) -> None:
    """Send the close frame behind what is on its way; a reader that does not read is cut off."""
    reason = closed.detail.encode()[:CLOSE_REASON_BYTES].decode(errors="ignore").encode()
    # One that does not even read the close frame is cut off below.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(socket.close(code=closed.code, message=reason), CLOSE_WAIT_S)
    if request.transport is not None:
        request.transport.abort()


class _Connection:
    """The two loops of one connection.

    on_key : called after each request of a reader that has named its key
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.Request,
        key_timeout_s: float,
        on_key: Callable[["_Connection"], None],
        turns: Turns,
    ) -> None:
        self.request = request
        self._turns = turns
        self._socket = socket
        self._key_timeout_s = key_timeout_s
        self._on_key = on_key
        self._is_giving_way = False
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self._overrun = asyncio.Event()
        self.outbox = Outbox(self._wake)

    def give_way(self) -> None:
        """End for somebody else: no key was named, and the place is needed."""
        self._is_giving_way = True
        self._overrun.set()

    def _wake(self) -> None:
        self._news.set()
        if self.outbox.is_overrun:
            self._overrun.set()

    async def serve(self, session: StreamSession) -> StreamClosed | None:
        """Run until the peer leaves (None) or must be closed."""
        reading = asyncio.create_task(self._read(session), name="stream reads")
        writing = asyncio.create_task(self._write(), name="stream writes")
        watching = asyncio.create_task(self._watch(session), name="stream limits")
        async with _cancelled_after(reading, writing, watching) as tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            closed = task.result()
            if closed is not None:
                return closed
        return None

    async def _read(self, session: StreamSession) -> StreamClosed | None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return None
            while self.outbox.reply_count > REPLIES_MAX:
                self._sent.clear()
                await self._sent.wait()
            await self._turns.take(REQUEST_BYTES_MAX)  # a short one may ask for a whole book
            try:
                await session.handle(message.data)
                if session.is_ready:
                    self._on_key(self)
            except StreamClosed as closed:
                return closed
        return None

    async def _write(self) -> StreamClosed | None:
        while True:
            message = self.outbox.take()
            if message is None:
                self._news.clear()
                await self._news.wait()
                continue
            try:
                await self._socket.send_frame(message, WSMsgType.TEXT)
            except ConnectionError:
                return None  # the peer left: the reader of its socket sees it, too
            self._sent.set()

    async def _watch(self, session: StreamSession) -> StreamClosed:
        """Return when the reader is overrun, or has not named its key in time."""
        if not session.is_ready:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._overrun.wait(), self._key_timeout_s)
            if not session.is_ready:
                why = f"no key within {self._key_timeout_s:g} s"
                if self._is_giving_way:
                    why = "too many without a key: name yours in the first message, or as a header"
                return StreamClosed(CloseCode.UNAUTHORISED, why)
        await self._overrun.wait()
        seq = self.outbox.resume_seq
        detail = {"reason": "overrun", "resume_after_seq": seq}
        return StreamClosed(CloseCode.OVERRUN, msgspec.json.encode(detail).decode())


@contextlib.asynccontextmanager
async def _cancelled_after(
    *tasks: "asyncio.Task[StreamClosed | None]",
) -> AsyncIterator[tuple["asyncio.Task[StreamClosed | None]", ...]]:
    """Cancel the tasks at the end and wait until they are gone."""
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
