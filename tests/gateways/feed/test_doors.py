"""The same file through every door of one real instance gives the same trades."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.contract.instance import PortError
from engine.contract.port import attach_state, claim_spare
from engine.trading.view.live_view import LiveView
from gateways.feed.meter import Meter
from gateways.feed.ring_door import RingDoor
from perf.flow.mixes import POWER_LAW
from perf.live import Live, live
from pinion.cli.main import main
from tests.engine.runtime.bench import running
from tests.gateways.files.venue_files import Row, dbn_bytes, several_dbn_bytes

ORDER_COUNT = 60


@pytest.fixture(scope="module")
def instance() -> Iterator[Live]:
    """A running instance with the demo configuration."""
    with live() as running:
        yield running


def arguments_for(instance: Live, door: str) -> list[str]:
    """Return the arguments that name one door of the instance."""
    to = f"ring:{instance.data_dir}" if door == "ring" else f"{door}://127.0.0.1:{instance.order_port}"
    return ["--to", to, "--key", instance.key]


def lines(symbol: str, first_account: int) -> list[dict[str, Any]]:
    """Return a definition, two accounts and orders of which every second trades."""
    orders: list[dict[str, Any]] = [
        {
            "op": "new",
            "account": first_account + k % 2,
            "client_order_id": k,
            "symbol": symbol,
            "side": "buy" if k % 2 else "sell",
            "price": "10.00",
            "quantity": 3,
        }
        for k in range(1, ORDER_COUNT + 1)
    ]
    return [
        {"op": "instrument", "symbol": symbol, "base": "A", "quote": "B", "tick_size": "0.01", "lot_size": 1},
        *({"op": "account", "account": first_account + k, "unlimited": True} for k in range(2)),
        *orders,
        {
            "op": "new",
            "account": first_account,
            "symbol": symbol,
            "side": "buy",
            "price": "9.999",
            "quantity": 1,
        },
    ]


@pytest.mark.parametrize(("door", "first_account"), [("ring", 7001), ("ws", 7003), ("http", 7005)])
def test_file_trades_through_every_door(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str], door: str, first_account: int
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines(door.upper(), first_account)))

    assert main(["feed", str(path), *arguments_for(instance, door), "--rate", "5000"]) == 0

    report = capfd.readouterr().out
    assert f"fills {ORDER_COUNT // 2}" in report
    assert "1 off_tick" in report
    book = LiveView(attach_state(instance.data_dir)).book(door.upper())
    assert (book.trade_count, book.volume, book.order_count) == (ORDER_COUNT // 2, 3 * ORDER_COUNT // 2, 0)


@pytest.mark.parametrize("door", ["ring", "ws", "http"])
def test_instruments_of_one_market_data_file_leave_each_other_alone(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str], door: str
) -> None:
    one, other = symbols = [f"{door.upper()}1", f"{door.upper()}2"]
    path = tmp_path / "a.dbn"
    events: list[tuple[str, list[Row]]] = [
        *(
            (symbol, [("A", "B", order_id, 400, 10)])
            for symbol in symbols
            for order_id in (1, 2**62, 2**64 - 1)
        ),
        (other, [("C", "B", 1, 400, 10)]),
        (other, [("A", "B", 1, 399, 4)]),  # the venue uses the number again
        (one, [("T", "A", 9, 400, 10), ("F", "B", 1, 400, 10), ("C", "B", 1, 400, 10)]),
    ]
    path.write_bytes(several_dbn_bytes(events, symbols))
    ticks = [option for symbol in symbols for option in ("--tick", f"{symbol}=0.25")]

    assert main(["feed", str(path), *arguments_for(instance, door), *ticks]) == 0

    assert "fills 1, rejected 0, refused at the door 0" in capfd.readouterr().out
    view = LiveView(attach_state(instance.data_dir))
    assert [view.book(symbol).bids.tolist() for symbol in symbols] == [
        [[400, 20, 2]],
        [[400, 20, 2], [399, 4, 1]],
    ]


@pytest.mark.parametrize("door", ["ring", "ws", "http"])
@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ('{"op":', "line 3: line: '{\"op\":': not a JSON object"),
        ('{"op":5}', "line 3: op: 5: give the name of an operation"),
    ],
)
def test_lines_before_a_broken_one_are_sent_and_counted(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str], door: str, broken: str, complaint: str
) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"op":"mass_cancel","account":1}'
    path.write_text("\n".join([good, good, broken, good]))

    assert main(["feed", str(path), *arguments_for(instance, door)]) == 1

    said = capfd.readouterr()
    assert f"{path}: {complaint}" in said.err
    assert "sent 2 commands" in said.out


def test_line_that_no_record_can_be_made_of_is_named_behind_what_was_sent(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"mass_cancel","account":1}\n\n{"op":"mass_cancel","account":1,"sid":"buy"}\n')

    assert main(["feed", str(path), *arguments_for(instance, "ring")]) == 1

    said = capfd.readouterr()
    assert f"{path}: line 3: sid: 'buy'" in said.err
    assert "did you mean 'side'?" in said.err
    assert "sent 1 commands" in said.out


def test_flow_plays_into_an_instance_that_has_other_instruments(
    instance: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["feed", "flow", "--to", f"ring:{instance.data_dir}"]) == 0

    assert "rejected 0" in capfd.readouterr().out
    assert LiveView(attach_state(instance.data_dir)).book("SYM00000").order_count == 0


def stopped_flow(instance: Live) -> tuple[int, str]:
    """Play the flow for a while and stop it in the middle; return exit code and report."""
    command = [sys.executable, "-m", "pinion.cli.main", "feed", "flow", "--forever", "--rate", "20000"]
    feeder = subprocess.Popen(
        [*command, "--to", f"ring:{instance.data_dir}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert feeder.stderr is not None
    next(line for line in feeder.stderr if "commands/s" in line)
    feeder.send_signal(signal.SIGINT)
    report, _ = feeder.communicate(timeout=20)
    return feeder.returncode, report


def test_stopped_feed_waits_for_the_answers_on_their_way(instance: Live) -> None:
    code, report = stopped_flow(instance)

    sent = re.search(r"sent ([\d,]+) commands", report)
    assert code == 0
    assert sent is not None
    assert f"answered {sent[1]}\n" in report
    assert "unanswered" not in report


def test_flow_plays_on_where_an_earlier_one_was_stopped(
    instance: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    stopped_flow(instance)
    view = LiveView(attach_state(instance.data_dir))
    assert view.book("SYM00000").order_count > 0
    assert main(["feed", "flow", "--to", f"ring:{instance.data_dir}"]) == 0

    said = capfd.readouterr()
    assert "rejected 0, refused at the door 0" in said.out
    assert "rested in these books" not in said.err
    assert view.book("SYM00000").order_count == 0


def test_orders_of_others_in_the_books_of_a_feed_are_told_in_one_line(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.dbn"
    rows: list[list[Row]] = [[("A", "B", 7, 400, 3)], [("A", "B", 8, 399, 3)]]
    path.write_bytes(dbn_bytes(rows, "TWICE"))
    arguments = ["feed", str(path), *arguments_for(instance, "ring"), "--tick", "TWICE=0.25"]

    assert main(arguments) == 0
    first = capfd.readouterr()
    assert main(arguments) == 0
    second = capfd.readouterr()

    assert "rested" not in first.err
    assert "pinion feed: 2 orders rested in these books before" in second.err
    assert "rejected: 1 already_defined (the instance has this symbol" in second.out


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--to", "ftp://x"], 2, "give ring:DIR"),
        (["--to", "http://127.0.0.1:1"], 2, "give --key KEY"),
        (
            ["--to", "http://127.0.0.1:1", "--key", "k"],
            1,
            "127.0.0.1:1: no door can be reached there (connection",
        ),
        (
            ["--to", "ws://127.0.0.1:1", "--key", "k"],
            1,
            "127.0.0.1:1: no door can be reached there (connection",
        ),
        (
            ["--to", "http://", "--key", "k"],
            2,
            "--to 'http://': no address of a door; give host and port alone",
        ),
        (["--to", "http://127.0.0.1:99999", "--key", "k"], 2, "99999': no address of a door"),
        (["--to", "ws://a b:1", "--key", "k"], 2, "'ws://a b:1': no address of a door"),
        (["--to", "http://127.0.0.1:1/v1/orders", "--key", "k"], 2, "no address of a door"),
        (["--to", "ring:/nowhere"], 1, "/nowhere"),
    ],
)
def test_door_that_cannot_be_used_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, complaint: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"session_end"}')

    assert main(["feed", str(path), *arguments]) == code

    assert complaint in capfd.readouterr().err


@pytest.mark.parametrize(
    ("door", "said"), [("http", "status 405: this door takes no orders"), ("ws", "status 404 ")]
)
def test_a_door_that_takes_no_orders_is_told_from_the_one_that_does(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str], door: str, said: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"new","account":1,"symbol":"A","side":"buy","type":"market","quantity":"1"}')

    to = f"{door}://127.0.0.1:{instance.api_port}"
    assert main(["feed", str(path), "--to", to, "--key", instance.key]) == 1

    told = capfd.readouterr().err
    assert said in told
    assert "`pinion status` tells where the order door is" in told


def test_a_mix_that_the_flow_does_not_have_is_answered_with_those_that_it_has(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["feed", "flow:nonsense", "--to", "ring:/nowhere"]) == 2

    said = capfd.readouterr().err
    assert "flow:nonsense: the flow has no mix 'nonsense'; there are flow:" in said
    assert f"flow:{POWER_LAW.name}" in said


@pytest.mark.parametrize("door", ["http", "ws"])
def test_foreign_key_is_refused(
    instance: Live, tmp_path: Path, capfd: pytest.CaptureFixture[str], door: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"op":"session_end"}')

    to = f"{door}://127.0.0.1:{instance.order_port}"
    assert main(["feed", str(path), "--to", to, "--key", "not-a-key-of-this-place"]) == 1

    said = capfd.readouterr().err
    assert said.rstrip().endswith("; give --key or --data")
    assert "message=" not in said


def test_an_instance_of_another_application_is_refused_and_its_ring_given_back(tmp_path: Path) -> None:
    with running(tmp_path):
        with pytest.raises(PortError, match=r"runs 'echo_.*', and feed plays into 'trading' alone"):
            RingDoor(tmp_path, Meter(None))

        claim_spare(tmp_path).close()
