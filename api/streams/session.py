"""One stream connection without its socket: requests in, subscriptions and answers out.

    state        request     goes to
    new          auth        ready, or closed (UNAUTHORISED) when the key is unknown
    new          other       refused: unauthorised
    ready        auth        refused: one key a connection
    ready        other       answered; more than FAULTS_MAX refusals: closed (FAULTS)

A header with a known key, or a server without keys, starts a connection as ready.
"""

from enum import IntEnum
from typing import Any

import msgspec

from api.process.access import Access, may_read
from api.process.problem import ApiProblem
from api.streams.hub import EVERY_ACCOUNT, Hub, PrivateTopic
from api.streams.outbox import Outbox
from api.streams.requests import Auth, Ping, RefusedRequest, Request, Subscribe, Unsubscribe, parse
from api.streams.risk import Scope
from engine.settings.config import Key
from engine.trading.instruments import RefusedAtDoor

FAULTS_MAX = 32
SUBSCRIPTIONS_MAX = 64


class CloseCode(IntEnum):
    """The codes with which a stream is closed, beside those of RFC 6455."""

    UNAUTHORISED = 4001
    FAULTS = 4002
    OVERRUN = 4008
    FULL = 1013  # "try again later", of the registry that RFC 6455 made


class StreamClosed(Exception):  # noqa: N818  it is an outcome, not an error of ours
    """Exception that closes the connection with this code."""

    def __init__(self, code: CloseCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class StreamSession:
    """The requests and subscriptions of one connection."""

    def __init__(self, hub: Hub, access: Access, outbox: Outbox, key: Key | None, is_ready: bool) -> None:
        self._hub = hub
        self._access = access
        self._outbox = outbox
        self._key = key
        self.is_ready = is_ready
        self._faults = 0
        self._subscriptions: dict[tuple[Any, ...], None] = {}

    async def handle(self, message: str | bytes) -> None:
        """Answer one message; raise StreamClosed when the connection must end."""
        request_id: int | str | None = None
        try:
            request = parse(message)
            request_id = request.id
            reply = await self._answer(request)
        except RefusedRequest as refused:
            refused.request_id = refused.request_id if refused.request_id is not None else request_id
            self._refuse(refused)
        except RefusedAtDoor as refused:
            reason = refused.reason.name.lower()
            self._refuse(RefusedRequest(reason, str(refused), field=refused.field, request_id=request_id))
        except ApiProblem as problem:
            self._refuse(RefusedRequest(problem.reason, problem.detail, request_id=request_id))
        else:
            if request_id is not None:
                reply["id"] = request_id
            self._outbox.reply(msgspec.json.encode(reply))

    def leave(self) -> None:
        """Give every subscription up: the connection ended."""
        for topic in list(self._subscriptions):
            self._drop(topic)
        self._subscriptions.clear()

    async def _answer(self, request: Request) -> dict[str, Any]:
        if isinstance(request, Auth):
            return self._authenticate(request)
        if not self.is_ready:
            raise RefusedRequest("unauthorized", 'send {"op":"auth","token":"KEY"} first', field="op")
        if isinstance(request, Ping):
            return {"type": "pong"}
        if isinstance(request, Subscribe):
            return await self._subscribe(request)
        return self._unsubscribe(request)

    def _authenticate(self, request: Auth) -> dict[str, Any]:
        if self.is_ready and self._key is not None:
            raise RefusedRequest("invalid_field", "this connection has its key already", field="op")
        key = self._access.key_of_token(request.token)
        if key is None:
            raise StreamClosed(CloseCode.UNAUTHORISED, "unknown key")
        self._key = key
        self.is_ready = True
        return {"type": "authenticated", "name": key.name}

    async def _subscribe(self, request: Subscribe) -> dict[str, Any]:
        topic = self._topic(request)
        if topic in self._subscriptions:
            raise RefusedRequest("already_subscribed", f"{request.channel} is subscribed", field="channel")
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            raise RefusedRequest(
                "too_many_subscriptions",
                f"{SUBSCRIPTIONS_MAX} subscriptions at most: open another connection",
                field="channel",
            )
        hub, outbox = self._hub, self._outbox
        match topic:
            case ("book", idx, depth):
                await hub.subscribe_book(outbox, idx, depth)
            case ("ticker", idx):
                await hub.subscribe_ticker(outbox, idx)
            case ("trades", idx):
                hub.subscribe_trades(outbox, idx, request.after_seq)
            case ("status",):
                hub.status.subscribe(outbox)
            case ("risk", scope):
                hub.risk.subscribe(outbox, scope, request.after_seq, hub.complete_seq)
            case (channel, account):
                hub.subscribe_private(outbox, PrivateTopic(channel, account), request.after_seq)
        self._subscriptions[topic] = None
        hub.source.hurry()  # the pump may rest: from now on somebody listens
        return _about("subscribed", request)

    def _unsubscribe(self, request: Unsubscribe) -> dict[str, Any]:
        topic = self._topic(request)
        if topic not in self._subscriptions:
            raise RefusedRequest("not_subscribed", f"{request.channel} is not subscribed", field="channel")
        del self._subscriptions[topic]
        self._drop(topic)
        return _about("unsubscribed", request)

    def _drop(self, topic: tuple[Any, ...]) -> None:
        hub, outbox = self._hub, self._outbox
        match topic:
            case ("book", idx, depth):
                hub.unsubscribe_book(outbox, idx, depth)
            case ("ticker", idx):
                hub.unsubscribe_ticker(outbox, idx)
            case ("trades", idx):
                hub.unsubscribe_trades(outbox, idx)
            case ("status",):
                hub.status.unsubscribe(outbox)
            case ("risk", scope):
                hub.risk.unsubscribe(outbox, scope)
            case (channel, account):
                hub.unsubscribe_private(outbox, PrivateTopic(channel, account))

    def _topic(self, request: Subscribe | Unsubscribe) -> tuple[Any, ...]:
        """Return what is asked for, after checking that it exists and may be read."""
        channel = request.channel
        if channel == "status":
            return (channel,)
        if channel in ("fills", "orders"):
            return (channel, self._account(request))
        if channel == "risk":
            return (channel, self._scope(request))
        if request.symbol is None:
            raise RefusedRequest("invalid_field", f"{channel} needs a symbol", field="symbol")
        instrument_idx = self._hub.source.view.catalogue.instrument(request.symbol).instrument_idx
        if channel == "book":
            return (channel, instrument_idx, request.depth)
        return (channel, instrument_idx)

    def _scope(self, request: Subscribe | Unsubscribe) -> Scope:
        """Return the accounts whose risk is asked for: one, or all that the key has."""
        if request.account is None and self._key is not None:
            return self._key.accounts
        account = self._account(request)
        if self._hub.source.view.account_idx(account) is None:
            detail = f"account {account} is not defined"
            raise RefusedRequest("unknown_account", detail, field="account")
        return (account,)

    def _account(self, request: Subscribe | Unsubscribe) -> int:
        key = self._key
        if key is None:
            raise RefusedRequest("unauthorized", "private channels need a key", field="channel")
        if request.account is not None:
            if not may_read(key, request.account):
                detail = f"key {key.name!r} is not bound to account {request.account}"
                raise RefusedRequest("not_permitted", detail, field="account")
            return request.account
        if key.accounts is None:
            return EVERY_ACCOUNT
        if len(key.accounts) == 1:
            return key.accounts[0]
        raise RefusedRequest(
            "invalid_field", f"name one of the key's accounts: {list(key.accounts)[:16]}", field="account"
        )

    def _refuse(self, refused: RefusedRequest) -> None:
        self._faults += 1
        if self._faults > FAULTS_MAX:
            raise StreamClosed(
                CloseCode.FAULTS, f"{self._faults} refused requests; the last: {refused.detail}"
            )
        document: dict[str, Any] = {
            "type": "error",
            "reason": refused.reason,
            "detail": refused.detail,
            "field": refused.field,
        }
        if refused.request_id is not None:
            document["id"] = refused.request_id
        self._outbox.reply(msgspec.json.encode(document))


def _about(kind: str, request: Subscribe | Unsubscribe) -> dict[str, Any]:
    reply: dict[str, Any] = {"type": kind, "channel": request.channel}
    if request.symbol is not None:
        reply["symbol"] = request.symbol
    if request.account is not None:
        reply["account"] = request.account
    if request.channel == "book":
        reply["depth"] = request.depth
    return reply
