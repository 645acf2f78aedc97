"""Tier history: the journal replayed and projected into PostgreSQL, and queries of many rows.

Included in `projected`: replay by the engine's own kernel, rows, binary COPY, merges, indexes and
commits of an embedded PostgreSQL with its own settings (fsync on), from a journal in memory. In
the case `one core` the server shares one core with the historian; in the other each has its own
where the machine has two. Set-up and the filling of the books are projected before the clock
starts. A run checks what it wrote: every command once, as many trades as the flow's model made.

`query` asks the API's own reader for pages of 100, of random accounts and random hours of a day,
among rows that are made by SQL: as many orders and as many fills as its name says.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

from api.past.pages import Filter, Past
from engine.contract.replica import Replica
from engine.runtime.history.database import Database
from engine.runtime.history.historian import GoOn, Historian
from engine.runtime.history.tables import History
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.history.projection import TradingProjection
from engine.trading.records import JOURNAL_ENTRY
from perf.bench_step import BenchError, one_core
from perf.flow.generate import Flow, generate
from perf.flow.mixes import EXCHANGE_CORE, NASDAQ, POWER_LAW, Mix
from perf.histogram import percentiles
from perf.result import Line, Result, with_latencies

TIER = "history"
COMMANDS, QUICK_COMMANDS = 1_000_000, 20_000
ROWS, QUICK_ROWS = 10_000_000, 200_000
QUERIES, QUICK_QUERIES = 1000, 50
WARM_UP_QUERIES = 10
ACCOUNTS = 1000
DAY_NS = 86_400 * 10**9
HOUR_NS = 3600 * 10**9
PAGE = 100
STAMP_NS = 1000
"""eng_ts from one command to the next."""

SYNTHETIC = """
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
DROP INDEX orders_by_account;
ALTER TABLE fills DROP CONSTRAINT fills_pkey;
ALTER TABLE trades DROP CONSTRAINT trades_pkey;
DROP INDEX trades_by_instrument;
INSERT INTO orders
    SELECT n, 1 + n * 7919 % {accounts}, n, 100, 10, 10, 0, 1000,
        n * {step}, n * {step}, n, 0, 0, 0, 0, 1, 1, 2, 2, 0, n & 1 = 1, false, NULL
    FROM generate_series(1::bigint, {rows}) n;
INSERT INTO fills
    SELECT 1 + n * 7919 % {accounts}, n, n, n * {step}, n, 100, 10, 10, 0, 1000,
        1, 1, 1, 1, 1, 0, n & 1 = 1
    FROM generate_series(1::bigint, {rows}) n;
INSERT INTO trades
    SELECT n, 2 * n, 2 * n * {step}, n, 100, 10, 2 * n, 2 * n + 1, 1, 2, 1, 1, 0, true
    FROM generate_series(0::bigint, {rows} / 2) n;
