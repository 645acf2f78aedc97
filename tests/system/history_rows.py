"""The rows of a stopped instance's database against a fresh projection of its journal."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from engine.contract.projection import Projection
from engine.contract.replica import Replica
from engine.runtime.history.database import Database
from engine.runtime.history.historian import digest_of
from engine.runtime.history.tables import History
from tests.engine.runtime.history.tables import applied, everything, rows_of
from tests.postgres import new_database
from tests.system.journaled import Journaled

PART = 100


async def compare_rows(
    data_dir: Path, record: Journaled, projection: Projection, tables: Mapping[str, str]
) -> int:
    """Start the server of a stopped instance and compare its rows; return how many there are.

    projection : one that has not begun; tables : each with what its rows are in order of
    """
    server = Database(data_dir)
    await asyncio.to_thread(server.start)
    try:
        [(upto,)] = await rows_of(server.dsn, "SELECT seq FROM mark")
        rows = await everything(server.dsn, tables)
        dsn = await new_database(server.dsn)
        await _project(dsn, record, upto, projection)
        fresh = await everything(dsn, tables)
        for table, expected in fresh.items():
            assert rows[table] == expected, table
        return sum(map(len, rows.values()))
    finally:
        await asyncio.to_thread(server.stop)


async def _project(dsn: str, record: Journaled, upto: int, projection: Projection) -> None:
    """Project the journal's commands up to a seq into an empty database."""
    replica = Replica(record.application)
    projection.open(replica.state)
    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)
        for first in range(0, upto, PART):
            part = record.entries[first : min(first + PART, upto)]
            events = applied(projection, replica, part)
            assert await history.project(projection.batch(part, events, replica.state), digest_of(part))
