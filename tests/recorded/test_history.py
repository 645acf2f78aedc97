"""The database that an earlier commit wrote: history goes on in it, beside a folder that was brought over."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.runtime.history.tables import History
from engine.trading.history.projection import TradingProjection
from pinion.cli.main import main
from tests.engine.runtime.history.tables import TABLES, everything, rows_of
from tests.postgres import dsn, postgres
from tests.recorded.reading import FOLDER, RECORDED
from tests.recorded.test_data_folder import entered, unpacked
from tests.system.running import Running, await_true
from tests.system.test_archive import caught_up

__all__ = ["dsn", "postgres"]

SCHEMA_VERSION = 3
"""Of the schema that the rows were written under."""


def tables_in(folder: Path) -> dict[Path, list[str]]:
    """Return the files of rows, one a table, and the columns that each names in its first line."""
    return {path: path.read_text().partition("\n")[0].split(",") for path in sorted(folder.glob("*.csv"))}


async def fill(dsn: str, tables: dict[Path, list[str]]) -> None:
    """Make the schema as it was and fill its tables."""
    async with await History.connect(dsn) as history:
        await history.migrate(TradingProjection().migrations[:SCHEMA_VERSION])
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "pinion"})
    try:
        await connection.execute("DELETE FROM mark")
        for path, columns in tables.items():
            await connection.copy_to_table(
                path.stem, source=str(path), columns=columns, format="csv", header=True
            )
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["whole", "archived"])
def test_history_goes_on_where_it_was(name: str, dsn: str, tmp_path: Path) -> None:
    data_dir = unpacked(name, tmp_path / "data")
    asyncio.run(fill(dsn, tables_in(unpacked("history", tmp_path / "history"))))
    before: dict[str, list[Any]] = asyncio.run(everything(dsn, TABLES))
    commands = RECORDED["folders"][name]["commands"]
    file = tmp_path / "small.toml"
    file.write_text(f'[history]\ndsn = "{dsn}"\n\n{(FOLDER / "small.toml").read_text()}')
    assert main(["journal", "migrate", str(data_dir)]) == 0
    running = Running(data_dir, "--config", str(file))
    try:
        outcome = entered(running.await_ready()["orders"])
        await_true(lambda: caught_up(running), "history reaches what is durable", 60)
        assert running.stop() == 0
    finally:
        running.clean_up()

    after: dict[str, list[Any]] = asyncio.run(everything(dsn, TABLES))
    seqs = asyncio.run(rows_of(dsn, "SELECT seq FROM commands ORDER BY seq"))
    assert before["mark"][0][1] == commands
    assert [seq for (seq,) in seqs] == list(range(1, len(seqs) + 1))
    assert len(seqs) > commands
    unchanged = {table: rows for table, rows in before.items() if table in ("trades", "fills", "reports")}
    assert {table: after[table][: len(rows)] for table, rows in unchanged.items()} == unchanged
    assert [row for row in after["orders"] if row not in before["orders"]] != []
    assert outcome["order_id"] in [row[0] for row in after["orders"]]
