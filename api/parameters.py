"""Parameters that only trading knows, and what the codec of orders refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import web

from api.process.problem import ApiProblem, bad_request, not_found
from engine.trading.instruments import Instrument, RefusedAtDoor
from engine.trading.records import Reason, Side, Status
from engine.trading.view.live_view import LiveView


def query_side(request: web.Request) -> Side | None:
    """Return the side asked for, None for both."""
    text = request.query.get("side")
    if text is None:
        return None
    if text not in ("buy", "sell"):
        raise bad_request("side", text, 'must be "buy" or "sell"')
    return Side.BUY if text == "buy" else Side.SELL


def query_status(request: web.Request) -> int | None:
    """Return the order status asked for, None for all."""
    text = request.query.get("status")
    if text is None:
        return None
    found = next((status for status in Status if status.name.lower() == text), None)
    if found is None:
        raise bad_request("status", text, f"must be {', '.join(each.name.lower() for each in Status)}")
    return found


def known_instrument(view: LiveView, symbol: str) -> Instrument:
    """Return the instrument of a symbol; 404 where there is none."""
    try:
        return view.catalogue.instrument(symbol)
    except RefusedAtDoor as refused:
        raise not_found("unknown_symbol", f"symbol {symbol[:32]!r}: {refused.detail}", "symbol") from None


def no_such_account(account: int) -> ApiProblem:
    """Return the refusal of an account that was never defined."""
    return not_found("unknown_account", f"account {account} is not defined", "account")


@contextmanager
def refused_at_door() -> Iterator[None]:
    """Answer what the shared codec refuses, in the statuses of the order door."""
    try:
        yield
    except RefusedAtDoor as refusal:
        is_malformed = refusal.reason == Reason.INVALID_FIELD
        status = HTTPStatus.BAD_REQUEST if is_malformed else HTTPStatus.UNPROCESSABLE_ENTITY
        detail = f"{refusal.field} {refusal.value!r:.80}: {refusal.detail}"
        raise ApiProblem(status, refusal.reason.name.lower(), detail, field=refusal.field) from None
