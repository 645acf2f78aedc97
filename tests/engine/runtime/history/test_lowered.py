"""History of orders that only reduce: what was lowered unasked, at the head of a command and behind it."""

from typing import Any

import numpy as np
import pytest

from engine.runtime.history.tables import History
from engine.trading.history.schema import MIGRATIONS, SESSION
from engine.trading.records import JOURNAL_ENTRY, EventKind, Op, Reason
from tests.engine.runtime.history.story import BEGAN_NS
from tests.engine.runtime.history.tables import project, rows_of
from tests.engine.trading.engine_side import Engine
from tests.scenarios.script import PREAMBLE, command_of

LINES = """
    1> buy 10 @ 10.00 #1
    2> sell 10 @ 10.00 #2
    > limits account=1 max_drawdown=50 on_breach=reduce_only
    1> sell 12 @ 11.00 #3
    > mark symbol=XYZ price=5.00
    > time now=1
    > reset_latch account=1 rebase=true
    1> cancel #3
    1> sell 12 @ 11.00 #4 reduce_only
    2> buy 4 @ 10.00 #5
    1> sell 3 @ 10.00 #6
"""


@pytest.fixture
def entries() -> Any:
    """A latch that lowers an order at the head of a TIME, and a fill that lowers a reduce-only one."""
    engine = Engine()
    lines = [line.strip() for line in LINES.splitlines() if line.strip()]
    for command in (*PREAMBLE, *map(command_of, lines)):
        engine.submit(dict(command))
    commands = engine.recorded()
    made = np.zeros(len(commands), JOURNAL_ENTRY)
    made["seq"] = np.arange(1, len(commands) + 1)
    made["ring_seq"] = made["seq"] - 1
    made["command"], made["eng_ts"] = commands, BEGAN_NS
    return made


async def test_every_command_has_one_row_whatever_was_lowered_at_its_head(dsn: str, entries: Any) -> None:
    await project(dsn, entries, ())

    found = await rows_of(dsn, "SELECT seq, op FROM commands ORDER BY seq")
    at_head = await rows_of(dsn, "SELECT kind, reason, record IS NULL FROM commands WHERE op = $1", Op.TIME)

    assert found == list(zip(entries["seq"].tolist(), entries["command"]["op"].tolist(), strict=True))
    assert at_head == [(EventKind.REPLACED, Reason.LATCH, False)]


async def test_an_order_tells_that_it_only_reduces_and_what_it_was_lowered_to(dsn: str, entries: Any) -> None:
    await project(dsn, entries, (len(entries) - 1,))

    orders = await rows_of(dsn, "SELECT qty, leaves_qty, is_reduce_only FROM orders ORDER BY order_id")
    lowered = await rows_of(
        dsn, "SELECT qty, kind, reason FROM all_reports WHERE reason = $1", Reason.REDUCE_ONLY
    )

    assert orders[2:4] == [(10, 0, False), (7, 7, True)]
    assert lowered == [(7, EventKind.REPLACED, Reason.REDUCE_ONLY)]


async def test_latches_tell_their_level(dsn: str, entries: Any) -> None:
    await project(dsn, entries, ())

    found = await rows_of(dsn, "SELECT limit_name, level, measured FROM latch_list ORDER BY seq")

    assert [(*each[:2], int(each[2])) for each in found] == [
        ("max_drawdown", "reduce_only", 50),
        ("max_drawdown", "none", 0),
    ]


async def test_orders_of_before_do_not_say_that_they_only_reduce(dsn: str, entries: Any) -> None:
    await project(dsn, entries, ())
    before = await rows_of(dsn, "SELECT order_id, qty FROM orders ORDER BY order_id")
    await rows_of(dsn, "ALTER TABLE orders DROP COLUMN is_reduce_only")
    await rows_of(dsn, "DROP VIEW equity_history")
    for table in ("latches", "equity"):
        await rows_of(dsn, f"DROP TABLE {table}")
    await rows_of(dsn, "DELETE FROM schema_version WHERE version >= 7")

    async with await History.connect(dsn) as history:
        await history.migrate(MIGRATIONS, SESSION)

    found = await rows_of(dsn, "SELECT order_id, qty, is_reduce_only FROM orders ORDER BY order_id")
    assert len(before) == 6
    assert found == [(*each, False) for each in before]
