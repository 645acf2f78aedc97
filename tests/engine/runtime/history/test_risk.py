"""History of latches and of equity: as the journal has them, whatever the batches were."""

from typing import Any

import numpy as np

from engine.runtime.history.database import Database
from engine.runtime.history.tables import History
from engine.trading.history.projection import TradingProjection
from engine.trading.instruments import catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, JOURNAL_ENTRY, Role
from gateways.json_lines import CommandEncoder
from tests.capacities import SMALL
from tests.engine.runtime.history.story import Story
from tests.engine.runtime.history.tables import project, rows_of
from tests.postgres import new_database

SECOND = 1_000_000_000
Line = dict[str, Any]


def order(account: int, side: str, price: int, quantity: int) -> Line:
    given = {"op": "new", "account": account, "symbol": "XYZ", "side": side, "type": "limit"}
    return {**given, "price": price, "quantity": quantity}


def mark(price: int) -> Line:
    return {"op": "mark", "symbol": "XYZ", "price": price}


def at(second: int) -> Line:
    return {"op": "time", "now": second * SECOND}


LINES: list[Line] = [
    {"op": "currency", "currency": "USD", "decimals": 2},
    {"op": "instrument", "symbol": "XYZ", "base": "USD", "quote": "USD", "tick_size": "1", "lot_size": "1"},
    *({"op": "account", "account": account, "deposit": {"USD": "1000"}} for account in (1, 2)),
    order(1, "sell", 10, 5),
    order(2, "buy", 10, 5),
    {"op": "limits", "account": 2, "max_drawdown": "20", "max_daily_loss": "500"},  # seq 7
    at(12),  # 8: the first of ten seconds
    mark(9),
    mark(8),  # behind the sweep at its head the five are worth 45
    at(25),  # 11: at its head they are worth 40
    at(31),  # 12: nothing has changed
    mark(7),
    at(44),  # 14: they are worth 35
    {"op": "session_start"},  # 15
    mark(6),
    {"op": "kill", "account": 1},  # 17: at its head a loss of 20 latches
    {"op": "reset_latch", "account": 2, "rebase": True},  # 18
    {"op": "kill", "venue": True},  # 19
    at(55),  # 20
]


def entries_of(lines: list[Line]) -> Any:
    """Return lines as journal entries, with the times that their `time` lines set."""
    state, now = new_state(SMALL), 0
    entries = np.zeros(len(lines), JOURNAL_ENTRY)
    for place, line in enumerate(lines):
        command = np.zeros(1, COMMAND)
        CommandEncoder(catalogue(state), roles=Role.ALL).encode(line, command[0])
        run_all(state, command)
        now = line.get("now", now)
        entries["seq"][place], entries["eng_ts"][place] = place + 1, now
        entries["ring_seq"][place], entries["command"][place] = place, command[0]
    return entries


EQUITY = "SELECT account, seq, eng_ts / 1000000000, equity, peak, day_start, is_session_start FROM equity"


async def test_equity_is_sampled_every_ten_seconds_where_it_changed_and_at_the_start_of_a_day(
    dsn: str,
) -> None:
    await project(dsn, entries_of(LINES), ())

    assert await rows_of(dsn, f"{EQUITY} ORDER BY account, seq") == [
        (2, 8, 12, 100_000, 100_000, 100_000, False),
        (2, 11, 25, 99_000, 100_000, 100_000, False),
        (2, 14, 44, 98_500, 100_000, 100_000, False),
        (2, 15, 44, 98_500, 100_000, 98_500, True),
        (2, 20, 55, 98_000, 98_000, 98_500, False),
    ]
    shown = await rows_of(dsn, "SELECT equity, peak, drawdown, currency FROM equity_history WHERE seq = 14")
    assert [tuple(map(str, row)) for row in shown] == [("985.00", "1000.00", "15.00", "USD")]


async def test_what_repeats_is_left_out_wherever_batches_end(dsn: str, postgres: Database) -> None:
    entries = entries_of(LINES)
    await project(dsn, entries, ())
    whole = await rows_of(dsn, f"{EQUITY} ORDER BY account, seq")

    for every in (1, 3, 11):
        other = await new_database(postgres.dsn)
        await project(other, entries, range(every, len(entries), every))
        assert await rows_of(other, f"{EQUITY} ORDER BY account, seq") == whole, every


async def test_a_value_that_comes_back_within_a_batch_is_told_again(dsn: str) -> None:
    lines = [*LINES[:11], mark(9), at(38), mark(8), at(47), at(58)]

    await project(dsn, entries_of(lines), (11,))

    found = await rows_of(dsn, "SELECT eng_ts / 1000000000, equity FROM equity ORDER BY seq")
    assert found == [(12, 100_000), (25, 99_000), (38, 99_500), (47, 99_000)]


async def test_latches_are_those_of_the_events(dsn: str, story: Story) -> None:
    await project(dsn, story.entries, (700, 701))

    found = await rows_of(dsn, "SELECT account, seq, level, measured FROM latches ORDER BY event_idx")
    told = await rows_of(
        dsn,
        "SELECT account - client_order_id, seq, status, cum_qty FROM all_reports WHERE kind = 9 "
        "ORDER BY event_idx",
    )
    assert len(found) == story.reports["latched"] > 20
    assert found == told


async def test_a_database_of_before_gets_its_latches_and_equity_from_then_on(dsn: str) -> None:
    entries, projection = entries_of(LINES), TradingProjection()
    await project(dsn, entries[:19], ())
    latches = await rows_of(dsn, "SELECT * FROM latches ORDER BY event_idx")
    await rows_of(dsn, "DROP VIEW equity_history")
    for table in ("latches", "equity"):
        await rows_of(dsn, f"DROP TABLE {table}")
    await rows_of(dsn, "DELETE FROM schema_version WHERE version = 8")

    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)
        assert await history.version() == 8

    assert len(latches) == 4  # a limit, what lifted it, and two kills
    assert await rows_of(dsn, "SELECT * FROM latches ORDER BY event_idx") == latches
    assert await rows_of(dsn, "SELECT count(*) FROM equity") == [(0,)]
