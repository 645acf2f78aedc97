"""`pinion journal`, `pinion replay DIR` and `pinion whatif` over journals written here."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import START, segment_paths
from engine.runtime.journal.writer import JournalWriter
from engine.settings.config import ConfigError
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.client_ids import client_id
from engine.trading.demo import demo
from engine.trading.name import TRADING
from engine.trading.records import (
    COMMAND,
    COMMAND_VERSION,
    JOURNAL_ENTRY,
    Op,
    OrderType,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from pinion.cli.journal.data import read_layout, remember
from pinion.cli.main import main
from pinion.cli.trading.definitions import definitions

ORDERS = 40
PER_FRAME = 7
UUID = "8E03978E-40D5-43DD-BC93-6894A5000000"


def new_order(number: int) -> Any:
    """Return a buy or sell of account 1 or 2 at one price: every second one trades."""
    command = np.zeros(1, COMMAND)
    command["op"], command["version"], command["roles"] = Op.NEW, COMMAND_VERSION, Role.ALL
    command["side"] = Side.BUY if number % 2 else Side.SELL
    command["order_type"], command["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
    command["stp_mode"] = SelfTradePrevention.CANCEL_NEWEST
    command["account"], command["client_order_id"] = 1 + number % 2, number
    command["px"], command["qty"] = 10_000, 1_000 + number
    if number == ORDERS:
        command["client_order_id"], command["text"] = client_id(UUID, "demo")
    return command


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose journal holds the demo's definitions and 40 orders."""
    data_dir = tmp_path_factory.mktemp("data")
    application = trading(Capacities())
    remember(data_dir, TRADING, asdict(Capacities()))
    parts = [each.commands for each in definitions(demo("k" * 32))]
    commands = np.concatenate([*parts, *(new_order(number) for number in range(1, ORDERS + 1))])
    commands["version"], commands["roles"] = COMMAND_VERSION, Role.ALL
    entries = np.zeros(len(commands), JOURNAL_ENTRY)
    entries["seq"] = np.arange(1, len(commands) + 1)
    entries["eng_ts"] = 1_000_000 * entries["seq"]
    entries["ring_seq"] = np.arange(len(commands))
    entries["command"] = commands
    folder = data_dir / journal.FOLDER
    writer = JournalWriter(folder, Disk(), owner=application.owner, epoch=1, slot_count=64)
    writer.begin(1, START)
    done = 0
    while done < len(entries):
        count = min(PER_FRAME, writer.room, len(entries) - done)
        if count == 0:
            writer.rotate()
            continue
        writer.append(entries[done : done + count].view(np.uint8), np.zeros(0, np.uint8), done)
        done += count
    writer.close()
    return data_dir


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_verify_finds_a_whole_journal_whole(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(written)]) == 0

    said = capsys.readouterr().out
    assert "all whole and chained" in said
    assert f"to {len(definitions(demo('k' * 32))) + ORDERS}" in said


def test_the_journal_folder_itself_serves_as_well(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "stats", str(written / "journal")]) == 0

    assert f"new            {ORDERS}" in capsys.readouterr().out


def test_dump_writes_the_commands_asked_for(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "dump", str(written), "--from", "3", "--to", "9"]) == 0

    dumped = lines_of(capsys.readouterr().out)
    assert [each["seq"] for each in dumped] == list(range(3, 10))
    assert dumped[0]["op"] == "currency"


def test_dump_tells_a_client_id_as_every_answer_does(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "dump", str(written)]) == 0

    dumped = lines_of(capsys.readouterr().out)
    texts = [each["text"] for each in dumped if each["op"] == "new" and "text" in each]
    assert texts == [UUID.lower()]
    assert all(isinstance(each["text"], list) for each in dumped if each["op"] == "instrument")


