"""`pinion replay`: formats, numbers and errors as interfaces R1 to R4 have them, through the real kernel."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from engine.trading.offline import kernels as replay_kernels
from gateways.files.comparison import Example
from pinion.cli.main import main
from ringbuf.kernel_cache import ROOT
from tests.gateways.files.venue_files import (
    dbn_bytes,
    itch_add,
    itch_delete,
    itch_execute,
    itch_message,
    itch_replace,
)

Play = Callable[..., list[dict[str, Any]]]
INSTRUMENT = {
    "op": "instrument",
    "symbol": "XYZ",
    "base": "XYZ",
    "quote": "USD",
    "tick_size": "0.01",
    "lot_size": 1,
}
ACCOUNTS = [{"op": "account", "account": account, "unlimited": True} for account in (1, 2)]
SETUP = [INSTRUMENT, *ACCOUNTS]


def new(
    account: int, client_order_id: int | str, side: str, price: str, quantity: int, **more: Any
) -> dict[str, Any]:
    """Return a `new` line."""
    ids = {"account": account, "client_order_id": client_order_id}
    return {"op": "new", **ids, "symbol": "XYZ", "side": side, "price": price, "quantity": quantity, **more}


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Replay lines, or bytes; return the events that were kept. The books are left in book.json."""

    def replay(content: list[dict[str, Any]] | bytes, *options: str, code: int = 0) -> list[dict[str, Any]]:
        source, events = tmp_path / "input", tmp_path / "events.jsonl"
        raw = (
            content
            if isinstance(content, bytes)
            else b"".join(json.dumps(x).encode() + b"\n" for x in content)
        )
        source.write_bytes(raw)
        outputs = ["--events", str(events), "--book", str(tmp_path / "book.json")]
        assert main(["replay", str(source), *outputs, *options]) == code
        return [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []

    return replay


def test_lines_are_numbered_from_one_administration_included(play: Play, tmp_path: Path) -> None:
    events = play([*SETUP, new(1, 7, "buy", "10.05", 100), new(2, "abc", "sell", "10.05", 40)])

    assert [(event["seq"], event["event"]) for event in events] == [
        (4, "accepted"),
        (5, "accepted"),
        (5, "trade"),
    ]
    assert events[2]["taker_client_order_id"] == "abc"
    book = json.loads((tmp_path / "book.json").read_text())
    assert book == {"XYZ": {"bids": [["10.05", "60", 1, [7]]], "asks": [], "stops": [], "last": "10.05"}}


def test_book_lists_best_price_first_and_queues_in_order(play: Play, tmp_path: Path) -> None:
    orders = [("buy", "9.98"), ("buy", "9.99"), ("sell", "10.02"), ("sell", "10.01"), ("buy", "9.99")]

    play([*SETUP, *(new(1, k, side, price, 5) for k, (side, price) in enumerate(orders, 1))])

    book = json.loads((tmp_path / "book.json").read_text())["XYZ"]
    assert book["bids"] == [["9.99", "10", 2, [2, 5]], ["9.98", "5", 1, [1]]]
    assert book["asks"] == [["10.01", "5", 1, [4]], ["10.02", "5", 1, [3]]]
    assert book["last"] is None


def test_line_refused_at_the_door_has_no_seq_and_the_run_goes_on(play: Play) -> None:
    events = play(
        [*SETUP, {"op": "time", "now": 50}, new(1, 1, "buy", "10.001", 1), new(1, 2, "buy", "10", 1)]
    )

    refused = {"client_order_id": 1, "account": 1, "op": "new", "reason": "off_tick"}
    assert events[0] == {"seq": None, "event": "rejected", "eng_ts": 50, **refused}
    assert (events[1]["seq"], events[1]["eng_ts"]) == (5, 50)


def test_replace_finds_the_tick_of_its_own_order(play: Play) -> None:
    other = {**INSTRUMENT, "symbol": "BIG", "tick_size": "0.5"}
    lines = [*SETUP, other, {**new(1, 1, "buy", "10", 5), "symbol": "BIG"}, new(1, 2, "buy", "9.99", 5)]

    events = play(
        [
            *lines,
            {"op": "replace", "account": 1, "client_order_id": 2, "price": "9.98"},
            {"op": "replace", "account": 1, "client_order_id": 1, "price": "9.5"},
            {"op": "replace", "account": 1, "order_id": 5, "price": "9.75"},
            {"op": "replace", "account": 1, "client_order_id": 99, "price": "9.333"},
        ]
    )

    assert [event.get("price") for event in events[2:4]] == ["9.98", "9.5"]
    assert (events[4]["seq"], events[4]["reason"]) == (None, "off_tick")
    assert (events[5]["seq"], events[5]["reason"]) == (9, "unknown_order")


def test_repeated_id_of_another_instrument_keeps_the_first_ones_tick(play: Play) -> None:
    other = {**INSTRUMENT, "symbol": "BIG", "tick_size": "0.5"}
    lines = [*SETUP, other, new(1, 1, "buy", "10", 5), {**new(1, 1, "buy", "10", 5), "symbol": "BIG"}]

    events = play([*lines, {"op": "replace", "account": 1, "client_order_id": 1, "price": "9.98"}])

    assert [event["event"] for event in events] == ["accepted", "rejected", "replaced"]
    assert events[2]["price"] == "9.98"


def test_instrument_used_without_definition_is_made_when_asked_for(play: Play) -> None:
    lines = [*ACCOUNTS, new(1, 1, "buy", "10", 5)]

    assert play(lines)[0]["reason"] == "unknown_symbol"
    (accepted,) = play(lines, "--auto-instruments")
    assert (accepted["seq"], accepted["symbol"]) == (3, "XYZ")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"op":"new",', "line 4: line"),
        (b'{"op":"nwe"}', "line 4: op: 'nwe'"),
        (b'{"op":"session_end","x":1}', "line 4: x"),
        (b'{"op":"new","account":1,"symbol":"XYZ","side":"buy","quantity":1,"type":"limt"}', "line 4: type"),
        (b"\xff", "line 4: line"),
    ],
)
def test_broken_line_ends_the_run_and_keeps_what_came_before(
    play: Play, capfd: pytest.CaptureFixture[str], line: bytes, complaint: str
) -> None:
    before = [INSTRUMENT, ACCOUNTS[0], new(1, 1, "buy", "10", 5)]
    content = b"".join(json.dumps(each).encode() + b"\n" for each in before) + line + b"\n"

    events = play(content, code=1)

    assert [event["event"] for event in events] == ["accepted"]
    assert complaint in capfd.readouterr().err


