"""Following the journal while the database is stopped, started, killed, or the wrong one."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.runtime.history.database import Database, dsn_of
from engine.runtime.history.historian import GoOn, Historian
from engine.runtime.history.tables import CONNECT_S_MAX
from engine.trading.history.projection import TradingProjection
from tests.engine.runtime.history.story import MemoryJournal, MemoryReplica, Story
from tests.engine.runtime.history.tables import everything, project, rows_of
from tests.postgres import new_database, private_server

WAIT_S = 60.0
TRAPPED_ROW = "fill_id >= 400"
TRAP = """
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.{row} THEN PERFORM pg_advisory_xact_lock(7); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION trap();
"""
"""A COPY stops half way, at this row, for as long as the test holds lock 7."""


class Reports:
    """What the historian said last."""

    def __init__(self) -> None:
        self.seq = self.complete_seq = 0
        self.error = ""
        self.count = 0
        self.errors: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, seq: int, complete_seq: int, error: str) -> None:
        self.seq, self.complete_seq, self.error = seq, complete_seq, error
        self.count += 1
        if error:
            self.errors.append(error)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


def historian(dsn: str, journal: Any, reports: Reports, batch_commands: int, **options: Any) -> Historian:
    return Historian(
        dsn=dsn,
        source=journal,
        projection=TradingProjection(),
        report=reports,
        batch_commands=batch_commands,
        **{"new_replica": MemoryReplica, "pace_s": 0.01, **options},
    )


async def test_a_journal_that_is_gone_is_told_once_whatever_fails_of_it(
    story: Story, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reports, stop, folder = Reports(), asyncio.Event(), tmp_path / "journal"
    unreachable = "postgresql://nobody@127.0.0.1:1/none"
    follower = historian(unreachable, MemoryJournal(story.entries), reports, 500, folder=folder)
    task = asyncio.create_task(follower.run(stop))

    await reports.until(lambda: len(reports.errors) == 2)

    stop.set()
    await task
    assert set(reports.errors) == {f"{folder} is gone: stop the instance, bring it back, start again"}
    assert caplog.text.count("is gone") == 1


class PiecemealJournal(MemoryJournal):
    """Gives little at a time."""

    def __init__(self, entries: Any, piece: int) -> None:
        super().__init__(entries)
        self._piece = piece

    def read(self, first_seq: int, limit: int, go_on: GoOn) -> Any:
        return super().read(first_seq, min(limit, self._piece), go_on)


@asynccontextmanager
async def following(dsn: str, journal: Any, batch_commands: int = 500) -> AsyncIterator[Reports]:
    """Run a historian for the block; an error of its own is raised at the end."""
    reports, stop = Reports(), asyncio.Event()
    task = asyncio.create_task(historian(dsn, journal, reports, batch_commands).run(stop))
    try:
        yield reports
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_S):
            await task


@pytest.fixture(scope="module")
def fresh(postgres: Database, story: Story) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a projection that nothing disturbed."""
    dsn = asyncio.run(new_database(postgres.dsn))
    asyncio.run(project(dsn, story.entries, ()))
    return asyncio.run(everything(dsn))


async def test_history_follows_what_is_durable_and_no_further(dsn: str, story: Story) -> None:
    journal = MemoryJournal(story.entries, durable=700)

    async with following(dsn, journal) as reports:
        await reports.until(lambda: reports.seq == 700)
        assert await rows_of(dsn, "SELECT max(seq) FROM commands") == [(700,)]
        journal.durable = 1200
        await reports.until(lambda: reports.seq == reports.complete_seq == 1200)

    assert reports.errors == []


@pytest.mark.parametrize("batch_commands", [300, 10_000])  # the batch is full; the read gave less than wanted
async def test_it_does_not_rest_while_it_catches_up(
    batch_commands: int, dsn: str, story: Story, fresh: Any
) -> None:
    reports, stop = Reports(), asyncio.Event()
    journal = PiecemealJournal(story.entries, piece=300)
    task = asyncio.create_task(historian(dsn, journal, reports, batch_commands, pace_s=WAIT_S).run(stop))

    await reports.until(lambda: reports.seq == len(story.entries))
    stop.set()
    await task

    assert await everything(dsn) == fresh


