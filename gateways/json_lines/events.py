"""EventFormatter: an EVENT record in, a JSON event (interface R3) out; also of a line refused at the door."""

from collections.abc import Callable, Iterator, Mapping
from itertools import starmap
from typing import Any

import msgspec
import numpy as np

from engine.contract.rows import unfolded
from engine.trading.client_ids import canonical
from engine.trading.client_text import given_id
from engine.trading.fields import POSITION_LIMIT_DECIMALS
from engine.trading.instruments import Catalogue, Instrument, RefusedAtDoor, scaled_text
from engine.trading.records import (
    EVENT,
    OP_NAMES,
    EventFlag,
    EventKind,
    LatchLevel,
    Phase,
    Reason,
    Status,
)
from gateways.json_lines import movements
from gateways.json_lines.account_limits import LATCHING
from gateways.json_lines.fields import Fields
from gateways.json_lines.rules import LabelsOf, no_labels, refusing_rule, rules_fields

Accounts = frozenset[int] | None
"""The accounts that a reader may see; None is every account."""

_SELL = int(EventFlag.SELL)  # a plain int: an IntFlag costs more than the text it decides
_SIZED = int(EventFlag.SIZED)

PRIVATE = ("account", "client_order_id", "fee")
"""What an event tells of each side of it to those only who may read that account."""


