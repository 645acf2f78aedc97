"""One real PostgreSQL for a run of tests, always stopped; a database of its own for every test."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from engine.runtime.history.database import Database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A running server."""
    server = Database(tmp_path_factory.mktemp("pg"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def dsn(postgres: Database) -> str:
    """An empty database of the running server."""
    if postgres.pid is None:  # an earlier test left it killed
        postgres.start()
    return asyncio.run(new_database(postgres.dsn))


async def new_database(dsn: str) -> str:
    """Create a database; return its DSN."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return dsn.replace("/postgres?", f"/{name}?")


def private_server(folder: Path) -> Database:
    """A server for a test that kills it; the caller starts and stops it."""
    folder.mkdir()
    return Database(folder)
