"""Batches and migrations: all or nothing, never twice, never with a gap."""

from dataclasses import replace
from typing import Any

import pytest

from engine.contract.projection import Batch
from engine.runtime.history.tables import History, HistoryError
from engine.trading.history.projection import TradingProjection
from engine.trading.history.schema import MIGRATIONS, SESSION
from tests.engine.runtime.history.story import MemoryReplica, Story
from tests.engine.runtime.history.tables import TABLES, everything, project, rows_of


def batches_of(entries: Any, *cuts: int) -> list[Batch]:
    """Return batches that end behind the given seqs."""
    projection, replica = TradingProjection(), MemoryReplica()
    projection.open(replica.state)
    made, first = [], 0
    for last in cuts:
        part = entries[first:last]
        made.append(projection.batch(part, replica.apply(part), replica.state))
        first = last
    return made


async def test_a_batch_repeated_is_not_doubled(dsn: str, story: Story) -> None:
    first, second = batches_of(story.entries, 500, 900)

    async with await History.connect(dsn) as history:
        await history.migrate(MIGRATIONS, SESSION)
        assert await history.project(first, b"one")
        once = await everything(dsn)
        assert not await history.project(first, b"one")
        assert await everything(dsn) == once
        assert await history.project(second, b"two")
        assert not await history.project(first, b"one")
        mark = await history.mark()

    assert (mark.seq, mark.digest) == (900, b"two")


async def test_a_gap_is_refused(dsn: str, story: Story) -> None:
    first, second, third = batches_of(story.entries, 100, 200, 300)

    async with await History.connect(dsn) as history:
        await history.migrate(MIGRATIONS, SESSION)
        await history.project(first, b"")
        with pytest.raises(HistoryError, match="next batch begins at 101, not 201"):
            await history.project(third, b"")
        assert await history.project(second, b"")


async def test_of_two_writers_the_second_finds_the_batch_there(dsn: str, story: Story) -> None:
    (first,) = batches_of(story.entries, 100)

    async with await History.connect(dsn) as one, await History.connect(dsn) as other:
        await one.migrate(MIGRATIONS, SESSION)
        await other.migrate(MIGRATIONS, SESSION)
        assert [await one.project(first, b""), await other.project(first, b"")] == [True, False]

    assert await rows_of(dsn, "SELECT count(*) FROM commands") == [(100,)]


async def test_migrating_from_empty_and_from_version_1_comes_to_the_same(dsn: str, story: Story) -> None:
    (first,) = batches_of(story.entries, 300)
    async with await History.connect(dsn) as old:
        await old.migrate(MIGRATIONS[:1], SESSION)
        # Version 1 has not all columns of these; test_projection.py says what becomes of rows of deposits.
        rows = tuple(each for each in first.rows if each.table not in ("deposits", "orders", "latches"))
        await old.project(replace(first, rows=rows), b"")
        assert await old.version() == 1
    before = await everything(dsn, TABLES)

    async with await History.connect(dsn) as new:
        await new.migrate(MIGRATIONS, SESSION)
        assert await new.version() == len(MIGRATIONS) == 8
        await new.migrate(MIGRATIONS)

    assert await everything(dsn, TABLES) == before
    versions = await rows_of(dsn, "SELECT version FROM schema_version ORDER BY version")
    assert versions == [(1,), (2,), (3,), (4,), (5,), (6,), (7,), (8,)]
    assert await rows_of(dsn, "SELECT count(*) FROM order_list") == [(len(before["orders"]),)]


async def test_a_migration_that_fails_leaves_the_version_before(dsn: str) -> None:
    broken = (*MIGRATIONS, "CREATE TABLE half (n integer); SELECT 1 / 0")

    async with await History.connect(dsn) as history:
        with pytest.raises(Exception, match="division by zero"):
            await history.migrate(broken)
        assert await history.version() == len(MIGRATIONS)
        assert await rows_of(dsn, "SELECT to_regclass('half')::text") == [(None,)]


async def test_a_newer_schema_is_refused(dsn: str) -> None:
    async with await History.connect(dsn) as newer:
        await newer.migrate((*MIGRATIONS, "CREATE TABLE of_the_future (n integer)"))

    async with await History.connect(dsn) as history:
        with pytest.raises(HistoryError, match="schema version 9, this Pinion knows 8: start the newer"):
            await history.migrate(MIGRATIONS)


async def test_an_empty_tail_of_commands_without_events_is_history_too(dsn: str, story: Story) -> None:
    ticks = story.entries[:3].copy()
    ticks["command"] = 0
    ticks["command"]["op"], ticks["command"]["version"] = 1, 1

    await project(dsn, ticks, (1,))

    assert await rows_of(dsn, "SELECT seq, kind, event_idx FROM commands ORDER BY seq") == [
        (1, 0, 0),
        (2, 0, 0),
        (3, 0, 0),
    ]


@pytest.mark.parametrize("version", [0, 2])
async def test_no_insert_asks_for_summaries(dsn: str, version: int) -> None:
    async with await History.connect(dsn) as history:
        await history.migrate(MIGRATIONS[:version])
        await history.migrate(MIGRATIONS)

    [(options,)] = await rows_of(dsn, "SELECT reloptions FROM pg_class WHERE relname = 'commands_by_seq'")
    assert options == ["pages_per_range=32", "autosummarize=off"]