async def test_it_goes_on_where_it_stopped(dsn: str, story: Story, fresh: Any) -> None:
    journal = MemoryJournal(story.entries)

    for seq in (1, 1500, len(story.entries)):
        async with following(dsn, journal, batch_commands=333) as reports:
            await reports.until(lambda seq=seq: reports.seq >= seq)  # type: ignore[misc]  # a default

    assert await everything(dsn) == fresh


async def until_trapped(dsn: str, table: str = "fills") -> int:
    """Wait until a COPY stands in the trap; return the pid of its backend."""
    async with asyncio.timeout(WAIT_S):
        while True:
            found = await rows_of(
                dsn,
                "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE $1",
                f'COPY%"{table}"%',
            )
            if found:
                return int(found[0][0])
            await asyncio.sleep(0.01)


async def trapped(dsn: str, story: Story, table: str = "fills", row: str = TRAPPED_ROW) -> Any:
    """Set the trap in a migrated, empty database; return the connection that holds it shut."""
    await project(dsn, story.entries[:10], ())
    holder = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    await holder.execute(TRAP.format(table=table, row=row))
    await holder.execute("SELECT pg_advisory_lock(7)")
    return holder


@pytest.mark.parametrize("harm", ["stop", "kill the server", "kill the backend"])
async def test_rows_are_those_of_a_fresh_projection_after(
    harm: str, tmp_path: Path, story: Story, fresh: Any
) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    try:
        dsn = await new_database(server.dsn)
        holder = await trapped(dsn, story)
        async with following(dsn, MemoryJournal(story.entries)) as reports:
            backend = await until_trapped(dsn)
            if harm == "stop":
                await asyncio.to_thread(server.stop)
            elif harm == "kill the server":
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
            else:
                os.kill(backend, signal.SIGKILL)  # the server ends all others and recovers
            await reports.until(lambda: reports.error != "" and reports.complete_seq < len(story.entries))
            holder.terminate()
            if server.pid is None or harm == "kill the server":
                await asyncio.to_thread(server.start)
            await reports.until(lambda: reports.seq == len(story.entries))

        assert await everything(dsn) == fresh
    finally:
        server.stop()


async def test_it_stops_while_the_database_does_not_answer(tmp_path: Path, story: Story) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    try:
        dsn = await new_database(server.dsn)
        holder = await trapped(dsn, story)
        async with following(dsn, MemoryJournal(story.entries)):
            backend = await until_trapped(dsn)
            os.kill(backend, signal.SIGSTOP)

        os.kill(backend, signal.SIGCONT)
        holder.terminate()
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("harm", ["stop", "kill the server"])
async def test_a_copy_that_waits_for_room_ends_with_its_connection(
    harm: str, tmp_path: Path, story: Story
) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    try:
        dsn = await new_database(server.dsn)
        holder = await trapped(dsn, story, "commands", "seq >= 20")
        async with following(dsn, MemoryJournal(story.entries), len(story.entries)) as reports:
            await until_trapped(dsn, "commands")
            if harm == "kill the server":
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
                await reports.until(lambda: reports.error != "")
        holder.terminate()
    finally:
        await asyncio.to_thread(server.stop)


class SlowReplica(MemoryReplica):
    """Counts what is applied, and stops after the first piece until it is allowed to go on."""

    def __init__(self, upto: int = 0) -> None:
        super().__init__(upto)
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def apply(self, records: Any) -> Any:
        events = super().apply(records)
        self.has_begun.set()
        self.may_go_on.wait(WAIT_S)
        return events


