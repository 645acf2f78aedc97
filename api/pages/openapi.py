"""`/openapi.json`: the routes of this process, described for people and tools."""

from api.process.openapi import (
    CURSOR,
    LIMIT,
    TIMES,
    Schema,
    encoded,
    object_of,
    open_route,
    page_of,
    parameter,
    refusals,
    route,
    whole,
)
from api.queries.routes import BOOK_DEPTH, BOOK_DEPTH_MAX
from api.queries.sizes import METHODS, PPM_RANGES
from api.streams.requests import STREAM_DEPTH_MAX
from api.streams.risk import ACCOUNTS_MAX, SAMPLE_S, SAMPLED_PER_TURN
from api.streams.socket import STREAMS_MAX
from engine.settings.door_settings import DoorLimits

DESCRIPTION = """Queries and streams of a running Pinion instance. It never accepts orders: those have a
process of their own.

**Keys.** With keys configured every `/v1` route needs `Authorization: Bearer KEY`; market data is then
open to every key, accounts, orders and fills to the accounts the key is bound to. Without any key
configured market data is open and private data is closed. `/`, `/healthz`, `/readyz`, `/metrics` and this
document never need a key.

**Units.** Prices, quantities and money are decimal strings; times are nanoseconds since 1970 of the engine's
clock (`eng_ts`) or of this process (`send_ts`). A time in seconds, milliseconds or microseconds (1 to
10^17) is refused.

**Parameters.** Each is given once and has a value; what is empty, repeated, unknown or not spelt in plain
digits is refused with 400, which names it: a filter is never left out in silence. A `#` in an address is
written `%23`; a bare one, behind which clients and proxies drop everything, is 400.

**History.** Lists of orders, fills, trades and movements of money come from a database that follows the
journal, a fraction of a second late; `as_of_seq` is the last command they include. Commands that did
nothing, ticks of a quiet time,
may come 30 s later. `next_cursor` is opaque: nothing is skipped or repeated between pages, whatever happens
meanwhile. Without a database, or while it is down, what needs it
answers 503 with the reason `no_history`, `history_unavailable` or `history_busy`; live answers go on.

**Doors.** Requests for a host that the setting `api.hosts` does not name get 421, WebSockets of pages that
`api.origins` does not name 403, a body with a Content-Encoding 415, a Transfer-Encoding other than `chunked`
501, an Expect other than `100-continue` 417. A header that decides something (`Host`, `Origin`,
`Authorization`, `Idempotency-Key`, `Content-Type`, `Expect`, those of a WebSocket) given twice gets 400. 405
carries `Allow`, as does the answer to OPTIONS. Limits and time-outs are those of `[doors]`.

**Client order ids** are whole numbers from 1 to 2**63 - 1, texts of 1 to 24 printable bytes of UTF-8, or
UUIDs of 36 characters (8-4-4-4-12; one id in either case, told in lower case).
`/v1/orders/client:ID?account=NUMBER` finds an order, live or ended, by the id it was given,
percent-encoded: digits without leading zeros are a number, a text of digits stands in double quotes
(`client:"7"`), anything else is the text itself. A text is looked for under the asking key, then under the
others that have the account. Where history cannot be asked, an order that ended is told shorter; `symbol`
and `cum_quantity` are null where they are not known any more.

**Sizes.** `/v1/accounts/{account}/size` answers what an order with the same `size_by` would be given at this
moment: the least of what the method wants and of what `max_position` and buying power leave; `decided_by`
names it, and a cap that is not there is null. A quantity of 0 would be refused. What cannot be sized is 422
with the reason of the order's refusal.

**Whose.** An order of an account that is not the key's is 404, as one that does not exist; such an account
is 403, whether it exists or not.

**Durability.** An answer leaves only when everything it shows is durable in the instance's mode; see
`durability` in `/v1/status`. Otherwise 503 with Retry-After."""

