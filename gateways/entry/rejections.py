"""Rejections: what the engine refused, told from its reason and from what was asked for."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine.trading.client_text import given_id
from engine.trading.records import Op, Reason
from gateways.entry.refusals import Refusal
from gateways.json_lines import EventFormatter
from gateways.json_lines.events import REASON_NAMES, STATUS_NAMES, EventWords
from gateways.json_lines.fields import Fields
from gateways.json_lines.rules import refusing_rule

OF_ORDERS = (Op.NEW, Op.REPLACE)
FIELD_OF_REASON = {
    Reason.UNKNOWN_ACCOUNT: "account",
    Reason.UNKNOWN_GROUP: "group",
    Reason.UNKNOWN_INSTRUMENT: "symbol",
    Reason.INVALID_CLIENT_ORDER_ID: "client_order_id",
    Reason.INVALID_SIDE: "side",
    Reason.INVALID_TYPE: "type",
    Reason.INVALID_TIME_IN_FORCE: "time_in_force",
    Reason.INVALID_EXPIRY: "expires_at",
    Reason.INVALID_QUANTITY: "quantity",
    Reason.MAX_QUANTITY: "quantity",
    Reason.INVALID_PRICE: "price",
    Reason.PRICE_BAND: "price",
    Reason.PRICE_COLLAR: "price",
}
"""The field that a reason of the engine is about, where it is one."""

DETAILS = {
    Reason.INVALID_QUANTITY: "the quantity must be above zero",
    Reason.INVALID_PRICE: "a price must be above zero and at most the instrument's max_price",
    Reason.MAX_QUANTITY: "the quantity is above the instrument's max_quantity; enter less",
    Reason.MAX_NOTIONAL: "price x quantity is above the instrument's max_notional; enter less",
    Reason.PRICE_BAND: "the price lies outside the instrument's band_low to band_high",
    Reason.PRICE_COLLAR: "the price is further from the mark than the instrument's collar allows",
    Reason.MAX_OPEN_ORDERS: "the account has its max_open_orders; cancel one first",
    Reason.MAX_POSITION: "with this order filled the account could pass its max_position",
    Reason.DUPLICATE: "this client_order_id was used before; the original order stands as given here",
    Reason.UNKNOWN_ORDER: "no open order of this account has that id",
    Reason.RATE_LIMIT: "the account's order rate is used up; slow down",
    Reason.UNKNOWN_ACCOUNT: "the engine knows no account of that number",
    Reason.NOT_PERMITTED: "the role or account of this session does not permit the operation",
    Reason.UNSUPPORTED: "the engine does not offer this yet; nothing was done",
    Reason.INSUFFICIENT_FUNDS: "the free balance does not cover price x quantity and fee",
    Reason.INVALID_EXPIRY: "expires_at belongs to time_in_force gtd alone",
    Reason.BLOCKED: (
        "the account, the instrument or the venue was stopped by a kill, or the account by a limit of loss: "
        "its `latches` tell; an operator lifts it with reset_latch"
    ),
    Reason.NO_RATE: (
        "no rate says what this, or all that the account has, is worth in its reporting currency: "
        "an operator sets one with a line of op `rate`"
    ),
    Reason.ALREADY_DEFINED: (
        "it is defined already, in another way; "
        "a reporting currency is fixed while the account has limits in money"
    ),
    Reason.STILL_BREACHED: (
        "the limit is still reached; with `rebase` it is measured from the equity of now, but a maintenance "
        "margin stays what it is: pay in, or let the account reduce what it holds"
    ),
    Reason.UNKNOWN_GROUP: "the engine knows no group of that number; a line of op `group` makes one",
    Reason.GROUPS_FULL: "there is no room for another group: engine.capacities.groups says for how many",
    Reason.IN_ANOTHER_GROUP: "an account is in one group at most; take it out of the other one first",
    Reason.REPORTING_CURRENCY: "the accounts of a group share one reporting currency; this one has another",
    Reason.NOT_LATCHED: "nothing of that is latched: there is nothing to lift",
    Reason.REDUCE_ONLY: (
        "the account has nothing left to close on this side, or not all of a fill-or-kill order, or a latch "
        "lets it only reduce what it holds: its positions, open orders and `latches` tell"
    ),
    Reason.INSUFFICIENT_MARGIN: (
        "the equity of the account does not cover the initial margin of what it would have in use: "
        "`margin` of the account tells what is free"
    ),
    Reason.NOT_FLAT: "the funding changes only while the account has neither positions nor open orders",
    Reason.UNKNOWN_RULES: (
        "no set of that hash is registered, or sixteen others have come since; "
        "GET /v1/rules of the API lists them"
    ),
    Reason.NO_RULES_BEFORE: "no set of rules has governed: there is nothing to go back to",
    Reason.UNKNOWN_PARAM: "no rule of a registered set has a param of that name",
    Reason.RULE_PARAMS_FULL: "there are 4,096 params of accounts and instruments already; lift one (null)",
    Reason.NO_LIQUIDITY: "the opposite side of the book is empty",
    Reason.POST_ONLY_WOULD_CROSS: "the order would have traded at once",
    Reason.FOK_UNFILLABLE: "the whole quantity cannot be filled now",
    Reason.NOT_ALLOWED_IN_PHASE: "the instrument's trading phase does not allow it",
}

DETAILS_OF_SIZES = {
    Reason.INVALID_QUANTITY: "the equity, max_position and buying power leave not one lot",
    Reason.INVALID_FIELD: (
        "the stop must be another price than the one at which the order enters, and at most max_price"
    ),
    Reason.NO_RATE: (
        "no rate says what the account has, or would trade, is worth in its reporting currency: "
        "an operator sets one with a line of op `rate`"
    ),
}
"""The same of an order that the engine was to size."""

DETAILS_OF_GROUPS = {
    Reason.INVALID_FIELD: "name each account once, and to `remove` accounts of the group alone",
    Reason.BLOCKED: (
        "the group is stopped and the account has open orders; cancel them, or lift the group's latches first"
    ),
    Reason.NO_RATE: (
        "the group has limits in money, and no rate says what all that the account has is worth in its "
        "reporting currency: an operator sets one with a line of op `rate`"
    ),
    Reason.OVERFLOW: "what the accounts have together would pass 2**62",
}
"""The same of a line that says which accounts a group has; the account at fault is named before it."""
FIELDS_OF_GROUPS = {Reason.GROUPS_FULL: "group", Reason.NOT_PERMITTED: None}

NOT_BUILT: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: value not in (None, "limit", "market"),
    "time_in_force": lambda value: value == "gtd",
    "display_quantity": lambda value: value is not None,
    "trail": lambda value: value is not None,
}
"""Fields of a new order with what the engine answers `unsupported`, in the order of its checks."""


def cause(reason: Reason, fields: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return (detail, field) of a command that the engine rejected, told from what was asked for."""
    name = reason.name.lower().replace("_", " ")
    detail = DETAILS.get(reason, f"the engine rejected the command: {name}")
    field = FIELD_OF_REASON.get(reason)
    if fields.get("op") == "group":
        return DETAILS_OF_GROUPS.get(reason, detail), FIELDS_OF_GROUPS.get(reason, "accounts")
    if fields.get("op") != "new":
        return detail, field
    if reason == Reason.INVALID_PRICE and fields.get("price") is None:
        return "the price is missing: a limit order needs one, a market order says so in `type`", "price"
    if fields.get("size_by") is not None and reason in DETAILS_OF_SIZES:
        return DETAILS_OF_SIZES[reason], "size_by"
    if reason == Reason.UNSUPPORTED:
        for asked, is_missing in NOT_BUILT.items():
            if is_missing(fields.get(asked)):
                return f"{asked} {str(fields[asked])[:40]!r}: {detail}", asked
    return detail, field