def test_same_file_gives_the_same_digest_timed_or_not(
    play: Play, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = [
        *SETUP,
        *(new(1 + k % 2, k, "buy" if k % 3 else "sell", f"{10 + k % 5}", 5) for k in range(1, 50)),
    ]

    digests = []
    for _ in range(2):
        play(lines, "--stats")
        digests.append([line for line in capfd.readouterr().out.splitlines() if "digest" in line])

    assert [line.split("  ")[0] for line in digests[0]] == ["state digest", "digest without layout"]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("options", [[], ["--stats"]])
def test_plain_python_gives_the_same_bytes(play: Play, tmp_path: Path, options: list[str]) -> None:
    sides = [("buy" if k % 3 else "sell", f"{10 + k % 5}") for k in range(1, 40)]
    orders = [new(1 + k % 2, k, side, price, 5) for k, (side, price) in enumerate(sides, 1)]
    changes = [{"op": "replace", "account": 1, "client_order_id": 2, "quantity": 3}]
    play([*SETUP, *orders, *changes, {"op": "mass_cancel", "account": 1}], *options)
    compiled = (tmp_path / "events.jsonl").read_bytes(), (tmp_path / "book.json").read_bytes()
    outputs = ["--events", "plain.jsonl", "--book", "plain.json"]

    subprocess.run(
        [sys.executable, "-m", "pinion.cli.main", "replay", "input", *outputs, *options], check=True,
        cwd=tmp_path,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert compiled == ((tmp_path / "plain.jsonl").read_bytes(), (tmp_path / "plain.json").read_bytes())


@pytest.mark.parametrize("options", [[], ["--stats"]])
def test_nothing_is_compiled_once_the_clock_runs(play: Play, options: list[str]) -> None:
    names = ("apply_unnumbered", "client_instrument", "order_instrument")

    def signatures() -> list[int]:
        return [len(getattr(replay_kernels, name).signatures) for name in names]

    before = signatures()  # of other capacities, where other tests came first
    replace = {"op": "replace", "account": 1, "client_order_id": 1, "quantity": 3}
    play([*SETUP, new(1, 1, "buy", "10", 5), replace], *options)

    play(dbn_bytes([[("A", "B", 7, 400, 3)]]), *options)

    assert all(now <= then + 1 for now, then in zip(signatures(), before, strict=True))


@pytest.mark.parametrize("options", [["--tick", "ES"], ["--tick", "ES=0"], ["--tick", "ES=x"], ["--nope"]])
def test_wrong_usage_exits_with_two(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["replay", str(tmp_path), *options])

    assert exit_.value.code == 2


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("nothing-there", 1, "nothing-there: No such file"), (".", 1, "holds no journal")],
)
def test_input_that_cannot_be_opened_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    assert main(["replay", str(tmp_path / name)]) == code

    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.dbn", b""),
        ("a.dbn.zst", b""),
        ("a.dbn.zst", zstandard.ZstdCompressor().compress(b"")),
        ("S010124.itch", b""),
        ("01302019.NASDAQ_ITCH50", b""),
        ("a.dbn", dbn_bytes([])),
        ("a.dbn.zst", zstandard.ZstdCompressor().compress(dbn_bytes([]))),
        ("a.itch", itch_message("S", b"O")),
    ],
)
def test_market_data_file_without_messages_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert main(["replay", str(path)]) == 1

    error = capfd.readouterr().err
    assert str(path) in error
    assert "holds no messages" in error
    assert "is it the right file?" in error


