"""The sockets of the payments door: requests to the desk, replies back.

The only file of this door that reads from or writes to a client. In this order: 401, RATE, 404 and 405,
headers and query, shedding, the size of the body, its form, the key's role and merchants.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from engine.payments.records import Role
from engine.settings.door_settings import DoorLimits
from engine.text import numbers
from gateways.payments.door.desk import PaymentDesk, PaymentRequest
from gateways.payments.door.dispatch import BUSY
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.limiters import RATE, Limiters
from gateways.payments.door.reads import DurableReads, NotNowError
from gateways.payments.door.refusals import DoorRefusal, forbidden, malformed, unknown
from gateways.payments.door.routes import (
    ACCOUNT,
    CHANGES_RULES,
    DEADLINE,
    READS_RULES,
    PaymentAsk,
    PaymentRoute,
    route_of,
)
from gateways.payments.door.rule_admin import RuleAdmin
from gateways.payments.door.rule_workshop import UserRules
from gateways.payments.door.set_up import SetupSender
from gateways.payments.form import Asked
from gateways.payments.hashing import Hasher
from gateways.payments.odd_lines import odd_lines
from gateways.payments.replies import Told, encode_reply, shown_id
from gateways.payments.setup_lines import SetupFault, setup_lines
from gateways.process.answers import Reply, options, refusal
from gateways.process.bodies import BodyFault, whole_body
from gateways.process.connections import as_response, show_key
from gateways.process.keys import AUTHORIZATION, KeyRing
from gateways.process.plain import Head
from gateways.process.plain_connections import PlainConnection
from gateways.process.turns import Turns
from ringbuf.seqlock import TornReadError

BODY_MAX = 2**16
SET_UP_MAX = 2**24
HOLDS_FILES = (PaymentAsk.SET_UP, PaymentAsk.REGISTER)
TURN_BYTES = 2**14
"""Bytes of bodies that all clients together have worked on in one turn of the event loop."""
DEADLINE_MS, DEADLINE_MS_MAX = 1000, 60_000
_encode = msgspec.json.Encoder().encode


class PaymentSockets:
    """Handles every request of the door; now : the event loop's time."""

    def __init__(
        self,
        keys: KeyRing[KeyOwner],
        limiters: Limiters,
        desk: PaymentDesk,
        reads: DurableReads,
        hasher: Hasher,
        user_rules: UserRules,
        limits: DoorLimits,
        now: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._limiters = limiters
        self._desk = desk
        self._reads = reads
        self._hasher = hasher
        self._rules_folder = user_rules.workshop.folder
        self._limits = limits
        self._now = now
        self._turns = Turns(TURN_BYTES)
        self._set_up = SetupSender(desk.dispatcher, now)
        self._rules = RuleAdmin(self._set_up, reads.rules, user_rules)
        self.is_stopping = False

    def plain(self, connection: PlainConnection, head: Head, body: bytes) -> None:
        """Answer a plain request, as `handle` does, without a task of its own."""
        try:
            owner = self._keys.of_header(head.authorization)
        except DoorRefusal as refused:
            connection.answer(refused.reply())
            return
        if not connection.has_key:
            connection.show_key()
        if not self._limiters.enter(owner.session):
            connection.answer(self._unanswered(RATE))
            return

        def reply(made: Reply) -> None:
            self._limiters.leave(owner.session)
            connection.answer(made)

        def answer(told: Told) -> None:
            reply(_reply(told))

        try:
            route = route_of(head.method, head.path)
            deadline_ms, account = head.own
            deadline = self._deadline(deadline_ms, bool(head.query))
            if self.is_stopping or not self._limiters.has_room(route.ask):
                reply(self._not_now(route))
            else:
                self._desk.submit(PaymentRequest(owner, route, body, deadline, account), answer)
        except DoorRefusal as refused:
            reply(refused.reply())
        except TornReadError:
            reply(self._not_now(route))
        except Exception:  # a fault of ours ends the connection; the key's room comes back
            self._limiters.leave(owner.session)
            raise

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            reply = await self._answered(request)
        except DoorRefusal as refused:
            is_asked = request.method == "OPTIONS" and refused.allow
            reply = options(refused.allow) if is_asked else refused.reply()
        except BodyFault as fault:
            is_read = request.content.is_eof()
            reply = refusal(fault.status, fault.reason, str(fault), "body", keep_alive=is_read)
        reply.keep_alive = reply.keep_alive and not self.is_stopping
        return as_response(reply)

    async def close(self) -> None:
        """Take no more requests: the door stops."""
        self.is_stopping = True

    async def _answered(self, request: web.BaseRequest) -> Reply:
        owner = self._keys.of_header(request.headers.get(AUTHORIZATION))
        show_key(request)
        if not self._limiters.enter(owner.session):
            return self._unanswered(RATE)
        try:
            return await self._taken_in(request, owner)
        finally:
            self._limiters.leave(owner.session)

    async def _taken_in(self, request: web.BaseRequest, owner: KeyOwner) -> Reply:
        """Return the answer to a request that is within what its key may ask."""
        route = route_of(request.method, request.rel_url.raw_path)
        deadline = self._deadline(request.headers.get(DEADLINE), bool(request.rel_url.raw_query_string))
        if not self._limiters.has_room(route.ask):
            return self._not_now(route)
        if route.ask == PaymentAsk.SET_UP or route.ask in CHANGES_RULES:
            owner.require(Role.RISK)  # before so much is read
        bytes_max = SET_UP_MAX if route.ask in HOLDS_FILES else BODY_MAX
        body = await whole_body(request, self._limits.body_timeout_s, bytes_max)
        if self.is_stopping:
            return self._not_now(route)
        try:
            if route.ask == PaymentAsk.SET_UP:
                return await self._of_set_up(owner, body)
            await self._turns.take(len(body))
            if route.ask in CHANGES_RULES or route.ask in READS_RULES:
                return await self._rules.answer(route, owner, body)
            if route.ask == PaymentAsk.PAYMENT:
                return await self._of_payment(owner, route)
            if route.ask == PaymentAsk.ACCOUNT:
                return await self._of_account(owner, route)
            asked = PaymentRequest(owner, route, body, deadline, request.headers.get(ACCOUNT))
            return _reply(await self._told(asked))
        except (TornReadError, NotNowError):
            return self._not_now(route)

    def _told(self, request: PaymentRequest) -> "asyncio.Future[Told]":
        """Submit a request; return the future of its reply."""
        future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def answer(told: Told) -> None:
            if not future.done():
                future.set_result(told)

        self._desk.submit(request, answer)
        return future

    def _deadline(self, header: str | None, has_query: bool) -> float:
        """Return until when, in the event loop's time, an answer is of use; refuse a query."""
        if has_query:
            raise malformed("no query is taken here; leave it out", "query")
        if header is None:
            return self._now() + DEADLINE_MS / 1000
        limit_ms = numbers.whole(header)
        if limit_ms is None or not 1 <= limit_ms <= DEADLINE_MS_MAX:
            raise malformed(f"give milliseconds, 1 to {DEADLINE_MS_MAX}", DEADLINE)
        return self._now() + limit_ms / 1000

    def _not_now(self, route: PaymentRoute) -> Reply:
        """Return the answer to what cannot be done now, and was not."""
        return self._unanswered(BUSY, is_operation=route.ask != PaymentAsk.PAY)

    def _unanswered(self, code: int, is_operation: bool = False) -> Reply:
        """Return the reply to what was not looked at."""
        nothing = Asked(bytearray(), None)
        return _reply(self._desk.replies.unanswered(code, nothing, is_operation=is_operation))

    async def _of_set_up(self, owner: KeyOwner, body: bytes) -> Reply:
        try:
            lines = await asyncio.to_thread(setup_lines, body, self._hasher)
        except SetupFault as fault:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "format", str(fault), fault.field)
        odd = await asyncio.to_thread(odd_lines, lines, self._rules_folder)
        told = await self._set_up.send(lines, owner)
        return Reply(HTTPStatus.OK, _encode(told | {"warnings": [each._asdict() for each in odd]}))

    async def _of_payment(self, owner: KeyOwner, route: PaymentRoute) -> Reply:
        replies = self._desk.replies
        seq = replies.seq_of(route.name)
        found = None if seq is None else await self._reads.payment(seq)
        if found is None or not (owner.reads_all or owner.is_for(found.merchant)):
            return _reply(replies.not_found(shown_id(route.name), None))
        return _reply(replies.of_view(found, hides=owner.hides))

    async def _of_account(self, owner: KeyOwner, route: PaymentRoute) -> Reply:
        if not owner.reads_all:
            raise forbidden(f"key {owner.name!r} lacks the role risk or viewer")
        number = numbers.whole(route.name)
        document = None if number is None else await self._reads.account(number)
        if document is None:
            raise unknown("unknown_account", "there is no account of this number")
        return Reply(HTTPStatus.OK, _encode(document))


def _reply(told: Told) -> Reply:
    return Reply(told.status, encode_reply(told.reply), is_document=True)
