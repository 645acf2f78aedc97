"""Rejections of movements of money: which side of a transfer, what is missing, which movement had the id."""

from collections.abc import Mapping
from typing import Any

from engine.trading.records import Op, Reason
from gateways.entry.refusals import Refusal
from gateways.entry.rejections import DETAILS
from gateways.json_lines.events import REASON_NAMES, EventWords
from gateways.json_lines.movements import given_movement_id, side_name

MOVEMENT_DETAILS = {
    Reason.DUPLICATE: "this id was used before, by the movement whose seq is `original_seq`; nothing moved",
    Reason.INSUFFICIENT_FUNDS: (
        "there is less than that to take: of an account its `available`, which is what open orders do not "
        "reserve; of the fee account what it has. Move less, or cancel orders first"
    ),
    Reason.INSUFFICIENT_MARGIN: (
        "the account is on margin, and its equity would not cover the margin in use: `margin` of the "
        "account tells what is free. Move less, or cancel orders first"
    ),
    Reason.OVERFLOW: "a balance, or all that was deposited, would pass 2**62 minor units; move less",
}
FIELDS = {
    Reason.DUPLICATE: "id",
    Reason.INSUFFICIENT_FUNDS: "amount",
    Reason.INSUFFICIENT_MARGIN: "amount",
    Reason.OVERFLOW: "amount",
    Reason.NO_RATE: "currency",
    Reason.UNKNOWN_CURRENCY: "currency",
}

NAMES_SIDE = (Reason.INSUFFICIENT_FUNDS, Reason.INSUFFICIENT_MARGIN, Reason.OVERFLOW, Reason.NO_RATE)


def movement_rejection(event: EventWords, fields: Mapping[str, Any]) -> Refusal:
    """Return the refusal of a movement that the engine rejected; the event names the account at fault."""
    reason = Reason(event.reason)
    name = REASON_NAMES[reason]
    detail = MOVEMENT_DETAILS.get(reason) or DETAILS.get(reason)
    detail = detail or f"the engine rejected the movement: {name.replace('_', ' ')}"
    side = _side_at_fault(event, fields)
    field = side if reason == Reason.UNKNOWN_ACCOUNT else FIELDS.get(reason)
    shown = {"id": given_movement_id(fields), side: side_name(event.account)}
    value = shown.get(field, fields.get(field)) if field else None
    told = f"{field} {value!r:.80}: {detail}" if field else detail
    if reason in NAMES_SIDE:
        told = f"{told} ({side} {side_name(event.account)!r})"
    if reason == Reason.DUPLICATE:
        return Refusal(name, told, field, seq=event.seq, original_seq=event.order_id)
    return Refusal(name, told, field, seq=event.seq)


def _side_at_fault(event: EventWords, fields: Mapping[str, Any]) -> str:
    """Return the name of the field that has the account which a rejection is about."""
    if event.op != Op.TRANSFER:
        return "account"
    return "to" if fields.get("to") == side_name(event.account) else "from"
