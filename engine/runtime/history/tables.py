"""History in PostgreSQL: batches of an application's projection, each in one transaction.

    mark.seq = 400          BEGIN; mark 400 -> 500 (refused unless it is 400)
    batch 401 .. 500  --->         COPY table ...; COPY staging ...; merges
                            COMMIT

The mark moves in the same transaction as the rows, so what is there is always exactly the
projection of the commands 1 .. mark.seq: after a crash of either side the batch is there or it is
not, and the mark says which. A batch that the mark has passed is not written again. The mark
also keeps a digest of its last command, by which another journal is recognised.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import asyncpg

from engine.contract.projection import Batch, Rows

log = logging.getLogger(__name__)

SCHEMA = "pinion"
"""Schema of the database that all tables are in: it may hold others' tables too."""
CHUNK_BYTES = 2**18
CONNECT_S_MAX = 10.0
COMMAND_S_MAX = 600.0
"""A batch takes a second; an upgrade of large tables may take minutes."""
MIGRATION_LOCK = 7_065_637_846_297_215_855
"""Advisory lock under which one process at a time upgrades the schema."""

BOOKKEEPING = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.schema_version (
    version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.mark (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    seq bigint NOT NULL, eng_ts bigint NOT NULL, digest bytea NOT NULL
);
INSERT INTO {SCHEMA}.mark (seq, eng_ts, digest) VALUES (0, 0, '') ON CONFLICT DO NOTHING;
"""

FAILURES = (
    *(OSError, TimeoutError),
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
"""What a database that is down, slow, full or restarting raises: the caller tries again later."""


Result = TypeVar("Result")


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, Result], otherwise: Exception) -> Result:
    """Return what `work` returns; where the event comes first, cancel `work` and raise `otherwise`."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        working.cancel()
    try:
        return await working
    except asyncio.CancelledError:
        raise otherwise from None


class HistoryError(Exception):
    """Error of a database that does not fit; the text says why and what to do. Trying again is no use."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far history goes: the last projected command, its eng_ts and digest; seq 0 = nothing yet."""

    seq: int
    eng_ts: int
    digest: bytes


class History:
    """One connection that writes. Any error leaves the database at a mark: close and connect again."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_gone = asyncio.Event()
        connection.add_termination_listener(lambda _: self._is_gone.set())

    @classmethod
    async def connect(cls, dsn: str) -> "History":
        """Connect; raises one of FAILURES where the database cannot be reached."""
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_S_MAX,
            command_timeout=COMMAND_S_MAX,
            server_settings={"search_path": SCHEMA, "application_name": "pinion history", "jit": "off"},
        )
        return cls(connection)

    async def __aenter__(self) -> "History":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect, without waiting for a server that does not answer."""
        try:
            await self._connection.close(timeout=1.0)
        except FAILURES as error:
            log.debug("closing: %s", error)  # it is gone already: nothing is lost by that
            self._connection.terminate()

    def abort(self) -> None:
        """Drop the connection at once: whatever waits for it fails, what was not committed is undone."""
        self._connection.terminate()

    async def migrate(self, migrations: Sequence[str], session: Sequence[str] = ()) -> None:
        """Bring the schema to version len(migrations), each step in a transaction of its own.

        session : SQL that this connection needs afterwards, such as staging tables
        Raises HistoryError when the schema is newer than we know.
        """
        await self._connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        try:
            await self._connection.execute(BOOKKEEPING)
            version = await self.version()
            if version > len(migrations):
                raise HistoryError(
                    f"the history in the database has schema version {version}, this Pinion knows "
                    f"{len(migrations)}: start the newer Pinion that made it, or give another database"
                )
            for number, statements in enumerate(migrations[version:], version + 1):
                async with self._connection.transaction():
                    await self._connection.execute(statements)
                    await self._connection.execute("INSERT INTO schema_version VALUES ($1)", number)
                log.info("history: schema version %d", number)
        finally:
            await self._connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
        for statement in session:
            await self._connection.execute(statement)

    async def version(self) -> int:
        """Return the version of the schema, 0 for none."""
        return int(await self._connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version"))

    async def mark(self) -> Mark:
        """Return how far history goes."""
        row = await self._connection.fetchrow("SELECT seq, eng_ts, digest FROM mark")
        return Mark(row["seq"], row["eng_ts"], row["digest"])

    async def project(self, batch: Batch, digest: bytes) -> bool:
        """Write a batch and move the mark behind it, both or nothing; False when it was there already.

        digest : of the batch's last journal entry
        Raises HistoryError when the batch does not begin right behind the mark.
        """
        # asyncpg would wait in vain: where a COPY filled the socket, nothing tells it of the end.
        gone = ConnectionError("the connection ended in the middle of a batch")
        return await unless(self._is_gone, self._project(batch, digest), gone)

    async def _project(self, batch: Batch, digest: bytes) -> bool:
        async with self._connection.transaction():
            # The row is locked from here on: of two writers the second waits, then is refused.
            seq = await self._connection.fetchval("SELECT seq FROM mark FOR UPDATE")
            if seq >= batch.last_seq:
                return False
            if seq != batch.first_seq - 1:
                raise HistoryError(
                    f"history goes to seq {seq}, so the next batch begins at {seq + 1}, not {batch.first_seq}"
                )
            for rows in batch.rows:
                await self._copy(rows)
            for statement in batch.merges:
                await self._connection.execute(statement)
            await self._connection.execute(
                "UPDATE mark SET seq = $1, eng_ts = $2, digest = $3", batch.last_seq, batch.eng_ts, digest
            )
        return True

    async def _copy(self, rows: Rows) -> None:
        await self._connection.copy_to_table(
            rows.table, source=_chunks(rows.stream), columns=rows.columns, format="binary"
        )


async def _chunks(stream: bytes) -> AsyncIterator[bytes]:
    """Cut a stream into pieces that the socket takes without our holding all of it twice."""
    for start in range(0, len(stream), CHUNK_BYTES):
        yield stream[start : start + CHUNK_BYTES]
        await asyncio.sleep(0)
