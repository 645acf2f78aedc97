"""DBN files: what is read, and how a broken one is named."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import databento_dbn as dbn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.records import Side
from gateways.files.dbn import DbnReader
from gateways.files.market import Action, MarketRecord, events_of
from gateways.files.source import Format, InputError, Source
from gateways.files.ticks import MissingTick, TickError
from tests.gateways.files.venue_files import START_TS, dbn_bytes, write_zst

TICKS = {"ESH4": Decimal("0.25")}
TWO_EVENTS = dbn_bytes(
    [[("A", "B", 7, 400, 3)], [("T", "A", 9, 400, 1), ("F", "B", 7, 400, 1), ("C", "B", 7, 400, 3)]]
)


def read(path: Path) -> list[MarketRecord]:
    """Return every record of a file."""
    with Source(str(path)) as source:
        return list(DbnReader(source, TICKS).records())


def test_records_carry_ticks_sides_and_the_ends_of_events(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(TWO_EVENTS)

    records = read(path)

    assert [record.action for record in records] == [Action.ADD, Action.TRADE, Action.FILL, Action.CANCEL]
    assert (records[0].px, records[0].size, records[0].side, records[0].ts) == (400, 3, Side.BUY, START_TS)
    assert records[1].side == Side.SELL
    assert [len(event) for event in events_of(iter(records))] == [1, 3]
    assert TWO_EVENTS[records[2].offset] == 14  # where the record's length byte stands


def test_compressed_file_reads_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "a.dbn"
    plain.write_bytes(TWO_EVENTS)
    packed = write_zst(tmp_path / "named-anyhow", TWO_EVENTS)

    with Source(str(packed)) as source:
        assert source.format is Format.DBN
    assert read(packed) == read(plain)


def test_symbol_without_a_tick_size_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([], symbol="XYZH4"))

    with Source(str(path)) as source, pytest.raises(MissingTick, match="--tick XYZH4=SIZE"):
        list(DbnReader(source, {}).records())


def test_tick_size_of_a_well_known_contract_need_not_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(TWO_EVENTS)

    with Source(str(path)) as source:
        assert next(DbnReader(source, {}).records()).px == 400


def test_price_off_the_tick_names_byte_and_field(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(TWO_EVENTS)

    wanted = pytest.raises(InputError, match=r"byte \d+: price: 100 is not a multiple")
    with Source(str(path)) as source, wanted:
        list(DbnReader(source, {"ESH4": Decimal("0.75")}).records())


@pytest.mark.parametrize("action", ["A", "M"])
def test_resting_order_without_a_side_names_byte_and_field(tmp_path: Path, action: str) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([[(action, "N", 7, 400, 3)]]))

    with pytest.raises(InputError, match=r"byte \d+: side: 'N' of an order that rests must be A or B"):
        read(path)


def test_other_schemas_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([], schema=dbn.Schema.TRADES))

    with pytest.raises(InputError, match="schema"):
        read(path)


@pytest.mark.parametrize("cut", [1, 20, 55, 56 * 3 + 10])
def test_truncated_file_says_where_it_ends(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(TWO_EVENTS[:-cut])

    with pytest.raises(InputError, match="the file ends within it"):
        read(path)


def test_truncated_compressed_file_says_so(tmp_path: Path) -> None:
    path = write_zst(tmp_path / "a.dbn.zst", TWO_EVENTS * 50)
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(InputError, match=r"truncated|damaged|ends within"):
        read(path)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(TWO_EVENTS) - 1), st.integers(0, 255))
def test_a_changed_byte_is_read_or_named_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("dbn") / "a.dbn"
    path.write_bytes(TWO_EVENTS[:position] + bytes([value]) + TWO_EVENTS[position + 1 :])
    with suppress(InputError, TickError), Source(str(path)) as source:
        if source.format is Format.DBN:
            list(DbnReader(source, TICKS).records())
