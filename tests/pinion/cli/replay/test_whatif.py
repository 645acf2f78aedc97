"""`pinion whatif`: what limits would have stopped, latched and changed, over journals written here."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.trading.fields import AccountLimit
from engine.trading.instruments import catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, COMMAND_VERSION, UNCHANGED, Op, Role
from gateways.json_lines import CommandEncoder
from pinion.cli.main import main
from tests.capacities import SMALL
from tests.pinion.cli.journal import small_journal

Line = dict[str, Any]
SET_UP: list[Line] = [
    {"op": "currency", "currency": "USD", "decimals": 2},
    {"op": "instrument", "symbol": "XYZ", "base": "USD", "quote": "USD", "tick_size": "1", "lot_size": "1"},
    {"op": "instrument", "symbol": "ABC", "base": "USD", "quote": "USD", "tick_size": "1", "lot_size": "1"},
    *({"op": "account", "account": account, "deposit": {"USD": "1000"}} for account in (1, 2, 3)),
]


def order(account: int, side: str, price: int, quantity: int, symbol: str = "XYZ", **more: Any) -> Line:
    given = {"op": "new", "account": account, "symbol": symbol, "side": side, "type": "limit"}
    return {**given, "price": price, "quantity": quantity, **more}


def trade(buyer: int, seller: int, price: int, quantity: int) -> list[Line]:
    return [order(seller, "sell", price, quantity), order(buyer, "buy", price, quantity)]


def mark(price: int) -> Line:
    return {"op": "mark", "symbol": "XYZ", "price": price}


def written(data_dir: Path, lines: list[Line], records: dict[int, np.ndarray] | None = None) -> Path:
    """Write a journal of these lines; records : in place of lines, by their number."""
    small_journal.begin(data_dir)
    state, commands = new_state(SMALL), []
    for number, line in enumerate(lines):
        encoder = CommandEncoder(catalogue(state), lambda *_: catalogue(state).instruments[0])
        command = np.zeros(1, COMMAND)
        encoder.encode(line, command[0])
        if records and number in records:
            command = records[number]
        command["version"], command["roles"] = COMMAND_VERSION, Role.ALL
        commands.append(command)
        if line["op"] in ("currency", "instrument"):
            run_all(state, command)
    small_journal.append(data_dir, commands)
    return data_dir


def asked(
    data_dir: Path, capsys: pytest.CaptureFixture[str], *limits: Line, orders: Path | None = None
) -> Any:
    """Ask and return the JSON answer."""
    given = [option for limit in limits for option in ("--limit", json.dumps(limit))]
    more = [] if orders is None else ["--orders", str(orders)]
    assert main(["whatif", str(data_dir), *given, *more, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


LOSING: list[Line] = [
    *SET_UP,
    *trade(1, 2, 10, 5),  # seq 7, 8: account 1 has five at 10
    mark(7),  # 9: a loss of 15
    order(3, "sell", 7, 2),  # 10: at its head the sweep values account 1
    order(1, "buy", 7, 2),  # 11: trades
    order(1, "buy", 6, 1),  # 12: rests
    {"op": "reset_latch", "account": 1, "rebase": True},  # 13: refused in the journal, nothing is latched
    order(1, "buy", 5, 1),  # 14
]


def test_a_latch_is_told_with_what_it_stops_and_what_would_have_become_of_the_books(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir, orders = written(tmp_path / "data", LOSING), tmp_path / "orders"

    told = asked(data_dir, capsys, {"account": 1, "max_drawdown": "12"}, orders=orders)

    latched, lifted = told["latches"]
    assert latched == {
        **{"seq": 10, "eng_ts": 10_000_000, "account": 1, "symbol": None, "limit": "max_drawdown"},
        **{"level": "cancel_and_block", "measured": "15", "allowed": "12", "currency": "USD"},
        "cancelled_count": 0,
    }
    assert (lifted["seq"], lifted["level"], lifted["measured"]) == (13, None, "0")
    assert told["stopped"] == {"count": 2, "by_limit": {"max_drawdown": 2}, "by_account": {"1": 2}}
    assert told["entered"] == 6
    assert (told["trades"], told["taken"]["count"]) == ({"was": 2, "would": 1}, 0)
    assert told["instruments"] == [
        {
            "symbol": "XYZ",
            "trades": {"was": 2, "would": 1},
            "volume": {"was": "7", "would": "5"},
            "resting_orders": {"was": 2, "would": 2},
            "last": {"was": "7", "would": "10"},
        }
    ]
    assert [(each["account"], each["positions"]) for each in told["accounts"]] == [
        (1, {"XYZ": {"was": "7", "would": "5"}}),
        (3, {"XYZ": {"was": "-2", "would": "0"}}),
    ]
    stopped = [json.loads(line) for line in orders.read_text().splitlines()]
    assert [(each["seq"], each["reason"], each["limit"]) for each in stopped] == [
        (11, "blocked", "max_drawdown"),
        (12, "blocked", "max_drawdown"),
    ]


def test_equity_that_would_have_been_is_told_by_currency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*SET_UP, *trade(1, 2, 10, 5), mark(12)]
    told = asked(written(tmp_path / "data", lines), capsys, {"account": 1, "max_position": "3"})

    assert [(each["account"], each["equity"]) for each in told["accounts"]] == [
        (1, {"USD": {"was": "1010", "would": "1000", "change": "-10"}}),
        (2, {"USD": {"was": "990", "would": "1000", "change": "10"}}),
    ]


@pytest.mark.parametrize("later", [{"max_drawdown": "500"}, {"max_drawdown": None}, {"max_drawdown": "1"}])
def test_what_is_asked_for_wins_over_the_same_limit_of_the_journal(
    tmp_path: Path, later: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = {"op": "limits", "account": 1, **later, "max_open_orders": 1, "on_breach": "warn"}
    lines = [*LOSING[:8], limits, *LOSING[8:]]
    told = asked(written(tmp_path / "data", lines), capsys, {"account": 1, "max_drawdown": "12"})

    latched = [each for each in told["latches"] if each["level"] == "cancel_and_block"]
    assert [(each["seq"], each["measured"], each["allowed"]) for each in latched] == [(11, "15", "12")]


def test_other_limits_of_the_journal_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [*SET_UP, {"op": "limits", "account": 1, "max_open_orders": 1, "max_position": "9"}]
    lines += [order(1, "buy", 5, 1), order(1, "buy", 5, 1)]
    told = asked(written(tmp_path / "data", lines), capsys, {"account": 1, "max_position": "0"})

    # The second was refused as it is: only the first is stopped.
    assert told["stopped"] == {"count": 1, "by_limit": {"max_position": 1}, "by_account": {"1": 1}}


def test_a_limit_that_is_lifted_tells_what_would_have_been_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"op": "limits", "account": 1, "max_drawdown": "12", "max_open_orders": 0}
    lines = [*LOSING[:6], own, *LOSING[6:]]
    told = asked(
        written(tmp_path / "data", lines),
        capsys,
        {"account": 1, "max_drawdown": None, "max_open_orders": None},
    )

    assert told["latches"] == []
    assert told["taken"]["by_reason"] == {"max_open_orders": 2, "blocked": 2} or told["taken"]["count"] == 4


def test_limits_in_records_of_before_give_way_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = np.zeros(1, COMMAND)
    before["op"], before["account"], before["instrument"] = Op.LIMITS, 1, -1
    for field, value in (("px", 7), ("qty", UNCHANGED), ("display_qty", UNCHANGED), ("stop_px", UNCHANGED)):
        before[field] = value
    lines = [*SET_UP, {"op": "session_end"}, order(1, "buy", 5, 1)]
    data_dir = written(tmp_path / "data", lines, {len(SET_UP): before})

    told = asked(data_dir, capsys, {"account": 1, "max_open_orders": 0})

    assert told["stopped"]["by_limit"] == {"max_open_orders": 1}


def test_limits_of_a_symbol_win_and_the_others_of_the_line_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"op": "limits", "symbol": "XYZ", "max_quantity": "100", "max_open_orders": 50, "band_low": 5}
    lines = [*SET_UP, own, order(1, "buy", 5, 9), order(1, "buy", 5, 1), order(1, "buy", 4, 1)]
    asked_for = {"symbol": "XYZ", "max_quantity": "8", "max_open_orders": 0}
    told = asked(written(tmp_path / "data", lines), capsys, asked_for)

    assert told["stopped"]["by_limit"] == {"max_quantity": 1, "max_open_orders": 1}


RICH: list[Line] = [
    *SET_UP,
    mark(10),
    *trade(1, 2, 10, 40),
    order(1, "buy", 9, 10),
    {"op": "replace", "account": 1, "order_id": 10, "price": 9, "quantity": 12},
    {"op": "replace", "account": 1, "order_id": 10, "price": 9, "quantity": 14},
    order(1, "buy", 8, 10),
    order(1, "buy", 7, 10),
    mark(5),
    order(3, "buy", 1, 1, "ABC"),
    *(order(1, "buy", price, 1) for price in (1, 2, 3)),
]


ASKED: list[tuple[Line, str]] = [
    ({"max_open_orders": 1}, "max_open_orders"),
    ({"max_position": "50"}, "max_position"),
    ({"order_rate": 1}, "rate_limit"),
    ({"order_rate": 1, "order_burst": 2}, "rate_limit"),
    ({"modify_rate": 1}, "rate_limit"),
    ({"modify_rate": 0, "modify_burst": 1}, "rate_limit"),
    ({"max_daily_loss": "150"}, "max_daily_loss"),
    ({"max_drawdown": "150"}, "max_drawdown"),
    ({"max_drawdown_bps": 1500}, "max_drawdown_bps"),
    ({"max_gross_exposure": "480"}, "max_gross_exposure"),
    ({"max_concentration_ppm": 999_999}, "max_concentration"),
    ({"max_fill_rate": "30"}, "max_fill_rate"),
    ({"max_fill_rate": "30", "fill_window_ms": 60_000}, "max_fill_rate"),
    ({"max_order_trade_ratio": 2}, "order_trade_ratio"),
    ({"max_order_trade_ratio": 2, "order_trade_window_ms": 90_000}, "order_trade_ratio"),
]
"""Limits of account 1, and what each stops in RICH."""


@pytest.mark.parametrize(("limit", "stops"), ASKED)
def test_every_limit_of_an_account_can_be_asked_for(
    tmp_path: Path, limit: Line, stops: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked(written(tmp_path / "data", RICH), capsys, {"account": 1, **limit})

    assert told["stopped"]["by_limit"].get(stops, 0) >= 1, told["stopped"]
    assert set(told["stopped"]["by_account"]) == {"1"}


def test_the_limits_above_are_all_that_there_are() -> None:
    asked_for = {name for limit, _ in ASKED for name in limit}

    assert asked_for == {limit.name.lower() for limit in AccountLimit}


def test_a_table_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = written(tmp_path / "data", LOSING)

    assert main(["whatif", str(data_dir), "--limit", '{"account":1,"max_drawdown":"12"}']) == 0

    said = capsys.readouterr().out
    for line in (
        "would be stopped 2",
        "  max_drawdown           2",
        "would latch     2 more, 0 would not",
        "  seq 10 at 10000000 account 1 max_drawdown cancel_and_block: 15 of 12 USD",
        "  seq 13 at 13000000 account 1 max_drawdown lifted: 0 of 12 USD",
        "trades          2 were, 1 would be",
        "  XYZ              trades 2 -> 1, volume 7 -> 5",
        "accounts        2 would stand otherwise",
    ):
        assert line in said.splitlines(), said


def test_standard_output_is_for_one_of_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = written(tmp_path / "data", SET_UP)
    limit = ["--limit", '{"account":1,"max_drawdown":"12"}']

    assert main(["whatif", str(data_dir), *limit, "--orders", "-", "--json"]) == 2

    assert "give --orders a file" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["whatif", "--help"])

    assert """pinion whatif DIR --limit '{"account":1,"max_open_orders":5}'""" in capsys.readouterr().out
