"""The GET routes under /v1: parameters in, one consistent and durable answer out."""

from collections.abc import Sequence

from aiohttp import web

from api import documents
from api.groups import Groups
from api.parameters import known_instrument, no_such_account, query_side, query_status, refused_at_door
from api.past.pages import Past
from api.past.queries import COMMON, PastQueries
from api.process.access import may_read, require_account, require_key, require_role
from api.process.callers import CALLER
from api.process.documents import answer
from api.process.parameters import (
    INT64_MAX,
    PAGE,
    PAGE_MAX,
    account_number,
    allow_only,
    query_cursor,
    query_limit,
    query_number,
    query_time,
)
from api.process.past import no_history
from api.process.problem import bad_request, not_found
from api.process.status import StatusReport
from api.queries.order_lookup import OrderLookup
from api.queries.sizes import Sizes
from api.streams.hub import Hub
from engine.settings.config import Key
from engine.trading.client_ids import client_id, order_of_address
from engine.trading.records import Role, Status
from engine.trading.view.records import OrderView

BOOK_DEPTH = 10
BOOK_DEPTH_MAX = 5000
LISTED_ACCOUNTS_MAX = 64


def _check_page(request: web.Request) -> None:
    """Refuse a page or time that nobody can read, whether or not there is a history to ask."""
    query_limit(request, PAGE, PAGE_MAX)
    query_cursor(request, INT64_MAX)
    for name in ("from", "to"):
        query_time(request, name)


