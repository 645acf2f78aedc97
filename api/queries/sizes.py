"""`GET /v1/accounts/{account}/size`: the quantity that a method of position sizing gives, without an order.

The answer is what an order with the same `size_by` would be given at this moment, and what decided it; the
same kernels choose both (exchange rule S21).
"""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from api.live import LiveSource
from api.parameters import known_instrument, no_such_account, query_side, refused_at_door
from api.process.access import require_account
from api.process.callers import CALLER
from api.process.documents import Document, answer
from api.process.parameters import INT64_MAX, account_number, allow_only, query_number
from api.process.problem import ApiProblem, bad_request
from engine.trading.instruments import Instrument, RefusedAtDoor
from engine.trading.records import Reason, Side
from engine.trading.view.records import SizeView
from gateways.json_lines.fields import MalformedCommand
from gateways.json_lines.size_by import METHODS as METHODS
from gateways.json_lines.size_by import PPM_RANGES as PPM_RANGES
from gateways.json_lines.size_by import size_by_of, sizing_words

TEXTS = ("method", "stop", "amount")
PARAMETERS = ("symbol", "side", "price", *TEXTS, *PPM_RANGES)
DETAILS = {
    Reason.NO_RATE: (
        "no rate says what the account has, or would trade, is worth in its reporting currency: "
        "an operator sets one with a line of op `rate`"
    ),
    Reason.INVALID_FIELD: "the stop must be another price than the one it is sized at, and at most max_price",
    Reason.INVALID_PRICE: "the price must be above zero and at most the instrument's max_price",
    Reason.MAX_QUANTITY: "the size is above the max_quantity, which caps nothing: it refuses",
    Reason.MAX_NOTIONAL: "price x size is above the max_notional, which caps nothing: it refuses",
    Reason.NO_LIQUIDITY: "the opposite side of the book is empty: give a price",
    Reason.OVERFLOW: "the account is worth more, or owes more, than can be counted",
}
FIELDS = {Reason.INVALID_FIELD: "stop", Reason.INVALID_PRICE: "price"}


class Sizes:
    """The handler, on a live source."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source

    async def size(self, request: web.Request) -> web.Response:
        """Return the quantity of an order that would be sized now."""
        allow_only(request, PARAMETERS)
        shares = {name: query_number(request, name, 0, INT64_MAX) for name in PPM_RANGES}
        account = account_number(request.match_info["account"])
        require_account(request[CALLER], account)
        side = query_side(request)
        for name in ("symbol", "side", "method"):
            if name not in request.query:
                known = f", one of {', '.join(METHODS)}" if name == "method" else ""
                raise bad_request(name, "", f"it is needed{known}")
        assert side is not None
        if self._source.view.account_idx(account) is None:
            raise no_such_account(account)
        instrument = known_instrument(self._source.view, request.query["symbol"])
        given: dict[str, Any] = {name: request.query[name] for name in TEXTS if name in request.query}
        given |= {name: share for name, share in shares.items() if share is not None}
        px = _price(request, instrument)
        words = _words(given, instrument)
        found = await self._source.size(account, instrument.instrument_idx, side, px, words)
        if found.reason != Reason.NONE:
            detail = DETAILS.get(found.reason, f"the engine would refuse it: {found.reason.name.lower()}")
            status, field = HTTPStatus.UNPROCESSABLE_ENTITY, FIELDS.get(found.reason)
            raise ApiProblem(status, found.reason.name.lower(), detail, field=field)
        return answer(size_document(account, side, words, found))


def _price(request: web.Request, instrument: Instrument) -> int:
    """Return the price of a limit order in ticks, 0 of a market order."""
    if "price" not in request.query:
        return 0
    with refused_at_door():
        px = instrument.px(request.query["price"])
        if px < 1:
            raise RefusedAtDoor(Reason.INVALID_PRICE, "price", request.query["price"], "must be above zero")
        return px


def _words(given: dict[str, Any], instrument: Instrument) -> tuple[int, int]:
    with refused_at_door():
        try:
            return sizing_words(given, instrument, within="")
        except MalformedCommand as malformed:
            value = "" if malformed.value is None else malformed.value
            raise bad_request(malformed.field, value, malformed.detail) from None


def size_document(account: int, side: Side, words: tuple[int, int], found: SizeView) -> Document:
    """Return a size with all that decided it."""
    instrument = found.instrument
    rooms = {"max_position": found.position_room, "buying_power": found.funds_room}
    decided_by = next((name for name, room in rooms.items() if room == found.qty), "method")
    return {
        "account": account,
        "symbol": instrument.symbol,
        "side": side.name.lower(),
        "seq": found.seq,
        "size_by": size_by_of(*words, instrument),
        "price": instrument.price_text(found.px),
        "limit_price": instrument.price_text(found.limit_px),
        "quantity": instrument.quantity_text(found.qty),
        "decided_by": "method" if found.qty == found.wanted else decided_by,
        "wanted_quantity": instrument.quantity_text(found.wanted),
        "equity": None if found.equity is None else found.currency.text(found.equity),
        "currency": found.currency.code,
        "caps": {
            name: None if room is None else instrument.quantity_text(room) for name, room in rooms.items()
        },
    }
