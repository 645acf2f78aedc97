"""Files as commands for a running instance."""

import json
from pathlib import Path

import pytest

from gateways.feed.inputs import commands_of
from gateways.files.source import InputError, Source
from tests.gateways.files.venue_files import Row, dbn_bytes, several_dbn_bytes


def test_json_lines_pass_but_the_instance_keeps_its_own_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [{"op": "session_end"}, {"op": "time", "now": 5}, {"op": "cancel", "account": 1, "order_id": 2}]
    path.write_text("\n\n".join(json.dumps(line) for line in lines))

    with Source(str(path)) as source:
        assert list(commands_of(source, {}, 1)) == [lines[0], lines[2]]


def test_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"session_end"}\n{"op":')

    with Source(str(path)) as source, pytest.raises(InputError, match="line 2: line"):
        list(commands_of(source, {}, 1))


@pytest.mark.parametrize("op", ["", ',"op":5', ',"op":[]'])
def test_line_without_an_operation_is_named(tmp_path: Path, op: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"account":1' + op + "}")

    with Source(str(path)) as source, pytest.raises(InputError, match="line 1: op"):
        list(commands_of(source, {}, 1))


def test_market_data_without_messages_gives_no_commands(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([]))

    with Source(str(path)) as source, pytest.raises(InputError, match="holds no messages"):
        next(commands_of(source, {}, 1))


def test_client_ids_are_unique_over_the_instruments_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    again: list[Row] = [("C", "B", 7, 400, 3)]
    rows: list[Row] = [("A", "B", 7, 400, 3), ("A", "B", 2**62, 400, 3)]
    events = [(symbol, [row]) for symbol in ("ESH4", "NQH4") for row in [*rows, *again, rows[0]]]
    path.write_bytes(several_dbn_bytes(events, ["ESH4", "NQH4"]))

    with Source(str(path)) as source:
        commands = list(commands_of(source, {}, 50))

    given = [command["client_order_id"] for command in commands if command["op"] == "new"]
    cancelled = [command["client_order_id"] for command in commands if command["op"] == "cancel"]
    assert given == [7, *range(2**62, 2**62 + 5)]
    assert cancelled == [7, 2**62 + 2]


def test_what_is_held_back_is_played_before_a_cut_off_file_is_complained_of(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([[("A", "B", 7, 400, 3)], [("A", "B", 8, 400, 3)]])[:-1])
    operations: list[str] = []

    with Source(str(path)) as source, pytest.raises(InputError, match="the file ends within it"):
        operations.extend(command["op"] for command in commands_of(source, {}, 50))

    assert operations == ["account", "account", "instrument", "new"]


def test_market_data_becomes_orders_of_two_accounts(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    trade = [("T", "A", 9, 400, 2), ("F", "B", 7, 400, 2), ("M", "B", 7, 400, 1)]
    path.write_bytes(
        dbn_bytes([[("A", "B", 7, 400, 3)], [*trade], [("M", "B", 7, 399, 5)], [("C", "B", 7, 399, 5)]])
    )

    with Source(str(path)) as source:
        commands = list(commands_of(source, {}, 50))

    assert [command["op"] for command in commands] == [
        *("account", "account", "instrument"),
        *("new", "new", "replace", "cancel"),
    ]
    assert [command["account"] for command in commands if "account" in command] == [50, 51, 50, 51, 50, 50]
    assert (commands[4]["side"], commands[4]["time_in_force"], commands[4]["price"]) == (
        "sell",
        "ioc",
        "100.00",
    )
    assert (commands[5]["price"], commands[5]["quantity"]) == (
        "99.75",
        7,
    )  # the new total: 2 filled and 5 left


def test_key_given_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"session_end"}\n\n{"op":"mass_cancel","account":1,"account":2}')

    with Source(str(path)) as source, pytest.raises(InputError, match=r"line 3: account: .* given twice"):
        list(commands_of(source, {}, 1))
