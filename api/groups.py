"""`GET /v1/groups/{group}`: a group of accounts with its limits, their use, its equity and latches."""

from http import HTTPStatus

from aiohttp import web

from api.limits import latches_document, limits_document, losses_document
from api.live import LiveSource
from api.process.access import require_key
from api.process.callers import CALLER
from api.process.documents import Document, answer
from api.process.parameters import INT64_MAX, allow_only, whole_number
from api.process.problem import ApiProblem, not_found
from engine.settings.config import Key
from engine.trading.records import Role
from engine.trading.view.group_view import GroupView


class Groups:
    """The handler of groups, over a live source."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source

    async def group(self, request: web.Request) -> web.Response:
        """Return one group to who may read every account."""
        allow_only(request, ())
        _require_all_accounts(request[CALLER])
        number = whole_number(request.match_info["group"], "group", 1, INT64_MAX)
        found = await self._source.group(number)
        if found is None:
            raise not_found("unknown_group", f"group {number} is not defined", "group")
        return answer(group_document(found))


def _require_all_accounts(caller: Key | None) -> None:
    """Refuse a key that is bound to accounts, or is neither operator nor viewer."""
    key = require_key(caller)
    if key.accounts is not None or not key.roles & (Role.OPERATOR | Role.VIEWER):
        detail = (
            f"key {key.name!r} may not read groups: it takes the role operator or viewer and all accounts"
        )
        raise ApiProblem(HTTPStatus.FORBIDDEN, "not_permitted", detail)


def group_document(group: GroupView) -> Document:
    """Return a group as callers read it."""
    return {
        "group": group.group,
        "seq": group.seq,
        "accounts": list(group.accounts),
        "reporting_currency": None if group.reporting is None else group.reporting.code,
        "latches": latches_document(group),
        "losses": losses_document(group),
        "limits": limits_document(group),
        "open_orders": group.open_order_count,
        "positions": [
            {
                "symbol": each.instrument.symbol,
                "quantity": each.instrument.quantity_text(each.qty),
                "gross_quantity": each.instrument.quantity_text(each.gross_qty),
                "open_buy_quantity": each.instrument.quantity_text(each.open_buy_qty),
                "open_sell_quantity": each.instrument.quantity_text(each.open_sell_qty),
            }
            for each in group.positions
        ],
    }
