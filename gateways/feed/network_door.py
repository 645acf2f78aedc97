"""The network doors of the feeder: a pipelined WebSocket session, or HTTP requests one by one.

A WebSocket session keeps the order of what it is given, so it is pipelined. HTTP does not
across connections: there each command waits for the answer of the one before.
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
import numpy as np

from engine.contract.errors import ToldError, UsageError
from engine.trading.client_ids import address_of
from engine.trading.instruments import RefusedAtDoor
from gateways.feed.meter import Meter
from gateways.files.source import InputError
from gateways.files.ticks import TickError
from gateways.json_lines.commands import CANCEL_FIELDS, MASS_CANCEL_FIELDS, REPLACE_FIELDS
from gateways.json_lines.fields import (
    MalformedCommand,
    order_ids,
    refuse_unknown_fields,
    required,
    whole,
)

SESSION_PATH = "/v1/session"
ORDERS_PATH = "/v1/orders"
ADMIN_PATH = "/v1/admin"
IN_FLIGHT_MAX = 1024
MESSAGE_COMMANDS = 64
BUSY_STATUS = 503
KEY_REFUSED = (401, 403)
NO_SUCH_METHOD = 405
"""What a door answers that takes no orders."""
BUSY_WAIT_SECONDS = 0.01
STOP_SECONDS = 2.0
"""How long answers may take once the feed is told to stop."""
TRADING_OPS = frozenset({"new", "cancel", "replace", "mass_cancel"})
IN_ADDRESS = frozenset({"account", "client_order_id", "order_id"})
DEFINITIONS = frozenset({"currency", "instrument", "account"})

ORDER_DOOR = "`pinion status` tells where the order door is, as `orders`"
REQUEST_ID = "id"
"""By which a session repeats whose answer it gives."""

Fields = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class DoorClosed(ToldError):  # noqa: N818 - what happened
    """The door ended the conversation, or could not be reached; the text says why."""


def refuse_no_address(url: str) -> None:
    """Raise UsageError unless a URL is SCHEME://HOST or SCHEME://HOST:PORT."""
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and not re.search(r"\s", url) and parts.port != 0
    except ValueError:  # of the port: no number, or too large
        is_address = False
    if not is_address or parts.path.rstrip("/") or parts.query or parts.fragment:
        raise UsageError(
            f"--to {url!r}: no address of a door; give host and port alone, such as ws://127.0.0.1:8001"
        )


def closed_by(url: str, fault: Exception) -> DoorClosed:
    """Return what to tell of a door that cannot be reached, or not any more."""
    if not isinstance(fault, aiohttp.ClientConnectorError):
        return DoorClosed(f"{url}: {fault}")
    error = fault.os_error
    cause = str(error.strerror if (error.errno or 0) <= 0 else os.strerror(error.errno or 0)).lower()
    return DoorClosed(f"{url}: no door can be reached there ({cause}); {ORDER_DOOR}")


async def feed_websocket(url: str, key: str, commands: Iterable[Fields], meter: Meter) -> AsyncIterator[None]:
    """Play commands through one pipelined session; yields now and then."""
    try:
        async with (
            aiohttp.ClientSession(headers=_headers(key)) as client,
            client.ws_connect(url.rstrip("/") + SESSION_PATH, max_msg_size=0) as socket,
        ):
            async for _ in _Pipeline(socket, meter).play(commands):
                yield
    except aiohttp.WSServerHandshakeError as refusal:
        if refusal.status in KEY_REFUSED:
            raise DoorClosed(f"{url}: the door does not take this key; give --key or --data") from None
        raise DoorClosed(f"{url}: status {refusal.status} instead of a session; {ORDER_DOOR}") from None
    except (aiohttp.ClientError, OSError) as fault:
        raise closed_by(url, fault) from None