STREAM = f"""A WebSocket; one JSON object a message. The key comes as the Authorization header or, within
{DoorLimits().key_timeout_s:g} s (`doors.key_timeout_s`), as first message `{{"op":"auth","token":"KEY"}}`.

Requests: `{{"op":"subscribe","channel":C,...,"id":X}}`, `unsubscribe`, `ping`. Every request is answered with
`subscribed`, `unsubscribed`, `pong` or `error` (`reason`, `detail`, `field`), repeating its `id`.

- `book` (`symbol`, `depth` 1 to {STREAM_DEPTH_MAX}): a `snapshot`, then `delta`s. `prev_md_seq` of a delta is
  the `md_seq` of the message before it. Rows are `[price, quantity, orders]`, absolute; quantity "0" removes
  the row. A reader that lags gets fewer, larger deltas.
- `ticker` (`symbol`), `status`: newest state only.
- `trades` (`symbol`), `fills`, `orders` (`account`; private): `data` is a list; every one is sent, none
  merged. With `after_seq` the stream begins behind that seq, as far as memory reaches (else error
  `resume_too_old`).
- `risk` (`account`, or all of the key; private): a `snapshot` of `accounts`, each with `limits` (what is
  measured, what is allowed, the distance), `losses` (equity, peak, drawdown, day_start), `latches`,
  `open_orders` and the `seq` of the last command that touched it; then a `delta` with those that changed,
  each whole, whose `prev_seq` is the `seq` of the message before it. Copies are taken every {SAMPLE_S:g} s,
  of more than {SAMPLED_PER_TURN} accounts a little more seldom, and what is equal is not sent. What
  latches, warns or is lifted comes at once as `latched`: `data` has every one of it, kills that concern the
  accounts too, and the account follows in a `delta`. With `after_seq` those since that seq come first. A
  key of every account gets those that have limits of their own or are killed, {ACCOUNTS_MAX} at most (else
  error `too_many_accounts`).

A reader that falls too far behind on trades, private reports or latches is closed with code 4008 and the
reason `{{"reason":"overrun","resume_after_seq":N}}`: subscribe again with `after_seq` N. Some reports with
a higher seq may come twice; `event_idx` tells them apart. Other codes: 4001 no or unknown key, 4002 too
many faulty requests, 1013 {STREAMS_MAX} readers are served already, 1001 the server stops, 1002 unmasked
frames.
Few readers without a key are served at a time (`doors.keyless_streams`): the oldest gives way."""

LEVEL_ROWS = {
    "type": "array",
    "items": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "string"}, {"type": "integer"}],
        "minItems": 3,
        "maxItems": 3,
    },
}


SYMBOL = parameter("path", "symbol", {"type": "string"}, "symbol of an instrument")
ACCOUNT = parameter("query", "account", whole(1, 2**63 - 1), "an account of the key")


def _paths() -> Schema:
    text, number = {"type": "string"}, {"type": "integer"}
    depth = parameter("query", "depth", whole(1, BOOK_DEPTH_MAX, BOOK_DEPTH), "levels of a side")
    book = object_of(symbol=text, epoch=number, seq=number, md_seq=number, bids=LEVEL_ROWS, asks=LEVEL_ROWS)
    status_schema = object_of(
        durability=text, processes={"type": "array"}, rings={"type": "array"}, seq=number
    )
    upgrade = {
        "summary": "Streams over a WebSocket",
        "description": STREAM,
        "responses": {"101": {"description": "Switching Protocols"}} | refusals(403, 426),
    }
    return {
        "/v1/instruments": route("Instruments and their rules", page_of("instruments"), LIMIT, CURSOR),
        "/v1/book/{symbol}": route("A book from live state", book, SYMBOL, depth, refused=(404,)),
        "/v1/trades/{symbol}": route(
            "Recent trades, newest first", page_of("trades"), SYMBOL, LIMIT, CURSOR, refused=(404,)
        ),
        **_list_paths(),
        **_account_paths(),
        "/v1/groups/{group}": _group_path(),
        "/v1/rules": route(
            "Sets of rules, which governs, what each rule refused (roles operator, viewer)",
            object_of(governing=number, before=number, sets={"type": "array"}, seq=number),
            refused=(403,),
        ),
        "/v1/status": route("Processes, rings, durability, lag, rates", status_schema),
        "/v1/latency": route(
            "A latency histogram per stage", object_of(unit=text, stages={"type": "object"})
        ),
        "/v1/stream": {"get": upgrade},
        "/metrics": open_route("Prometheus metrics", "text/plain"),
        "/healthz": open_route("This process answers", "application/json"),
        "/readyz": open_route(
            "An order would be answered; else 503 says what is to blame", "application/json", 503
        ),
        "/": open_route("A live dashboard", "text/html"),
    }


