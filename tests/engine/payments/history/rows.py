"""Payments projected into a database, and every row of it."""

from collections.abc import Sequence
from typing import Any

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