def test_dump_tells_of_seqs_that_cannot_be(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "dump", str(written), "--from", "5", "--to", "4"]) == 2
    assert "--from 5 --to 4: ends before it begins" in capsys.readouterr().err

    assert main(["journal", "dump", str(written), "--from", "1000000"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "--from 1000000: the journal ends at seq" in told.err


def test_a_dump_whose_reader_leaves_is_quiet(written: Path) -> None:
    dump = [sys.executable, "-m", "pinion.cli.main", "journal", "dump", str(written)]
    with subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("place", ["entry", "frame head", "segment head"])
def test_verify_names_file_and_place_of_damage(
    written: Path, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    (copy / "journal").mkdir(parents=True)
    for path in (written / "journal").iterdir():
        (copy / "journal" / path.name).write_bytes(path.read_bytes())
    damaged = segment_paths(copy / "journal")[0]
    content = bytearray(damaged.read_bytes())
    slot = {"segment head": 0, "frame head": 1, "entry": 3}[place]
    content[4096 + slot * JOURNAL_ENTRY.itemsize + 40] ^= 1
    damaged.write_bytes(content)

    assert main(["journal", "verify", str(copy)]) == 1

    said = capsys.readouterr().err
    assert damaged.name in said
    assert "backup" in said or "head is damaged" in said


def test_replaying_the_folder_gives_events_books_and_a_digest(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, book = tmp_path / "events", tmp_path / "book"

    assert main(["replay", str(written), "--events", str(events), "--book", str(book), "--stats"]) == 0

    told = lines_of(events.read_text())
    assert sum(each["event"] == "accepted" for each in told) == ORDERS
    assert sum(each["event"] == "trade" for each in told) >= ORDERS // 2
    assert set(json.loads(book.read_text())) == {"BTC-USD", "ETH-USD", "AAPL"}
    assert "state digest" in capsys.readouterr().out


def test_whatif_tells_which_orders_a_limit_would_have_stopped(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = tmp_path / "stopped"
    limit = '{"symbol":"BTC-USD","max_quantity":"0.102"}'

    assert main(["whatif", str(written), "--limit", limit, "--orders", str(orders)]) == 0

    stopped = lines_of(orders.read_text())
    assert [each["client_order_id"] for each in stopped] == [*range(21, ORDERS), UUID.lower()]
    assert {each["reason"] for each in stopped} == {"max_quantity"}
    assert "would be stopped 20" in capsys.readouterr().out


def test_whatif_tells_which_orders_which_rule_would_have_refused(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders, rules = tmp_path / "stopped", tmp_path / "clips.py"
    head = "from pinion import rule\n\n\n"
    rules.write_text(
        f'{head}@rule("clip", reason="CLIP", params={{"max": 1020}})\ndef clip(order, ctx, params):\n'
        f"    return order.qty > params.max\n\n\n"
        f'@rule("divides", reason="DIVIDES")\ndef divides(order, ctx, params):\n'
        f"    return order.qty // (order.qty - 1003) > 10**9\n"
    )

    assert main(["whatif", str(written), "--rules", str(rules), "--orders", str(orders)]) == 0

    stopped = lines_of(orders.read_text())
    assert [each["client_order_id"] for each in stopped] == [3, *range(21, ORDERS), UUID.lower()]
    assert [each["limit"] for each in stopped] == ["rule divides (fault)", *["rule clip"] * 20]
    assert "rule clip" in (told := capsys.readouterr().out)
    assert "would be stopped 21" in told
    assert main(["whatif", str(written)]) == 2
    assert "give --limit or --rules" in capsys.readouterr().err
    namesake = tmp_path / "other" / "clips.py"
    namesake.parent.mkdir()
    namesake.write_text(rules.read_text())
    assert main(["whatif", str(written), "--rules", str(rules), "--rules", str(namesake)]) == 2
    assert "another file is called clips.py" in capsys.readouterr().err
    rules.write_text(f"{head}LIMIT_OF_MINE = 3\n")
    assert main(["whatif", str(written), "--rules", str(rules)]) == 2
    assert "clips.py:4: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON: nested too deep"),
        ('{"account":1,"max_open_orders":5,"max_open_orders":6}', "'max_open_orders' is given twice"),
        ('{"op":"new"}', "give a `limits` line"),
        ('{"symbol":"NOPE","max_quantity":"1"}', "NOPE"),
        ('{"account":99,"max_open_orders":1}', "account = 99: the journal has no such account; give one"),
        ('{"account":1,"max_open_orders":-1}', "max_open_orders -1: must be 0 to 2147483647"),
        ('{"account":1,"order_rate":9999999999}', "order_rate 9999999999: must be 0 to 1000000000"),
        ('{"symbol":"AAPL","max_quantity":"999999999999"}', "max_quantity = '999999999999': at the highest"),
        (
            '{"symbol":"AAPL","band_low":"9","band_high":"3"}',
            "band_low = '9', band_high = '3': a band",
        ),
        ("{}", "names no account, group or symbol"),
        ('{"max_open_orders":5}', "names no account, group or symbol"),
        ('{"account":1}', "limits nothing"),
    ],
)
def test_whatif_refuses_a_limit_that_cannot_hold(
    written: Path, limit: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["whatif", str(written), "--limit", limit]) == 2

    assert said in capsys.readouterr().err


def test_whatif_refuses_one_limit_of_two_values(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = [
        '{"account":1,"max_open_orders":5,"order_rate":9}',
        '{"op":"limits","account":1,"max_open_orders":6}',
    ]

    assert main(["whatif", str(written), "--limit", limits[0], "--limit", limits[1]]) == 2

    assert "max_open_orders is given twice; give it once" in capsys.readouterr().err


def test_whatif_refuses_a_file_that_cannot_be_written_before_it_replays(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere" / "orders"

    assert (
        main(
            ["whatif", str(written), "--limit", '{"account":99,"max_quantity":"1"}', "--orders", str(nowhere)]
        )
        == 1
    )

    assert f"{nowhere}: No such file" in capsys.readouterr().err


def test_a_quarantined_command_is_a_rejection_ever_after(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first_order = len(definitions(demo("k" * 32))) + 1
    events = tmp_path / "events"

    assert main(["journal", "quarantine", str(first_order), "--data", str(written)]) == 0
    assert main(["replay", str(written), "--events", str(events)]) == 0
    (written / "journal" / "quarantine").unlink()

    rejected = [each for each in lines_of(events.read_text()) if each["event"] == "rejected"]
    assert [(each["seq"], each["reason"]) for each in rejected] == [(first_order, "quarantined")]
    assert main(["journal", "quarantine", "1000000", "--data", str(written)]) == 1
    assert "not in the journal" in capsys.readouterr().err


def test_other_capacities_than_the_journals_are_refused_by_name(written: Path) -> None:
    assert read_layout(written).application == "trading"

    with pytest.raises(ConfigError, match=r"engine\.capacities\.orders = 1024: the journal .* 262144"):
        remember(written, TRADING, asdict(Capacities(orders=1024)))


@pytest.mark.parametrize("command", [["journal", "verify"], ["journal", "stats"], ["replay"]])
def test_a_folder_without_a_journal_is_named(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, str(tmp_path)]) == 1

    assert str(tmp_path) in capsys.readouterr().err
