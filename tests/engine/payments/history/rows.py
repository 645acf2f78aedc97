"""Payments projected into a database, and every row of it."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.history.projection import PaymentsProjection
from engine.runtime.history.historian import digest_of
from engine.runtime.history.tables import History
from tests.engine.payments.building import SMALL

TABLES = {
    "payments": "payment",
    "operations": "payment, event_idx",
    "deposits": "account, seq",
    "moments": "ts_ms, seq",
    "mark": "seq",
}


async def rows_of(dsn: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what a query answers."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    try:
        return [tuple(row) for row in await connection.fetch(query, *values)]
    finally:
        await connection.close()


async def everything(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, in order."""
    return {
        table: await rows_of(dsn, f"SELECT * FROM {table} ORDER BY {order}")
        for table, order in TABLES.items()
    }


async def project(dsn: str, entries: Any, cuts: Sequence[int]) -> list[bool]:
    """Project entries in batches that end behind the given seqs, and at the end; tell which were new."""
    projection, replica = PaymentsProjection(), Replica(payments(SMALL))
    projection.open(replica.state)
    written = []
    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)
        first = 0
        for last in (*cuts, len(entries)):
            part = entries[first:last]
            events = replica.apply(part)
            batch = projection.batch(part, events, replica.state)
            written.append(await history.project(batch, digest_of(part)))
            first = last
    return written