def _account_paths() -> Schema:
    """Return the questions about one account."""
    text, number = {"type": "string"}, {"type": "integer"}
    account = parameter("path", "account", whole(1, 2**63 - 1), "an account of the key")
    account_schema = object_of(
        account=number,
        balances={"type": "object"},
        positions={"type": "array", "items": {"type": "object"}},
        limits={"type": "object"},
        latches={"type": "array", "items": {"type": "object"}},
        losses={"type": ["object", "null"]},
        group={"type": ["integer", "null"]},
    )
    return {
        "/v1/accounts/{account}": route(
            "Balances, positions, exposure, equity", account_schema, account, refused=(403, 404)
        ),
        "/v1/accounts/fees": route(
            "What the fee account has in each currency (role operator)",
            object_of(account=text, seq=number, balances={"type": "object"}),
            refused=(403,),
        ),
        "/v1/accounts/{account}/movements": route(
            "Movements of money, newest first (needs history)",
            page_of("movements", as_of_seq=number),
            account,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(403, 404),
        ),
        "/v1/accounts/{account}/equity": route(
            "Samples of an account's equity, newest first (needs history)",
            page_of("equity", account=number, as_of_seq=number),
            account,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(403, 404),
        ),
        "/v1/accounts/{account}/size": _size_path(account),
    }


def _group_path() -> Schema:
    """Return the question what a group of accounts has, and how near it is to its limits."""
    listed = {"type": "array", "items": {"type": "object"}}
    group = object_of(
        group={"type": "integer"},
        seq={"type": "integer"},
        accounts={"type": "array", "items": {"type": "integer"}},
        reporting_currency={"type": ["string", "null"]},
        latches=listed,
        losses={"type": ["object", "null"]},
        limits={"type": "object"},
        open_orders={"type": "integer"},
        positions=listed,
    )
    number = parameter("path", "group", whole(1, 2**63 - 1), "the number of a group")
    return route(
        "A group of accounts: limits, use, equity, latches (role operator or viewer, all accounts)",
        group,
        number,
        refused=(403, 404),
    )


def _size_path(account: Schema) -> Schema:
    """Return the question how much an account would trade by a method of position sizing."""
    text, nothing = {"type": "string"}, {"type": ["string", "null"]}
    decided_by = {"enum": ["method", "max_position", "buying_power"]}
    shares = [
        parameter("query", name, whole(low, high), "parts per million")
        for name, (low, high) in PPM_RANGES.items()
    ]
    size = object_of(
        account={"type": "integer"},
        symbol=text,
        side=text,
        seq={"type": "integer"},
        size_by={"type": "object"},
        price=text,
        limit_price=text,
        quantity=text,
        decided_by=decided_by,
        wanted_quantity=text,
        equity=nothing,
        currency=text,
        caps=object_of(max_position=nothing, buying_power=nothing),
    )
    return route(
        "The quantity that an order with the same `size_by` would be given now, without ordering",
        size,
        account,
        parameter("query", "symbol", text, "what would be traded; needed"),
        parameter("query", "side", {"enum": ["buy", "sell"]}, "needed"),
        parameter("query", "method", {"enum": list(METHODS)}, "needed"),
        parameter("query", "price", text, "of a limit order; left out, the opposite best"),
        parameter("query", "stop", text, "of fixed_risk: where the loss would be taken"),
        parameter("query", "amount", text, "of fixed_notional, in the account's reporting currency"),
        *shares,
        refused=(403, 404, 422),
    )


def _list_paths() -> Schema:
    """Return the lists that history answers, or live state."""
    text, number = {"type": "string"}, {"type": "integer"}
    side = parameter("query", "side", {"enum": ["buy", "sell"]}, "one side only")
    status = parameter("query", "status", {"enum": ["open", "filled", "cancelled"]}, "orders that stand so")
    symbol_filter = parameter("query", "symbol", text, "one instrument only")
    named = "engine id, or `client:ID` with ?account=, as described above"
    order_id = parameter("path", "order_id", text, named)
    return {
        "/v1/trades": route(
            "All trades, newest first (needs history)",
            page_of("trades", as_of_seq=number),
            symbol_filter,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(404,),
        ),
        "/v1/orders": route(
            "Orders, newest first; with status=open, or without history, the live ones, oldest first",
            page_of("orders"),
            ACCOUNT,
            symbol_filter,
            side,
            status,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(403, 404),
        ),
        "/v1/latches": route(
            "What limits and kills latched, warned of and lifted, newest first (needs history)",
            page_of("latches", as_of_seq=number),
            ACCOUNT,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(403, 404),
        ),
        "/v1/orders/{order_id}": route(
            "One order; by its engine id one that ended only where there is history",
            {"type": "object"},
            order_id,
            ACCOUNT,
            refused=(403, 404, 422),
        ),
        "/v1/fills": route(
            "Fills, newest first: all, or the recent where there is no history",
            page_of("fills"),
            ACCOUNT,
            symbol_filter,
            side,
            *TIMES,
            LIMIT,
            CURSOR,
            refused=(403, 404),
        ),
    }


def document() -> bytes:
    """Return the OpenAPI document."""
    return encoded("Pinion API", DESCRIPTION, _paths())
