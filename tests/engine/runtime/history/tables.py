"""Every row of a projected database, to be compared with another's."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import numpy as np

from engine.contract.projection import Projection
from engine.runtime.history.historian import FollowingReplica, digest_of
from engine.runtime.history.tables import History
from engine.trading.history.projection import TradingProjection
from tests.engine.runtime.history.story import MemoryReplica

TABLES = {
    "commands": "seq",
    "moments": "seq",
    "reports": "order_id, event_idx",
    "orders": "order_id",
    "trades": "event_idx",
    "fills": "account, fill_id",
    "deposits": "account, event_idx, currency",
    "balances": "account, currency",
    "positions": "account, instrument",
    "currencies": "currency",
    "instruments": "instrument",
    "accounts": "account",
    "mark": "seq",
}
"""Those that there have always been."""
ALL_TABLES = {**TABLES, "latches": "account, event_idx", "equity": "account, seq"}


async def rows_of(dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what a query answers."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    try:
        return [tuple(row) for row in await connection.fetch(query, *values)]
    finally:
        await connection.close()


async def everything(dsn: str, tables: Mapping[str, str] = ALL_TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, in order; tables : each with what its rows are in order of."""
    return {
        table: await rows_of(dsn, f"SELECT * FROM {table} ORDER BY {order}")
        for table, order in tables.items()
    }


def applied(projection: Projection, replica: FollowingReplica, entries: Any) -> Any:
    """Apply entries with the looks that a projection wants, as the historian does; return their events."""
    first, events = 0, []
    for place in projection.looks(entries):
        events.append(replica.apply(entries[first : place + 1]))
        projection.look(entries[place], replica.state)
        first = place + 1
    if first < len(entries):
        events.append(replica.apply(entries[first:]))
    return np.concatenate(events)


async def project(dsn: str, entries: Any, cuts: Sequence[int]) -> None:
    """Project entries in batches that end behind the given seqs, and at the end."""
    projection, replica = TradingProjection(), MemoryReplica()
    projection.open(replica.state)
    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)
        first = 0
        for last in (*cuts, len(entries)):
            part = entries[first:last]
            events = applied(projection, replica, part)
            assert await history.project(projection.batch(part, events, replica.state), digest_of(part))
            first = last
