"""A few connections that read the database of history, made when they are first needed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import asyncpg

OUTAGES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is down, or goes down meanwhile, raises (the last: a query after its farewell)."""
SETTINGS = {"search_path": "pinion", "default_transaction_read_only": "on", "jit": "off"}


class ReadOnlyPool:
    """The connections of one process.

    name : by which the database knows them
    settings : of the database, for these connections
    """

    def __init__(
        self,
        dsn: str,
        name: str,
        *,
        connections_max: int,
        connect_s_max: float,
        query_s_max: float,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._dsn = dsn
        self._connections_max = connections_max
        self._connect_s_max = connect_s_max
        self._query_s_max = query_s_max
        self._settings = {"application_name": name, **SETTINGS, **settings}
        self._pool: Any = None
        self._making_pool = asyncio.Lock()

    def close(self) -> None:
        """Drop every connection."""
        if self._pool is not None:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Give a connection; raises one of OUTAGES, or TimeoutError."""
        async with self._making_pool:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._connections_max,
                    timeout=self._connect_s_max,
                    command_timeout=self._query_s_max,
                    server_settings=self._settings,
                )
        async with self._pool.acquire(timeout=self._query_s_max) as connection:
            yield connection
