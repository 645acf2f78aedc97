"""The outcome of a command: a reply as in interface R5, or a refusal, told from its events.

The events of one command are contiguous and the last is marked, so the outcome is read
off them at once: the last event about the order itself says where it stands, the trades
are its fills. A mass cancel and an administration line have no order: they count.
"""

import msgspec

from engine.trading.client_text import given_id
from engine.trading.records import OP_NAMES, EventFlag, EventKind, Op, Status
from gateways.entry.movement_rejections import movement_rejection
from gateways.entry.refusals import Refusal
from gateways.entry.rejections import rejection
from gateways.entry.reports import Reports
from gateways.json_lines.events import REASON_NAMES, STATUS_NAMES, Accounts, EventWords
from gateways.json_lines.fields import Fields
from gateways.json_lines.movements import OPS as MOVEMENT_OPS

ORDER_OPS = frozenset({int(Op.NEW), int(Op.CANCEL), int(Op.REPLACE)})
LISTED_MAX = 1000
"""Cancelled orders listed in one reply; the count beside them is exact."""

ACCEPTED, REJECTED, TRADE = int(EventKind.ACCEPTED), int(EventKind.REJECTED), int(EventKind.TRADE)
CANCELLED, PREVENTED = int(EventKind.CANCELLED), int(EventKind.PREVENTED)
COUNTS = frozenset({int(EventKind.DONE), int(EventKind.LATCHED)})
"""Kinds that close a command and tell how many orders it cancelled."""
LAST, SIZED = int(EventFlag.LAST), int(EventFlag.SIZED)
OPEN_NAME = STATUS_NAMES[Status.OPEN]


class OrderReply(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a new, cancel or replace."""

    order_id: int
    client_order_id: int | str | None
    status: str
    cum_quantity: str
    leaves_quantity: str
    fills: list[msgspec.Raw]
    """Trades, as in interface R3."""
    reason: str | None
    seq: int
    quantity: str | msgspec.UnsetType = msgspec.UNSET
    """What the engine chose, of an order that was sized by it."""


class CountReply(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a mass cancel or of an administration line."""

    op: str
    cancelled_count: int
    events: list[msgspec.Raw]
    """Events, as in interface R3; at most LISTED_MAX."""
    seq: int


Outcome = OrderReply | CountReply | Refusal


def outcome(
    events: list[EventWords],
    dropped_count: int,
    reports: Reports,
    accounts: Accounts,
    fields: Fields | None = None,
) -> Outcome:
    """Return what a command came to, as far as a reader of `accounts` may see it.

    events : all events of the command, its LAST one included; the middle may be left out
    dropped_count : events left out of the middle
    fields : the command as asked for; None where the door itself asked
    """
    first = events[0]
    if first.kind == REJECTED:
        if first.op in MOVEMENT_OPS:
            return movement_rejection(first, fields or {})
        return rejection(first, reports.formatter, fields or {})
    if first.op in ORDER_OPS:
        return _order_reply(events, reports, accounts)
    return _count_reply(events, dropped_count, reports, accounts)


def _order_reply(events: list[EventWords], reports: Reports, accounts: Accounts) -> OrderReply:
    first = last = events[0]
    fills: list[msgspec.Raw] = []
    if len(events) > 1:
        order_id = first.order_id
        for event in events:
            if event.kind == TRADE:
                fill = reports.of(event, accounts)
                assert fill is not None
                fills.append(fill)
            if event.order_id == order_id:
                last = event
    leaves, cum = last.leaves_qty, last.cum_qty
    reason = None
    if last.kind == CANCELLED:
        reason, leaves = REASON_NAMES[last.reason], 0
    quantity_text = reports.formatter.catalogue.instruments[first.instrument].quantity_text
    return OrderReply(
        first.order_id,
        given_id(first.client_order_id, first.text_0, first.text_1, first.text_2),
        STATUS_NAMES.get(last.status, OPEN_NAME),
        quantity_text(cum) if cum else "0",
        quantity_text(leaves) if leaves else "0",
        fills,
        reason,
        first.seq,
        quantity_text(first.qty) if first.kind == ACCEPTED and first.flags & SIZED else msgspec.UNSET,
    )


def _count_reply(
    events: list[EventWords], dropped_count: int, reports: Reports, accounts: Accounts
) -> CountReply:
    last = events[-1]
    listed = [told for event in events if (told := reports.of(event, accounts)) is not None]
    count = (
        last.qty if last.kind in COUNTS else sum(event.kind == CANCELLED for event in events) + dropped_count
    )
    return CountReply(OP_NAMES[last.op], count, listed[:LISTED_MAX], last.seq)