class EventWords(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One EVENT in Python: its fields in order, text as three words."""

    event_idx: int
    seq: int
    eng_ts: int
    kind: int
    flags: int
    op: int
    status: int
    reason: int
    ring: int
    maker_ring: int
    instrument: int
    session: int
    req_seq: int
    account: int
    order_id: int
    client_order_id: int
    px: int
    qty: int
    cum_qty: int
    leaves_qty: int
    notional: int
    fee: int
    prev_px: int
    prev_qty: int
    maker_account: int
    maker_order_id: int
    maker_client_order_id: int
    maker_cum_qty: int
    maker_leaves_qty: int
    maker_notional: int
    maker_fee: int
    maker_session: int
    rev: int
    md_seq: int
    text_0: int
    text_1: int
    text_2: int
    maker_text_0: int
    maker_text_1: int
    maker_text_2: int


class Trade(msgspec.Struct, frozen=True, gc=False):
    """The JSON object of a trade (interface R3); what its reader may not see is None."""

    seq: int
    event: str
    eng_ts: int
    symbol: str
    price: str
    quantity: str
    maker_order_id: int
    taker_order_id: int
    maker_client_order_id: int | str | None
    taker_client_order_id: int | str | None
    maker_account: int | None
    taker_account: int | None
    aggressor_side: str
    maker_fee: str | None
    taker_fee: str | None


_NAMES, _WORDS = unfolded(EVENT)
assert _NAMES == EventWords.__struct_fields__

REASON_NAMES = {int(reason): reason.name.lower() for reason in Reason}
LEVEL_NAMES = {int(level): level.name.lower() for level in LatchLevel if level != LatchLevel.NONE}
LIMIT_NAMES = {
    int(Reason.BLOCKED): "kill",
    int(Reason.ORDER_TRADE_RATIO): "max_order_trade_ratio",
    int(Reason.MAINTENANCE_MARGIN): "maintenance_margin",
    **{int(Reason[name.upper()]): name for name in LATCHING},
}
"""What a LATCHED is about, by its reason."""
WITHOUT_CURRENCY = frozenset({Reason.BLOCKED, Reason.MAX_FILL_RATE, Reason.ORDER_TRADE_RATIO})
PHASE_NAMES = {int(phase): phase.name.lower() for phase in Phase}
STATUS_NAMES = {int(status): status.name.lower() for status in Status}


def event_words(events: "np.ndarray[Any, np.dtype[np.void]]") -> Iterator[EventWords]:
    """Return the events of an EVENT array as Python values, in bulk."""
    return starmap(EventWords, _WORDS.iter_unpack(events.tobytes()))


class EventFormatter:
    """Writer of events as JSON objects (interface R3); assign its `catalogue` when that grew.

    labels_of : knows what rules are called and what reasons they give; left out, they have numbers
    """

    def __init__(self, catalogue: Catalogue, labels_of: LabelsOf = no_labels) -> None:
        self.catalogue = catalogue
        self.labels_of = labels_of
        self._writers: dict[int, Callable[[EventWords], Fields]] = {
            EventKind.ACCEPTED: self._accepted,
            EventKind.REJECTED: self._rejected,
            EventKind.TRADE: self._trade,
            EventKind.CANCELLED: self._cancelled,
            EventKind.REPLACED: self._replaced,
            EventKind.TRIGGERED: self._triggered,
            EventKind.PREVENTED: self._prevented,
            EventKind.PHASE: self._phase,
            EventKind.LATCHED: self._latched,
            EventKind.MOVED: self._moved,
            EventKind.RULES: rules_fields,
        }

    def fields(self, event: np.void) -> Fields | None:
        """Return the JSON object of one EVENT record, None for the internal DONE."""
        return self.fields_of(EventWords(*_WORDS.unpack(np.asarray(event, EVENT).tobytes())))

    def fields_of(self, event: EventWords) -> Fields | None:
        """Return the JSON object of one event, None for the internal DONE."""
        writer = self._writers.get(event.kind)
        return None if writer is None else writer(event)

    def _instrument(self, event: EventWords) -> Instrument:
        return self.catalogue.instruments[event.instrument]

    def _symbol(self, event: EventWords) -> str | None:
        known = 0 <= event.instrument < len(self.catalogue.instruments)
        return self.catalogue.instruments[event.instrument].symbol if known else None

    def _accepted(self, event: EventWords) -> Fields:
        fields: Fields = {
            "seq": event.seq,
            "event": "accepted",
            "eng_ts": event.eng_ts,
            "order_id": event.order_id or None,
            "client_order_id": given_id(event.client_order_id, event.text_0, event.text_1, event.text_2),
            "account": event.account,
            "symbol": self._symbol(event),
        }
        if event.flags & _SIZED:
            fields["quantity"] = self._instrument(event).quantity_text(event.qty)
        return fields

    def _rejected(self, event: EventWords) -> Fields:
        fields: Fields = {
            "seq": event.seq,
            "event": "rejected",
            "eng_ts": event.eng_ts,
            "client_order_id": given_id(event.client_order_id, event.text_0, event.text_1, event.text_2),
            "account": event.account or None,
            "op": OP_NAMES.get(event.op),
            "reason": REASON_NAMES[event.reason],
        }
        if event.px and event.reason != Reason.RULE:
            fields["group"] = event.px
        if event.op in movements.OPS:
            fields |= {"client_order_id": None, "id": movements.id_of(event)}
            if event.reason == Reason.DUPLICATE:
                fields["original_seq"] = event.order_id
        elif event.reason == Reason.RULE:
            fields |= refusing_rule(event, self.labels_of)
        elif event.reason == Reason.DUPLICATE:
            instrument = self._instrument(event)
            fields["order_id"] = event.order_id or None
            fields["status"] = STATUS_NAMES.get(event.status)
            fields["cum_quantity"] = instrument.quantity_text(event.cum_qty)
            fields["leaves_quantity"] = instrument.quantity_text(event.leaves_qty)
        return fields

    def trade(self, event: EventWords, sees_maker: bool, sees_taker: bool) -> Trade:
        """Return the JSON object of a trade (interface R3) without the accounts that a reader may not see."""
        instrument = self._instrument(event)
        maker_id = maker_account = maker_fee = taker_id = taker_account = taker_fee = None
        if sees_maker:
            maker_id = given_id(
                event.maker_client_order_id, event.maker_text_0, event.maker_text_1, event.maker_text_2
            )
            maker_account = event.maker_account
            maker_fee = instrument.fee_text(event.maker_fee) if event.maker_fee else "0"
        if sees_taker:
            taker_id = given_id(event.client_order_id, event.text_0, event.text_1, event.text_2)
            taker_account = event.account
            taker_fee = instrument.fee_text(event.fee) if event.fee else "0"
        return Trade(
            event.seq,
            "trade",
            event.eng_ts,
            instrument.symbol,
            instrument.price_text(event.px),
            instrument.quantity_text(event.qty),
            event.maker_order_id,
            event.order_id,
            maker_id,
            taker_id,
            maker_account,
            taker_account,
            "sell" if event.flags & _SELL else "buy",
            maker_fee,
            taker_fee,
        )

    def _trade(self, event: EventWords) -> Fields:
        return msgspec.structs.asdict(self.trade(event, True, True))

    def _both(self, event: EventWords) -> Fields:
        """Return who met whom, of a prevention."""
        maker_id = given_id(
            event.maker_client_order_id, event.maker_text_0, event.maker_text_1, event.maker_text_2
        )
        return {
            "maker_order_id": event.maker_order_id,
            "taker_order_id": event.order_id,
            "maker_client_order_id": maker_id,
            "taker_client_order_id": given_id(
                event.client_order_id, event.text_0, event.text_1, event.text_2
            ),
            "maker_account": event.maker_account,
            "taker_account": event.account,
        }

    def _order(self, event: EventWords, name: str) -> Fields:
        return {
            "seq": event.seq,
            "event": name,
            "eng_ts": event.eng_ts,
            "order_id": event.order_id or None,
            "client_order_id": given_id(event.client_order_id, event.text_0, event.text_1, event.text_2),
            "account": event.account,
        }

    def _cancelled(self, event: EventWords) -> Fields:
        fields = self._order(event, "cancelled")
        fields["leaves_quantity"] = self._instrument(event).quantity_text(event.leaves_qty)
        fields["reason"] = REASON_NAMES[event.reason]
        return fields

    def _replaced(self, event: EventWords) -> Fields:
        instrument = self._instrument(event)
        fields = self._order(event, "replaced")
        fields["price"] = instrument.price_text(event.px)
        fields["quantity"] = instrument.quantity_text(event.qty)
        fields["leaves_quantity"] = instrument.quantity_text(event.leaves_qty)
        fields["priority_kept"] = bool(event.flags & EventFlag.PRIORITY_KEPT)
        if event.reason:  # nobody asked for it
            fields["reason"] = REASON_NAMES[event.reason]
        return fields

    def _triggered(self, event: EventWords) -> Fields:
        return self._order(event, "triggered")

    def _prevented(self, event: EventWords) -> Fields:
        return {
            "seq": event.seq,
            "event": "prevented",
            "eng_ts": event.eng_ts,
            **self._both(event),
            "prevented_quantity": self._instrument(event).quantity_text(event.qty),
        }

    def _phase(self, event: EventWords) -> Fields:
        return {
            "seq": event.seq,
            "event": "phase",
            "eng_ts": event.eng_ts,
            "symbol": self._symbol(event),
            "phase": PHASE_NAMES.get(event.status),
        }

    def _latched(self, event: EventWords) -> Fields:
        return {
            "seq": event.seq,
            "event": "latched",
            "eng_ts": event.eng_ts,
            "account": event.account or None,
            **({"group": event.client_order_id} if event.client_order_id else {}),
            "symbol": self._symbol(event),
            "limit": LIMIT_NAMES.get(event.reason),
            "level": LEVEL_NAMES.get(event.status),
            "measured": self._amount(event, event.cum_qty),
            "allowed": self._amount(event, event.leaves_qty),
            "currency": None
            if event.reason in WITHOUT_CURRENCY
            else self.catalogue.currencies[event.px].code,
        }

    def _moved(self, event: EventWords) -> Fields:
        return movements.moved_fields(self.catalogue, event)

    def _amount(self, event: EventWords, amount: int) -> str | None:
        """Return what a LATCHED measured or allows: money, a quantity or a number; None for a kill."""
        if event.reason == Reason.BLOCKED:
            return None
        if event.reason == Reason.MAX_FILL_RATE:
            return scaled_text(amount, 1, POSITION_LIMIT_DECIMALS)
        if event.reason == Reason.ORDER_TRADE_RATIO:
            return str(amount)
        return self.catalogue.currencies[event.px].text(amount)


def readable(fields: Fields, accounts: Accounts) -> Fields:
    """Return an event's object as a reader bound to `accounts` may see it; None is every account.

    Whose account it may not read is null, with client id and fee; order ids are public (exchange rule S24).
    """
    if accounts is None:
        return fields
    if fields["event"] == "moved":
        movements.hide_sides(fields, accounts)
        return fields
    for side in ("", "maker_", "taker_"):
        account = fields.get(f"{side}account")
        if account is not None and account not in accounts:
            fields |= {name: None for kind in PRIVATE if (name := f"{side}{kind}") in fields}
    return fields


def refused_event(fields: Mapping[str, Any], refused: RefusedAtDoor, eng_ts: int) -> Fields:
    """Return the event `rejected` of a command that no record could carry: it has no seq."""
    given = fields.get("client_order_id")
    account, group = fields.get("account"), fields.get("group")
    if isinstance(given, str):
        given = canonical(given)
    is_movement = fields.get("op") in movements.NAMES
    return {
        "seq": None,
        "event": "rejected",
        "eng_ts": eng_ts,
        "client_order_id": given if isinstance(given, str) or (type(given) is int and given) else None,
        "account": account if type(account) is int and account else None,
        **({"group": group} if type(group) is int and group else {}),
        "op": fields.get("op"),
        "reason": refused.reason.name.lower(),
        **({"id": movements.given_movement_id(fields)} if is_movement else {}),
    }
