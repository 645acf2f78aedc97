"""Market-by-order records as every venue file gives them, and the events they group into."""

from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec


class Action(IntEnum):
    """The action of a record: what happened at the venue."""

    ADD = 1
    CANCEL = 2  # removes `size`, or the whole order
    MODIFY = 3  # new price and size
    CLEAR = 4
    TRADE = 5  # an aggressor: side, price, size; order_id may be 0
    FILL = 6  # what a resting order got of the TRADE before it
    RENAME = 7  # order_id is replaced by new_order_id, with new price and size, at the tail


class MarketRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of a venue file, prices in ticks and sizes in lots."""

    action: int
    ts: int  # venue clock, ns
    symbol: str
    order_id: int
    side: int  # Side of the order or of the aggressor; 0 = the venue named none
    px: int
    size: int
    is_last: bool  # last record of its event
    offset: int  # byte, in the decompressed file
    new_order_id: int = 0


Event = list[MarketRecord]


def events_of(records: Iterable[MarketRecord]) -> Iterator[Event]:
    """Return the records in events, one instrument each; a capture may end within one."""
    open_events: dict[str, Event] = {}
    for record in records:
        event = open_events.setdefault(record.symbol, [])
        event.append(record)
        if record.is_last:
            del open_events[record.symbol]
            yield event
    yield from open_events.values()
