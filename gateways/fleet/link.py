"""The one connection to the store: calls go together, have a deadline, and whatever fails ends it.

A connection on which a call was late is dropped: an answer that comes afterwards can belong to no other
call. A store that does not answer is asked ever more seldom, and whoever calls meanwhile is told at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CALL_S_MAX = 0.05
CONNECT_S_MAX = 0.5
"""Of a connection with its greeting, TLS and scripts."""
PAUSE_S_FIRST, PAUSE_S_MAX = 0.1, 2.0
Call = tuple[str, Sequence[str], Sequence[str | int | bytes]]
"""A script by its text, its keys and its arguments."""


class StoreDownError(Exception):
    """The store cannot be asked; the text says why."""


class StoreLink:
    """The connection; count : told of each thing that is counted (counts.py), now : the event loop's time."""

    def __init__(
        self, url: str, scripts: Sequence[str], count: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        self._url = url
        self._scripts = scripts
        self._count = count
        self._now = now
        self._client: Any = None
        self._hashes: dict[str, str] = {}
        self._pause_s = PAUSE_S_FIRST
        self._again_at = 0.0
        self._cause = ""
        self.run_id = ""
        """Of the store that is connected: one that was started again has another."""

    async def connect(self) -> None:
        """Be connected, so that `run_id` is known; StoreDownError."""
        await self._guarded(self._connect)

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Send calls together and return what each has answered; StoreDownError."""
        if self._client is None:
            raise StoreDownError("there is no connection")
        answers: list[Any] = await self._guarded(lambda: self._round_trip(calls))
        return answers

    async def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.connection is not None:
            await client.connection.disconnect(nowait=True)  # whatever it still waits for
        await client.aclose()

    async def _guarded(self, work: Callable[[], Any]) -> Any:
        """Do something with the store, or drop the connection and wait before the next one."""
        if self._now() < self._again_at:
            raise StoreDownError(self._cause)
        try:
            done = await work()
        except (RedisError, OSError, ValueError) as error:  # a time-out is an OSError
            self._count("timeouts" if isinstance(error, TimeoutError) else "failures")
            self._cause = str(error) or "it gave no answer in time"
            self._again_at = self._now() + self._pause_s
            self._pause_s = min(2 * self._pause_s, PAUSE_S_MAX)
            await self.close()
            raise StoreDownError(self._cause) from error
        return done

    async def _connect(self) -> None:
        if self._client is not None:
            return
        client: Any = Redis.from_url(
            self._url,
            single_connection_client=True,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
            protocol=2,
        )
        self._client = client
        async with asyncio.timeout(CONNECT_S_MAX):
            self.run_id = str((await client.info("server"))["run_id"])
            self._hashes = {each: await client.script_load(each) for each in self._scripts}
        self._count("connections")

    async def _round_trip(self, calls: Sequence[Call]) -> list[Any]:
        self._count("asked")
        # Not a pipeline of redis-py, which takes another connection and joins it within our deadline.
        connection = self._client.connection
        commands = [
            ("EVALSHA", self._hashes[script], len(keys), *keys, *arguments)
            for script, keys, arguments in calls
        ]
        async with asyncio.timeout(CALL_S_MAX):
            await connection.send_packed_command(connection.pack_commands(commands))
            answers: list[Any] = [await connection.read_response() for _ in calls]
        self._pause_s = PAUSE_S_FIRST
        return answers