def rejection(event: EventWords, formatter: EventFormatter, fields: Fields) -> Refusal:
    """Return the refusal of a command that the engine rejected."""
    reason = Reason(event.reason)
    name = REASON_NAMES[reason]
    given = given_id(event.client_order_id, event.text_0, event.text_1, event.text_2)
    detail, field = cause(reason, fields)
    if reason == Reason.RULE:
        return _by_rule(event, formatter, given)
    detail = _of_group(event, detail)
    group = event.px or msgspec.UNSET
    if reason != Reason.DUPLICATE:
        return Refusal(name, detail, field, seq=event.seq, client_order_id=given, group=group)
    instruments = formatter.catalogue.instruments
    known = 0 <= event.instrument < len(instruments)
    as_text = instruments[event.instrument].quantity_text if known else str
    return Refusal(
        name,
        detail,
        "client_order_id",
        seq=event.seq,
        client_order_id=given,
        order_id=event.order_id or None,
        order_status=STATUS_NAMES.get(event.status),
        cum_quantity=as_text(event.cum_qty),
        leaves_quantity=as_text(event.leaves_qty),
    )


def _of_group(event: EventWords, detail: str) -> str:
    """Say whose limit or latch it is where that is a group's, and which account a group may not have."""
    if event.op == Op.GROUP:
        return f"account {event.account}: {detail}" if event.account else detail
    return f"of its group {event.px}: {detail}" if event.px and event.op in OF_ORDERS else detail


def _by_rule(event: EventWords, formatter: EventFormatter, given: int | str | None) -> Refusal:
    """Return the refusal of an order that a rule refuses."""
    of = refusing_rule(event, formatter.labels_of)
    what = "could not compute, which refuses the order" if of["rule_fault"] else "refuses the order"
    detail = f"rule {of['rule']} {what}" + (f": {of['rule_reason']}" if of["rule_reason"] else "")
    return Refusal(REASON_NAMES[Reason.RULE], detail, seq=event.seq, client_order_id=given, **of)