def test_empty_file_of_json_lines_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")

    assert main(["replay", str(path)]) == 0


def test_dbn_file_is_reproduced_and_compared(
    play: Play, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trade = [("T", "A", 9, 400, 4), ("F", "B", 7, 400, 3), ("F", "B", 8, 400, 1)]
    restated = [("C", "B", 7, 400, 3), ("M", "B", 8, 400, 4)]
    content = dbn_bytes([[("A", "B", 7, 400, 3)], [("A", "B", 8, 400, 5)], [*trade, *restated]])

    events = play(content, "--tick", "ESH4=0.25", "--stats")

    assert [event["maker_client_order_id"] for event in events if event["event"] == "trade"] == [7, 8]
    assert "reproduced exactly            1 (100.00 %)" in capfd.readouterr().out
    assert json.loads((tmp_path / "book.json").read_text())["ESH4"]["bids"] == [["100", "4", 1, [8]]]


def test_dbn_file_without_a_tick_size_is_wrong_usage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([[("A", "B", 7, 400, 3)]], symbol="XYZH4"))

    assert main(["replay", str(path)]) == 2

    assert "--tick XYZH4=0.25" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (dbn_bytes([[("A", "B", 7, 400, 3)]]), "it has ESH4"),
        (itch_message("R", b"ABCD    " + b" " * 20) + itch_add(1, "B", 100, 100_500), "it has ABCD"),
        (itch_add(1, "B", 100, 100_500), "it has ABCD"),
        (b'{"op":"session_end"}', "holds JSON lines"),
    ],
)
def test_tick_size_of_a_symbol_that_the_file_lacks_is_wrong_usage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, known: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)

    assert main(["replay", str(path), "--tick", "ESX4=0.25"]) == 2

    error = capfd.readouterr().err
    assert "--tick ESX4" in error
    assert known in error