class Queries:
    """Handlers that share one hub, its live source and its memory of events."""

    def __init__(
        self, hub: Hub, status: StatusReport, past: Past | None = None, keys: Sequence[Key] = ()
    ) -> None:
        self._hub = hub
        self._past = None if past is None else PastQueries(past, hub.source)
        self._lookup = OrderLookup(hub, self._past, keys)
        self._source = hub.source
        self._view = hub.source.view
        self._sizes = Sizes(hub.source)
        self._groups = Groups(hub.source)
        self._status = status

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [
            web.get("/v1/instruments", self.instruments),
            web.get("/v1/book/{symbol:[^/]+}", self.book),
            web.get("/v1/trades", self.past_trades),
            web.get("/v1/trades/{symbol:[^/]+}", self.trades),
            web.get("/v1/orders", self.orders),
            web.get("/v1/orders/{order_id:[^/]+}", self.order),
            web.get("/v1/fills", self.fills),
            web.get("/v1/accounts/fees", self.fee_account),
            web.get("/v1/accounts/{account}", self.account),
            web.get("/v1/accounts/{account}/movements", self.movements),
            web.get("/v1/accounts/{account}/equity", self.equity),
            web.get("/v1/accounts/{account}/size", self.size),
            web.get("/v1/groups/{group}", self.group),
            web.get("/v1/latches", self.latches),
            web.get("/v1/status", self.status),
            web.get("/v1/latency", self.latency),
        ]

    async def instruments(self, request: web.Request) -> web.Response:
        """List the instruments in order of creation."""
        allow_only(request, ("limit", "cursor"))
        first, limit = query_cursor(request, 0), query_limit(request, PAGE_MAX, PAGE_MAX)
        known = self._view.catalogue.instruments
        await self._source.until_durable(self._view.seq)
        page = known[first : first + limit]
        return answer(
            {
                "instruments": [
                    documents.instrument_document(
                        each, self._view.book_record(each.instrument_idx), self._view.is_venue_killed
                    )
                    for each in page
                ],
                "next_cursor": str(first + limit) if first + limit < len(known) else None,
            }
        )

    async def book(self, request: web.Request) -> web.Response:
        """Return a snapshot of one book."""
        allow_only(request, ("depth",))
        depth = query_number(request, "depth", 1, BOOK_DEPTH_MAX) or BOOK_DEPTH
        instrument = known_instrument(self._view, request.match_info["symbol"])
        book = await self._source.book(instrument.instrument_idx, depth)
        return answer(documents.book_document(book, self._source.epoch))

    async def trades(self, request: web.Request) -> web.Response:
        """Page through the recent trades of an instrument, newest first."""
        allow_only(request, ("limit", "cursor"))
        limit, before = query_limit(request, PAGE, PAGE_MAX), query_cursor(request, INT64_MAX)
        instrument = known_instrument(self._view, request.match_info["symbol"])
        await self._source.until_followed(lambda: self._hub.complete_seq)
        found = self._hub.trades.page(instrument.instrument_idx, before, limit)
        return answer(
            {
                "symbol": instrument.symbol,
                "epoch": self._source.epoch,
                "trades": documents.public_trades(instrument, found),
                "next_cursor": str(found["event_idx"][-1]) if len(found) == limit else None,
                "complete_after_seq": self._hub.trades.complete_after_seq,
            }
        )

    async def past_trades(self, request: web.Request) -> web.Response:
        """Page through all trades there ever were, newest first."""
        allow_only(request, COMMON)
        _check_page(request)
        if self._past is None:
            raise no_history("a list of all trades")
        return answer(await self._past.trades(request))

    async def fills(self, request: web.Request) -> web.Response:
        """Page through the fills of an account, newest first: all, or without history the recent."""
        allow_only(request, ("account", "side", *COMMON))
        _check_page(request)
        limit, before = query_limit(request, PAGE, PAGE_MAX), query_cursor(request, INT64_MAX)
        account = self._one_account(request)
        if self._past is not None:
            return answer(await self._past.fills(request, account))
        self._refuse_past(request, ("symbol", "side", "from", "to"))
        await self._source.until_followed(lambda: self._hub.complete_seq)
        found = self._hub.trades.page_of_account(account, before, limit)
        catalogue = self._view.catalogue
        fills = []
        for event, row in zip(found, found.tolist(), strict=True):
            if event["account"] == account:
                fills.append(documents.report(catalogue, row))
            if event["maker_account"] == account:
                fills.append(documents.report(catalogue, row, is_maker=True))
        return answer(
            {
                "account": account,
                "epoch": self._source.epoch,
                "fills": fills,
                "next_cursor": str(found["event_idx"][-1]) if len(found) == limit else None,
                "complete_after_seq": self._hub.trades.complete_after_seq,
            }
        )

    async def orders(self, request: web.Request) -> web.Response:
        """Page through orders: all, newest first; with status=open, or without history, the live ones."""
        allow_only(request, ("account", "side", "status", *COMMON))
        _check_page(request)
        if self._past is not None and query_status(request) != Status.OPEN:
            return answer(await self._past.orders(request, self._readable(request)))
        if query_status(request) not in (None, Status.OPEN):
            raise no_history("a list of orders that ended")
        self._refuse_past(request, ("from", "to"))
        limit, after = query_limit(request, PAGE, PAGE_MAX), query_cursor(request, 0)
        side = query_side(request)
        symbol = request.query.get("symbol")
        if symbol is not None:
            known_instrument(self._view, symbol)
        found: list[OrderView] = []
        for account in self._accounts(request):
            live = await self._source.orders(account)
            found += [
                order
                for order in (live.orders if live else ())
                if order.order_id > after
                and (side is None or order.side is side)
                and (symbol is None or order.instrument.symbol == symbol)
            ]
        found.sort(key=lambda order: order.order_id)
        page = found[:limit]
        return answer(
            {
                "orders": [documents.order_document(order) for order in page],
                "next_cursor": str(page[-1].order_id) if len(found) > limit else None,
            }
        )

    async def order(self, request: web.Request) -> web.Response:
        """Return one order by engine id, or by `client:ID` with ?account=."""
        allow_only(request, ("account",))
        segment = request.rel_url.raw_path.rpartition("/")[2]
        caller = require_key(request[CALLER])
        with refused_at_door():
            name, given = order_of_address(segment)
            if name == "client_order_id":
                client_id(given, caller.name)
        if name == "client_order_id":
            found = await self._lookup.by_client_id(caller, self._one_account(request), given)
        else:
            assert isinstance(given, int)
            asked = self._one_account(request) if "account" in request.query else None
            found = await self._lookup.by_order_id(caller, given)
            if found is not None and asked not in (None, found["account"]):
                found = None
        if found is None:
            known = "live order" if self._past is None and name == "order_id" else "order"
            raise not_found("unknown_order", f"no {known} {given!r:.64} of your accounts", name)
        return answer(found)

    def _refuse_past(self, request: web.Request, names: tuple[str, ...]) -> None:
        """Refuse filters that live answers do not have."""
        given = [name for name in names if name in request.query]
        if given and self._past is None:
            raise no_history(f"the filter {given[0]!r}")
        if given:
            raise bad_request(given[0], request.query[given[0]], "is not for status=open: those are all live")

    def _readable(self, request: web.Request) -> list[int] | None:
        """Return the account asked for, or those of the key; None is every account."""
        caller = require_key(request[CALLER])
        if "account" in request.query:
            return [self._one_account(request)]
        if caller.accounts is not None and len(caller.accounts) > LISTED_ACCOUNTS_MAX:
            raise bad_request("account", "", f"the key has {len(caller.accounts)}: name one, ?account=NUMBER")
        return None if caller.accounts is None else list(caller.accounts)

    async def account(self, request: web.Request) -> web.Response:
        """Return balances, positions, exposure and equity of an account."""
        allow_only(request, ())
        account = account_number(request.match_info["account"])
        require_account(request[CALLER], account)
        found = await self._source.account(account)
        if found is None:
            raise no_such_account(account)
        return answer(documents.account_document(found))

    async def fee_account(self, request: web.Request) -> web.Response:
        """Return what the fee account has in each currency; below zero where rebates were higher."""
        allow_only(request, ())
        require_role(request[CALLER], Role.OPERATOR)
        fees, seq = await self._source.fees()
        return answer(documents.fee_account_document(fees, seq))

    async def movements(self, request: web.Request) -> web.Response:
        """Page through the movements of money of an account, newest first."""
        past, account = self._past_of_account(request, "a list of movements of money")
        return answer(await past.movements(request, account))

    async def equity(self, request: web.Request) -> web.Response:
        """Page through the samples of an account's equity, newest first."""
        past, account = self._past_of_account(request, "a series of equity")
        return answer(await past.equity(request, account))

    async def latches(self, request: web.Request) -> web.Response:
        """Page through what was latched, warned of and lifted, newest first."""
        allow_only(request, ("account", "from", "to", "limit", "cursor"))
        _check_page(request)
        accounts = self._readable(request)
        if self._past is None:
            raise no_history("a list of latches")
        return answer(await self._past.latches(request, accounts))

    def _past_of_account(self, request: web.Request, what: str) -> tuple[PastQueries, int]:
        """Return what answers out of the past, and the account of the path, which may be read."""
        allow_only(request, ("from", "to", "limit", "cursor"))
        account = account_number(request.match_info["account"])
        require_account(request[CALLER], account)
        _check_page(request)
        if self._view.account_idx(account) is None:
            raise no_such_account(account)
        if self._past is None:
            raise no_history(what)
        return self._past, account

    async def group(self, request: web.Request) -> web.Response:
        """What a group of accounts has, and how near it is to its limits."""
        return await self._groups.group(request)

    async def size(self, request: web.Request) -> web.Response:
        """Return the quantity that a method of position sizing gives an account."""
        return await self._sizes.size(request)

    async def status(self, request: web.Request) -> web.Response:
        """Return processes, rings, durability, lag and rates."""
        allow_only(request, ())
        return answer(self._status.document())

    async def latency(self, request: web.Request) -> web.Response:
        """Return a histogram per stage."""
        allow_only(request, ())
        return answer(self._status.latency())

    def _one_account(self, request: web.Request) -> int:
        caller = require_key(request[CALLER])
        text = request.query.get("account")
        if text is not None:
            account = account_number(text)
            require_account(caller, account)
        elif caller.accounts is not None and len(caller.accounts) == 1:
            account = caller.accounts[0]
        else:
            raise bad_request("account", "", "name one: ?account=NUMBER")
        if self._view.account_idx(account) is None:
            raise no_such_account(account)
        return account

    def _accounts(self, request: web.Request) -> list[int]:
        """Return the account asked for, or those of the key that have live orders."""
        caller = require_key(request[CALLER])
        if "account" in request.query:
            return [self._one_account(request)]
        active = self._view.accounts_with_orders()
        own = [account for account in active if may_read(caller, account)]
        if len(own) > LISTED_ACCOUNTS_MAX:
            raise bad_request("account", "", f"{len(own)} accounts have orders: name one, ?account=NUMBER")
        return own
