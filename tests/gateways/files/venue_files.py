"""Small DBN and ITCH files made by the tests themselves."""

import datetime
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import databento_dbn as dbn
import zstandard

INSTRUMENT_ID = 17
LAST = 0x80
TICK_UNITS = 250_000_000  # 0.25 in DBN's 1e-9
DAYS = datetime.date(2023, 1, 1), datetime.date(2024, 1, 1)
START_TS = 1_700_000_000_000_000_000

Row = tuple[str, str, int, int, int]
"""(action, side, order id, price in ticks of 0.25, size). The last record of an event is flagged so."""


def dbn_bytes(events: list[list[Row]], symbol: str = "ESH4", schema: Any = dbn.Schema.MBO) -> bytes:
    """Return a DBN file of these events, one millisecond apart."""
    return several_dbn_bytes([(symbol, event) for event in events], [symbol], schema)


def several_dbn_bytes(
    events: list[tuple[str, list[Row]]], symbols: list[str], schema: Any = dbn.Schema.MBO
) -> bytes:
    """Return a DBN file of these events of these symbols, one millisecond apart."""
    numbers = {symbol: INSTRUMENT_ID + k for k, symbol in enumerate(symbols)}
    return _metadata(numbers, schema) + b"".join(
        record_bytes(row, START_TS + 1_000_000 * k, position == len(event) - 1, numbers[symbol])
        for k, (symbol, event) in enumerate(events)
        for position, row in enumerate(event)
    )


def _metadata(numbers: dict[str, int], schema: Any) -> bytes:
    mappings: Any = [
        SimpleNamespace(
            raw_symbol=symbol,
            intervals=[SimpleNamespace(start_date=DAYS[0], end_date=DAYS[1], symbol=str(number))],
        )
        for symbol, number in numbers.items()
    ]
    stype: Any = dbn.SType  # its stubs give members the type of their values
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=START_TS,
        stype_in=stype.RAW_SYMBOL,
        stype_out=stype.INSTRUMENT_ID,
        schema=schema,
        symbols=list(numbers),
        mappings=mappings,
    )
    return metadata.encode()


def record_bytes(row: Row, ts: int, is_last: bool, instrument_id: int = INSTRUMENT_ID) -> bytes:
    """Return one MBO record of 56 bytes."""
    action, side, order_id, ticks, size = row
    return struct.pack(
        "<BBHIQQqIBBccQiI",
        14,
        0xA0,
        1,
        instrument_id,
        ts,
        order_id,
        ticks * TICK_UNITS,
        size,
        LAST if is_last else 0,
        0,
        action.encode(),
        side.encode(),
        ts,
        0,
        0,
    )


def write_zst(path: Path, content: bytes) -> Path:
    """Write a zstd-compressed file."""
    path.write_bytes(zstandard.ZstdCompressor().compress(content))
    return path


def itch_message(kind: str, body: bytes, ts: int = 1, locate: int = 1) -> bytes:
    """Return one length-prefixed ITCH message."""
    message = kind.encode() + struct.pack(">HH", locate, 0) + ts.to_bytes(6, "big") + body
    return struct.pack(">H", len(message)) + message


def itch_add(
    order_id: int, side: str, shares: int, price: int, stock: str = "ABCD", ts: int = 1, locate: int = 1
) -> bytes:
    """Return an add; price in 1e-4."""
    body = struct.pack(">QcI8sI", order_id, side.encode(), shares, stock.ljust(8).encode(), price)
    return itch_message("A", body, ts, locate)


def itch_execute(order_id: int, shares: int, ts: int = 1, locate: int = 1) -> bytes:
    """Return an execution at the order's price."""
    return itch_message("E", struct.pack(">QIQ", order_id, shares, 1), ts, locate)


def itch_execute_priced(order_id: int, shares: int, price: int, ts: int = 1, locate: int = 1) -> bytes:
    """Return an execution at another price than the order's."""
    return itch_message("C", struct.pack(">QIQcI", order_id, shares, 1, b"Y", price), ts, locate)


def itch_reduce(order_id: int, shares: int, ts: int = 1, locate: int = 1) -> bytes:
    """Return a partial cancel."""
    return itch_message("X", struct.pack(">QI", order_id, shares), ts, locate)


def itch_delete(order_id: int, ts: int = 1, locate: int = 1) -> bytes:
    """Return a delete."""
    return itch_message("D", struct.pack(">Q", order_id), ts, locate)


def itch_replace(
    order_id: int, new_order_id: int, shares: int, price: int, ts: int = 1, locate: int = 1
) -> bytes:
    """Return a replace."""
    return itch_message("U", struct.pack(">QQII", order_id, new_order_id, shares, price), ts, locate)