@pytest.mark.parametrize("second", ["ESH4=0.5", "ESH4=0.25"])
@pytest.mark.parametrize("command", [("replay",), ("feed", "--to", "ring:{}")])
def test_tick_size_given_twice_is_wrong_usage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...], second: str
) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(dbn_bytes([[("A", "B", 7, 400, 3)]]))
    name, *options = command
    ticks = ["--tick", "ESH4=0.25", "--tick", second]

    assert main([name, str(path), *(option.format(tmp_path) for option in options), *ticks]) == 2

    assert "--tick ESH4: given twice, as 0.25 and" in capfd.readouterr().err


def test_file_without_trades_has_nothing_to_compare(play: Play, capfd: pytest.CaptureFixture[str]) -> None:
    play(itch_add(1, "B", 100, 100_500), "--stats")

    assert "reproduced exactly            none to compare" in capfd.readouterr().out


def test_long_example_of_a_difference_is_cut_to_where_it_differs() -> None:
    venue = [(order_id, 1) for order_id in range(60)]

    shown = str(Example(7, 8, "buy", "10", 60, venue, [*venue[:50], (99, 1)]))

    assert "50 alike, then venue filled 1 of 50, 1 of 51, 1 of 52 and 7 more; ours 1 of 99" in shown


def test_itch_file_is_reproduced_and_compared(
    play: Play, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    messages = [itch_add(1, "B", 100, 100_500), itch_add(2, "S", 50, 100_600), itch_execute(1, 40)]

    play(b"".join([*messages, itch_replace(2, 3, 20, 100_700), itch_delete(77)]), "--stats")

    assert "reproduced exactly            1 (100.00 %)" in capfd.readouterr().out
    book = json.loads((tmp_path / "book.json").read_text())["ABCD"]
    assert book["bids"] == [["10.05", "60", 1, [1]]]
    assert book["asks"] == [["10.07", "20", 1, [3]]]


@pytest.mark.parametrize(
    "line",
    [
        '{"op":"new","account":1,"symbol":"XYZ","side":"buy","price":"10","quantity":"5","side":"sell"}',
        '{"op":"new","account":1,"symbol":"XYZ","si\\u0064e":"buy","price":"10","quantity":"5","side":"sell"}',
        '{"op":"new","client_order_id":"a:b","account":1,"side":"buy","side":"sell"}',
    ],
)
def test_key_given_twice_ends_the_replay_at_its_line(
    play: Play, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    setup = "\n".join(json.dumps(each) for each in SETUP)

    events = play(f"{setup}\n{line}\n".encode(), code=1)

    assert events == []
    told = capfd.readouterr().err
    assert "input: line 4: side: ['buy', 'sell']: the key is given twice in one object; give it once" in told


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \t\r\n\r\n"])
def test_line_ends_of_either_kind_are_read_alike(play: Play, end: bytes) -> None:
    lines = [*SETUP, new(1, 7, "buy", "10.05", 100)]

    events = play(end.join(json.dumps(each).encode() for each in lines) + end)

    assert [event["event"] for event in events] == ["accepted"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", b"\xef\xbb\xbf"])
def test_byte_order_mark_is_named(play: Play, capfd: pytest.CaptureFixture[str], content: bytes) -> None:
    play(content, code=1)

    told = capfd.readouterr().err
    assert "input: line 1: line:" in told
    assert "begins with a byte order mark; save it as UTF-8 without one" in told


@pytest.mark.parametrize("raw", [b'{"op":"session_end"}\0', b"\0", b'{"op":\r"session_end"}\r{"op":"x"}'])
def test_bytes_that_are_no_line_of_json_are_named(
    play: Play, capfd: pytest.CaptureFixture[str], raw: bytes
) -> None:
    play(raw, code=1)

    assert "input: line 1: line:" in capfd.readouterr().err
