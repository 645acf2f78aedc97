"""PostgreSQL killed under a whole instance, in the middle of a COPY: trading does not notice.

History says how far it lags, catches up by itself, and its rows are those of a fresh projection.
"""

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import psutil

from engine.contract.port import EventReader
from engine.runtime.history.database import FOLDER, dsn_of
from engine.trading.history.projection import TradingProjection
from tests.engine.runtime.history.tables import TABLES
from tests.engine.runtime.history.test_historian import TRAP, until_trapped
from tests.system.clients import Client
from tests.system.history_rows import compare_rows
from tests.system.record import Record
from tests.system.running import Running, await_true

CLIENTS = 2
WAIT_S = 60.0
Start = Callable[..., Running]


def postgres_of(running: Running) -> list[psutil.Process]:
    """Return every process of the instance's database server."""
    pid = int((running.data_dir / FOLDER / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def kill_postgres(running: Running) -> None:
    """Kill -9 the server and its backends at once."""
    for each in postgres_of(running):
        with suppress(ProcessLookupError):  # a backend that had its server's end noticed before
            os.kill(each.pid, signal.SIGKILL)


def lag_of(running: Running, url: str) -> int:
    """Return what /v1/status says of the history's lag."""
    request = urllib.request.Request(f"{url}/v1/status", headers={"Authorization": f"Bearer {running.key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(json.load(answer)["lag"]["history"])


@asynccontextmanager
async def copy_trapped(dsn: str) -> AsyncIterator[None]:
    """Have the next COPY of fills stand still half way, for as long as the block lasts or the server."""
    holder = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    try:
        await holder.execute(TRAP.format(table="fills", row="fill_id >= 0"))
        await holder.execute("SELECT pg_advisory_lock(7)")
        await until_trapped(dsn)
        yield
    finally:
        holder.terminate()


async def trade_on(clients: list[Client]) -> None:
    """Wait until every client was answered some more times."""
    before = [len(client.told.accepted) for client in clients]

    def have_traded() -> bool:
        return all(len(c.told.accepted) >= n + 5 for c, n in zip(clients, before, strict=True))

    await asyncio.to_thread(await_true, have_traded, "orders are answered", WAIT_S)


async def test_a_database_killed_in_the_middle_of_a_copy_delays_history_and_nothing_else(
    start: Start,
) -> None:
    running = start()
    url = (await asyncio.to_thread(running.await_ready))["api"]
    clients = [Client(running, number, seed=2) for number in range(CLIENTS)]
    with EventReader.attach(running.data_dir) as reader:
        counters = reader.counters()
        await asyncio.to_thread(await_true, lambda: counters["history.seq"] > 0, "history is there", WAIT_S)
        for client in clients:
            client.start()
        async with copy_trapped(dsn_of(running.data_dir)):
            stood_at = counters["history.seq"]
            await trade_on(clients)
            assert counters["history.seq"] == stood_at
            assert lag_of(running, url) > 0
            kill_postgres(running)
        await trade_on(clients)
        await asyncio.to_thread(await_true, lambda: counters["history.seq"] > stood_at, "it goes on", WAIT_S)
        await asyncio.to_thread(kill_postgres, running)  # at any moment
        await trade_on(clients)
        for client in clients:
            client.stop()
            client.join(WAIT_S)
        assert not any(client.told.faults or client.told.retries for client in clients), "trading noticed"
        last = reader.durable_seq()
        await asyncio.to_thread(
            await_true, lambda: counters["history.complete_seq"] >= last, "it caught up", WAIT_S
        )
        assert counters["history.errors"] > 0

    assert await asyncio.to_thread(running.stop) == 0
    record = Record(running.data_dir)
    assert await compare_rows(running.data_dir, record, TradingProjection(), TABLES) > last
