"""Commands without an event are held back, and neither lost nor written twice whatever happens meanwhile."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.history.database import Database
from engine.runtime.history.historian import SILENCE_NS
from engine.trading.records import JOURNAL_ENTRY, Op
from tests.engine.runtime.history.story import MemoryJournal, MemoryReplica, Story
from tests.engine.runtime.history.tables import everything, project, rows_of
from tests.engine.runtime.history.test_historian import WAIT_S, Reports, historian
from tests.postgres import new_database, private_server

SECOND_NS = 1_000_000_000
HELD = SILENCE_NS // SECOND_NS
"""So many ticks, one a second, are held back at most."""
CONNECTION = "pinion history"


class Quiet:
    """A story, then ticks for longer than any are held, then one command that makes an event."""

    def __init__(self, story: Story) -> None:
        ticks = np.zeros(2 * HELD, JOURNAL_ENTRY)
        ticks["command"]["op"] = Op.TICK
        last = story.entries[story.entries["command"]["op"] == Op.NEW][-1:]  # a repeat: it is rejected
        self.begin = len(story.entries)
        self.entries = np.concatenate((story.entries, ticks, last))
        self.end = len(self.entries)
        self.entries["seq"] = np.arange(1, self.end + 1)
        behind = np.arange(1, self.end - self.begin + 1)
        self.entries["eng_ts"][self.begin :] = story.entries["eng_ts"][-1] + SECOND_NS * behind

    def until_tick(self, number: int) -> int:
        """Return the seq of a tick, from 1 on."""
        return self.begin + number


@pytest.fixture(scope="module")
def quiet(story: Story) -> Quiet:
    return Quiet(story)


@pytest.fixture(scope="module")
def fresh(postgres: Database, quiet: Quiet) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a projection that nothing disturbed."""
    dsn = asyncio.run(new_database(postgres.dsn))
    asyncio.run(project(dsn, quiet.entries, ()))
    return asyncio.run(everything(dsn))


async def mark_of(dsn: str) -> int:
    [(seq,)] = await rows_of(dsn, "SELECT seq FROM mark")
    return int(seq)


class Following:
    """A historian at work on a journal that the test lets grow."""

    def __init__(self, dsn: str, quiet: Quiet) -> None:
        self.replica_count = 0
        self.journal = MemoryJournal(quiet.entries, durable=quiet.begin)
        self.reports = Reports()
        self._stop = asyncio.Event()
        following = historian(dsn, self.journal, self.reports, 10_000, new_replica=self._replica)
        self.task = asyncio.create_task(following.run(self._stop))

    def _replica(self, seq: int) -> MemoryReplica:
        self.replica_count += 1
        return MemoryReplica()

    async def reach(self, seq: int) -> None:
        """Let the journal go to seq, and history see all of it."""
        self.journal.durable = seq
        await self.reports.until(lambda: self.reports.complete_seq == seq)

    async def stop(self) -> None:
        """Stop it as an operator does."""
        self._stop.set()
        async with asyncio.timeout(WAIT_S):
            await self.task

    async def die(self) -> None:
        """End it as a kill does: what it holds is gone."""
        self.task.cancel()
        await asyncio.wait((self.task,))


async def test_what_made_no_event_is_held_back_for_so_long_and_no_longer(dsn: str, quiet: Quiet) -> None:
    following = Following(dsn, quiet)
    await following.reach(quiet.begin)

    for tick in (1, HELD):
        await following.reach(quiet.until_tick(tick))
        assert following.reports.seq == quiet.begin
    assert await mark_of(dsn) == quiet.begin
    await following.reach(quiet.until_tick(HELD + 1))
    assert following.reports.seq == quiet.until_tick(HELD + 1)
    assert await mark_of(dsn) == quiet.until_tick(HELD + 1)

    await following.stop()


async def test_what_is_held_goes_before_the_next_command_that_made_an_event(
    dsn: str, quiet: Quiet, fresh: Any
) -> None:
    following = Following(dsn, quiet)

    for seq in (quiet.begin, quiet.until_tick(3), quiet.until_tick(5), quiet.end):
        await following.reach(seq)
    reached = following.reports.seq
    await following.stop()

    assert reached == quiet.end
    assert await everything(dsn) == fresh


async def test_a_stop_writes_what_is_held(dsn: str, quiet: Quiet) -> None:
    following = Following(dsn, quiet)
    await following.reach(quiet.begin)
    await following.reach(quiet.until_tick(7))

    await following.stop()

    assert await mark_of(dsn) == quiet.until_tick(7)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_the_next_start_goes_on_after(end: str, dsn: str, quiet: Quiet, fresh: Any) -> None:
    first = Following(dsn, quiet)
    await first.reach(quiet.begin)
    await first.reach(quiet.until_tick(7))
    await (first.stop() if end == "stop" else first.die())

    second = Following(dsn, quiet)
    await second.reach(quiet.until_tick(9))
    await second.reach(quiet.end)
    await second.stop()

    assert await everything(dsn) == fresh


async def test_what_is_held_outlives_a_connection(dsn: str, quiet: Quiet, fresh: Any) -> None:
    following = Following(dsn, quiet)
    await following.reach(quiet.begin)
    await following.reach(quiet.until_tick(7))
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
    await rows_of(dsn, f"{ending} AND datname = current_database()", CONNECTION)
    await following.reach(quiet.end)
    await following.reports.until(lambda: following.reports.seq == quiet.end)
    await following.stop()

    assert following.reports.errors
    assert following.replica_count == 1
    assert await everything(dsn) == fresh


async def test_an_emptied_database_gets_what_is_held_too(dsn: str, quiet: Quiet, fresh: Any) -> None:
    following = Following(dsn, quiet)
    await following.reach(quiet.begin)
    await following.reach(quiet.until_tick(7))
    await rows_of(dsn, "DROP SCHEMA pinion CASCADE")
    following.journal.durable = quiet.end
    await following.reports.until(lambda: following.reports.seq == quiet.end)
    await following.stop()

    assert await everything(dsn) == fresh


async def test_a_stop_does_not_wait_for_a_database_that_hangs(tmp_path: Path, quiet: Quiet) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    try:
        dsn = await new_database(server.dsn)
        following = Following(dsn, quiet)
        await following.reach(quiet.begin)
        await following.reach(quiet.until_tick(7))
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = $1"
        [(backend,)] = await rows_of(dsn, query, CONNECTION)
        os.kill(backend, signal.SIGSTOP)

        await following.stop()

        os.kill(backend, signal.SIGCONT)
    finally:
        await asyncio.to_thread(server.stop)