INSERT INTO moments SELECT n * {step}, n, n / 2 FROM generate_series(1024::bigint, {rows}, 1024) n;
UPDATE mark SET seq = {rows};
ALTER TABLE orders ADD PRIMARY KEY (order_id);
CREATE INDEX orders_by_account ON orders (account, order_id);
ALTER TABLE fills ADD PRIMARY KEY (account, fill_id);
ALTER TABLE trades ADD PRIMARY KEY (event_idx);
"""


class ArrayJournal:
    """A journal in memory."""

    def __init__(self, flow: Flow) -> None:
        self.entries = np.zeros(len(flow.commands), JOURNAL_ENTRY)
        self.entries["seq"] = np.arange(1, len(flow.commands) + 1)
        self.entries["eng_ts"] = STAMP_NS * self.entries["seq"]
        self.entries["command"] = flow.commands
        self.durable = 0

    def durable_seq(self) -> int:
        """Return how far the historian may go."""
        return self.durable

    def read(self, first_seq: int, limit: int, go_on: GoOn) -> npt.NDArray[Any]:
        """Return entries from first_seq on."""
        return self.entries[first_seq - 1 : min(self.durable, first_seq - 1 + limit)]


class Progress:
    """What the historian reports, to wait for."""

    def __init__(self) -> None:
        self.seq = 0
        self.error = ""
        self._news = asyncio.Event()

    def __call__(self, seq: int, lag: int, error: str) -> None:
        """Note a report."""
        self.seq, self.error = seq, error
        self._news.set()

    async def until(self, seq: int) -> None:
        """Wait until history goes to `seq`."""
        while self.seq < seq:
            if self.error:
                raise BenchError(f"history: {self.error}")
            self._news.clear()
            await self._news.wait()


def run(quick: bool) -> list[Line]:
    """Measure; return the results as lines of interface R7."""
    count = QUICK_COMMANDS if quick else COMMANDS
    lines = []
    for mix in (POWER_LAW,) if quick else (EXCHANGE_CORE, POWER_LAW, NASDAQ):
        flow = generate(mix, count=count)
        with one_core(), served() as dsn:
            lines.append(asyncio.run(projected(dsn, mix, flow, "one core")))
        with served() as dsn:
            lines.append(asyncio.run(projected(dsn, mix, flow, "every core")))
    with served() as dsn:
        lines += asyncio.run(queried(dsn, *((QUICK_ROWS, QUICK_QUERIES) if quick else (ROWS, QUERIES))))
    return lines


@contextmanager
def served() -> Iterator[str]:
    """Run an embedded PostgreSQL on a new folder for the block; give its DSN."""
    with tempfile.TemporaryDirectory(prefix="pinion-history-") as folder:
        database = Database(Path(folder))
        database.start()
        try:
            yield database.dsn
        finally:
            database.stop()


async def projected(dsn: str, mix: Mix, flow: Flow, cores: str) -> Line:
    """Project the flow; time what comes behind the filling of the books."""
    journal, progress, stop = ArrayJournal(flow), Progress(), asyncio.Event()
    replica = Replica(trading(Capacities()))
    historian = Historian(
        dsn=dsn,
        source=journal,
        projection=TradingProjection(),
        new_replica=lambda _: replica,
        report=progress,
        pace_s=0.001,
    )
    task = asyncio.create_task(historian.run(stop))
    journal.durable = flow.first
    await progress.until(flow.first)
    trades_before = int(replica.state[0]["trade_count"])
    begun = time.perf_counter()
    journal.durable = len(journal.entries)
    await progress.until(journal.durable)
    elapsed_s = time.perf_counter() - begun
    stop.set()
    await task
    await check(dsn, len(journal.entries), trades_before + flow.trade_count)
    measured = len(flow.measured)
    return Result(
        tier=TIER,
        case=f"projected/{mix.name}, {cores}",
        commands=measured,
        throughput_per_s=round(measured / elapsed_s),
        mean_ns=round(1e9 * elapsed_s / measured, 1),
    ).line()


async def check(dsn: str, command_count: int, trade_count: int) -> None:
    """Refuse a projection that is not complete."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    try:
        found = await connection.fetchrow(
            """SELECT (SELECT seq FROM mark), (SELECT count(*) FROM commands), (SELECT count(*) FROM trades),
               (SELECT count(*) FROM fills)"""
        )
    finally:
        await connection.close()
    expected = (command_count, command_count, trade_count, 2 * trade_count)
    if tuple(found) != expected:
        raise BenchError(f"history: mark, commands, trades, fills {tuple(found)}, expected {expected}")


async def queried(dsn: str, row_count: int, query_count: int) -> list[Line]:
    """Fill tables by SQL and time pages out of them."""
    async with await History.connect(dsn) as history:
        await history.migrate(TradingProjection.migrations)
    step = DAY_NS // row_count
    connection = await asyncpg.connect(
        dsn, server_settings={"search_path": "pinion", "maintenance_work_mem": "512MB"}
    )
    await connection.execute(SYNTHETIC.format(rows=row_count, step=step, accounts=ACCOUNTS))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    archive = Past(dsn, lambda: row_count)
    random = np.random.default_rng(1)
    try:
        lines = []
        for name, ask in (("fills", archive.fills), ("orders", archive.orders)):
            for _ in range(WARM_UP_QUERIES):
                await timed(ask, random)
            took = [await timed(ask, random) for _ in range(query_count)]
            case = f"query/{name} of an account in an hour, {row_count:,} rows"
            lines.append(with_latencies(TIER, case, query_count, percentiles(np.array(took))))
        return lines
    finally:
        await archive.close()


async def timed(ask: Callable[[Filter, int, int], Awaitable[Any]], random: np.random.Generator) -> float:
    """Ask for a random account and hour; return the ns it took, having checked the page."""
    account, begin = int(random.integers(1, ACCOUNTS + 1)), int(random.integers(0, DAY_NS - HOUR_NS))
    begun = time.perf_counter_ns()
    page = await ask(Filter(accounts=(account,), begin=begin, end=begin + HOUR_NS), 2**63 - 1, PAGE)
    took = time.perf_counter_ns() - begun
    if not page.rows or any(row["account"] != account for row in page.rows):
        raise BenchError(f"history: account {account} from {begin}: {len(page.rows)} rows")
    return float(took)