class _Pipeline:
    """One WebSocket session: sends ahead of the answers, up to a bound."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, meter: Meter) -> None:
        self._socket = socket
        self._meter = meter

    async def play(self, commands: Iterable[Fields]) -> AsyncIterator[None]:
        staged: list[Fields] = []
        try:
            for fields in commands:
                if REQUEST_ID in fields:
                    raise MalformedCommand(
                        REQUEST_ID, fields[REQUEST_ID], "a line of a file has no such field"
                    )
                is_definition = fields["op"] in DEFINITIONS
                staged.append({REQUEST_ID: self._meter.sent + len(staged), **fields})
                if is_definition or len(staged) >= MESSAGE_COMMANDS or self._meter.due() <= len(staged):
                    await self._send(staged)
                    staged = []
                    await self._receive(0 if is_definition else IN_FLIGHT_MAX)
                    yield
            await self._finish(staged)
        except (InputError, MalformedCommand, TickError):
            await self._finish(staged)
            raise
        except asyncio.CancelledError:
            # Told to stop: what is on its way is still answered, for a while.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._receive(0), STOP_SECONDS)
            raise
        yield

    async def _finish(self, staged: list[Fields]) -> None:
        """Send what is left and wait for every answer."""
        if staged:
            await self._send(staged)
        await self._receive(0)

    async def _send(self, staged: list[Fields]) -> None:
        while (wait := self._meter.seconds_until_due()) > 0:
            await self._receive(self._meter.in_flight, wait)
        self._meter.send(len(staged))
        await self._socket.send_bytes(_encode(staged))

    async def _receive(self, in_flight_max: int, wait: float | None = None) -> None:
        """Take answers in until at most so many commands are on their way, or the time is over."""
        until = None if wait is None else time.monotonic() + wait
        while wait is not None or self._meter.in_flight > in_flight_max:
            left = None if until is None else max(0.0, until - time.monotonic())
            try:
                message = await self._socket.receive(left)
            except TimeoutError:
                return
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                raise DoorClosed(
                    f"the session was closed: {message.data or ''} {message.extra or ''}".strip()
                )
            self._answer(_decode(message.data))
            if until is not None and time.monotonic() >= until:
                return

    def _answer(self, answer: Fields) -> None:
        if "id" not in answer:
            return
        self._meter.answer(np.array([answer["id"]], np.int64))
        reply = answer.get("reply")
        if reply is not None:
            count_reply(self._meter, reply)
        else:
            count_problem(self._meter, answer["problem"])


async def feed_http(url: str, key: str, commands: Iterable[Fields], meter: Meter) -> AsyncIterator[None]:
    """Play commands one after the other as HTTP requests; yields after each."""
    base = url.rstrip("/")
    try:
        async with aiohttp.ClientSession(headers=_headers(key)) as client:
            for fields in commands:
                if (wait := meter.seconds_until_due()) > 0:
                    await asyncio.sleep(wait)
                try:
                    method, path, body = request_of(fields)
                except RefusedAtDoor as refusal:
                    meter.refusals[refusal.reason.name.lower()] += 1
                    continue
                meter.send(1)
                status, answer = await _request(client, method, base + path, body)
                while status == BUSY_STATUS:
                    await asyncio.sleep(BUSY_WAIT_SECONDS)
                    status, answer = await _request(client, method, base + path, body)
                meter.answer(np.array([meter.sent - 1], np.int64))
                if "fills" in answer:
                    count_reply(meter, answer)
                elif status >= 400:
                    count_problem(meter, answer)
                yield
    except (aiohttp.ClientError, OSError) as fault:
        raise closed_by(url, fault) from None


async def _request(
    client: aiohttp.ClientSession, method: str, url: str, body: bytes | None
) -> tuple[int, Fields]:
    async with client.request(method, url, data=body) as response:
        raw = await response.read()
        try:
            answer = _decode(raw)
        except msgspec.DecodeError:
            raise DoorClosed(f"{url}: status {response.status}, not JSON: {raw[:80]!r}") from None
        if response.status == NO_SUCH_METHOD:
            raise DoorClosed(f"{url}: status {response.status}: this door takes no orders; {ORDER_DOOR}")
        if response.status in KEY_REFUSED:
            raise DoorClosed(f"{url}: {answer.get('detail', 'not permitted')}; give --key or --data")
        return response.status, answer if isinstance(answer, dict) else {}


def request_of(fields: Fields) -> tuple[str, str, bytes | None]:
    """Return method, path and body of a command (interface R2) for the HTTP door (interface R5)."""
    op = fields["op"]
    if op not in TRADING_OPS:
        return "POST", ADMIN_PATH, _encode(fields)
    rest = {name: value for name, value in fields.items() if name != "op" and value is not None}
    if op == "new":
        return "POST", ORDERS_PATH, _encode(rest)
    # What stands in an address reads as a text does: a value of another type must not pass for it.
    account = whole(required(fields, "account"), "account")
    if op == "mass_cancel":
        refuse_unknown_fields(fields, MASS_CANCEL_FIELDS, op)
        for name in ("symbol", "side"):
            if not isinstance(rest.get(name, ""), str):
                raise MalformedCommand(name, rest[name], "give a string")
        return "DELETE", f"{ORDERS_PATH}?{urlencode(rest)}", None
    refuse_unknown_fields(fields, CANCEL_FIELDS if op == "cancel" else REPLACE_FIELDS, op)
    client_order_id, order_id = order_ids(fields)
    rest = {name: value for name, value in rest.items() if name not in IN_ADDRESS}
    if order_id is not None:
        name = str(whole(order_id, "order_id"))
    elif type(client_order_id) is int or type(client_order_id) is str:
        name = address_of(client_order_id)
    else:
        raise MalformedCommand("client_order_id", client_order_id, "give a whole number or a text")
    path = f"{ORDERS_PATH}/{name}?{urlencode({'account': account})}"
    return ("DELETE", path, None) if op == "cancel" else ("PATCH", path, _encode(rest))


def count_reply(meter: Meter, reply: Fields) -> None:
    """Count the fills of a reply."""
    meter.fills += len(reply.get("fills") or ())


def count_problem(meter: Meter, problem: Fields) -> None:
    """Count a refusal: with a seq it was the engine's, without one the door's."""
    if problem.get("seq") is None and problem.get("status") == 400:
        meter.refusals[problem["reason"]] += 1
    else:
        meter.rejections[problem["reason"]] += 1


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