async def test_the_mark_is_told_and_a_stop_obeyed_while_a_replica_is_brought_there(
    dsn: str, story: Story
) -> None:
    await project(dsn, story.entries[:2000], ())
    replica, reports, stop = SlowReplica(), Reports(), asyncio.Event()
    journal = PiecemealJournal(story.entries, piece=100)
    following = historian(dsn, journal, reports, 500, new_replica=lambda seq: replica)
    task = asyncio.create_task(following.run(stop))

    await asyncio.to_thread(replica.has_begun.wait, WAIT_S)
    reports.count = 0
    await reports.until(lambda: reports.count > 1)  # signs of life
    assert (reports.seq, reports.complete_seq, reports.error) == (2000, 2000, "")
    stop.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    replica.may_go_on.set()
    async with asyncio.timeout(WAIT_S):
        await task

    assert replica.seq == 100


async def test_what_was_known_is_told_until_the_database_answers(tmp_path: Path, story: Story) -> None:
    dsn, reports, stop = dsn_of(tmp_path), Reports(), asyncio.Event()
    journal = MemoryJournal(story.entries)
    task = asyncio.create_task(historian(dsn, journal, reports, 500, known_seq=70).run(stop))

    await reports.until(lambda: reports.error != "")
    stop.set()
    await task

    assert (reports.seq, reports.complete_seq) == (70, 70)


async def test_it_stops_while_a_server_does_not_even_greet(story: Story) -> None:
    is_asked, stop = asyncio.Event(), asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await reader.read()  # until the other side gives up
        writer.close()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    dsn = f"postgresql://nobody@127.0.0.1:{port}/nothing"
    task = asyncio.create_task(historian(dsn, MemoryJournal(story.entries), Reports(), 500).run(stop))

    async with asyncio.timeout(WAIT_S):
        await is_asked.wait()
    stop.set()
    async with asyncio.timeout(CONNECT_S_MAX / 2):
        await task

    silent.close()
    await silent.wait_closed()


async def test_a_database_that_is_down_at_the_start_is_awaited(tmp_path: Path, story: Story) -> None:
    server = private_server(tmp_path / "data")

    async with following(server.dsn, MemoryJournal(story.entries)) as reports:
        await reports.until(lambda: reports.error != "")
        assert (reports.seq, reports.complete_seq) == (0, 0)
        await asyncio.to_thread(server.start)
        try:
            await reports.until(lambda: reports.seq == len(story.entries))
        finally:
            await asyncio.to_thread(server.stop)


async def test_a_database_emptied_meanwhile_is_filled_again(dsn: str, story: Story, fresh: Any) -> None:
    journal = MemoryJournal(story.entries, durable=1000)

    async with following(dsn, journal) as reports:
        await reports.until(lambda: reports.seq == 1000)
        await rows_of(dsn, "DROP SCHEMA pinion CASCADE")
        journal.durable = len(story.entries)
        await reports.until(lambda: reports.seq == len(story.entries))

    assert await everything(dsn) == fresh


async def test_another_journal_s_database_is_refused(dsn: str, story: Story) -> None:
    await project(dsn, story.entries[:50], ())
    other = story.entries.copy()
    other["eng_ts"][49] += 1

    async with following(dsn, MemoryJournal(other)) as reports:
        await reports.until(lambda: reports.error != "")

    assert "belongs to another journal" in reports.error
    assert await rows_of(dsn, "SELECT seq FROM mark") == [(50,)]


async def test_a_database_ahead_of_the_journal_is_refused(dsn: str, story: Story) -> None:
    await project(dsn, story.entries[:50], ())

    async with following(dsn, MemoryJournal(story.entries, durable=49)) as reports:
        await reports.until(lambda: reports.error != "")

    assert "history goes to seq 50, the journal to 49" in reports.error


async def test_an_error_of_ours_ends_it(dsn: str, story: Story) -> None:
    gap = story.entries.copy()
    gap["seq"][20:] += 1

    with pytest.raises(AssertionError, match="dense in seq"):
        async with asyncio.timeout(WAIT_S):
            await historian(dsn, MemoryJournal(gap), Reports(), 500).run(asyncio.Event())
