"""ITCH 5.0 files: what messages mean for the books, and how a broken file is named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.records import Side
from gateways.files.itch import ItchReader
from gateways.files.market import Action, MarketRecord
from gateways.files.source import Format, InputError, Source
from tests.gateways.files.venue_files import (
    itch_add,
    itch_delete,
    itch_execute,
    itch_message,
    itch_reduce,
    itch_replace,
)

SESSION = b"".join(
    [
        itch_add(1, "B", 100, 100_500, ts=5),
        itch_execute(1, 40, ts=6),
        itch_reduce(1, 10),
        itch_replace(1, 2, 30, 100_600),
        itch_delete(2),
    ]
)


def read(tmp_path: Path, content: bytes) -> tuple[ItchReader, list[MarketRecord]]:
    """Return a reader that has read these bytes, and its records."""
    path = tmp_path / "itch"
    path.write_bytes(content)
    with Source(str(path)) as source:
        reader = ItchReader(source, {})
        return reader, list(reader.records())


def test_messages_become_actions(tmp_path: Path) -> None:
    reader, records = read(tmp_path, SESSION)

    assert reader.source.format is Format.ITCH
    assert [record.action for record in records] == [
        Action.ADD,
        Action.TRADE,
        Action.FILL,
        Action.CANCEL,
        Action.CANCEL,
        Action.RENAME,
        Action.CANCEL,
    ]
    assert (records[0].symbol, records[0].px, records[0].size, records[0].ts) == ("ABCD", 100_500, 100, 5)
    assert (records[1].side, records[1].px, records[1].size) == (Side.SELL, 100_500, 40)
    assert (records[5].order_id, records[5].new_order_id, records[5].size) == (1, 2, 30)


def test_messages_about_orders_from_before_the_capture_are_counted(tmp_path: Path) -> None:
    reader, records = read(tmp_path, itch_execute(9, 5) + itch_delete(9) + itch_delete(8))

    assert records == []
    assert reader.foreign == {"E": 1, "D": 2}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (SESSION[:-3], "byte .*: message: the file ends within it"),
        (itch_message("A", b"x" * 30), "message length"),
        (SESSION + itch_message("z", b"x" * 10), "message type: 'z'"),
        (itch_add(1, "X", 1, 1), "side"),
        (itch_add(1, "B", 0, 1), "shares"),
        (itch_add(1, "B", 1, 0), "price"),
    ],
)
def test_broken_message_names_byte_and_field(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(tmp_path, content)


def test_equal_reference_numbers_of_two_stocks_are_two_orders(tmp_path: Path) -> None:
    adds = [itch_add(7, "B", 100, 100_500, "AAA", locate=1), itch_add(7, "S", 60, 200_500, "BBB", locate=2)]

    _, records = read(tmp_path, b"".join([*adds, itch_delete(7, locate=2), itch_execute(7, 40, locate=1)]))

    assert [(record.symbol, record.action) for record in records[2:]] == [
        ("BBB", Action.CANCEL),
        ("AAA", Action.TRADE),
        ("AAA", Action.FILL),
        ("AAA", Action.CANCEL),
    ]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SESSION) - 1), st.integers(0, 255))
def test_a_changed_byte_is_read_or_named_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    broken = SESSION[:position] + bytes([value]) + SESSION[position + 1 :]
    with suppress(InputError):
        read(tmp_path_factory.mktemp("itch"), broken)
