"""History against the oracle: what it says of orders, trades, fills and money is what happened."""

import asyncio
from fractions import Fraction
from typing import Any

import pytest

from engine.runtime.history.database import Database
from engine.runtime.history.tables import History
from engine.trading.client_text import UUID_MARK, UUID_TEXT_BYTES, text_of
from engine.trading.history.projection import TradingProjection
from engine.trading.records import EventKind, Op
from tests.engine.runtime.history.story import MemoryReplica, Standing, Story
from tests.engine.runtime.history.tables import everything, project, rows_of
from tests.postgres import new_database

CUTS = (1, 2, 14, 15, 300, 301, 1000, 2500)


@pytest.fixture
def projected(dsn: str, story: Story) -> str:
    """The story in a database, cut into batches of very different sizes."""
    asyncio.run(project(dsn, story.entries, CUTS))
    return dsn


async def test_trades_are_those_of_the_oracle(projected: str, story: Story) -> None:
    found = await rows_of(
        projected,
        """SELECT seq, eng_ts, symbol, px, qty, taker_order_id, maker_order_id, taker_account,
           maker_account, taker_fee, maker_fee, is_sell
           FROM trades JOIN instruments USING (instrument) ORDER BY event_idx""",
    )

    assert len(found) > 300
    assert found == story.trades


async def test_every_order_stands_as_the_oracle_has_it(projected: str, story: Story) -> None:
    found = await rows_of(
        projected,
        """SELECT order_id, account, symbol, is_sell, CASE WHEN order_type = 2 THEN NULL ELSE px END,
           qty, cum_qty, leaves_qty, rev, status FROM orders JOIN instruments USING (instrument)""",
    )

    assert {row[0]: row[1:] for row in found} == story.orders


async def test_every_order_has_its_client_id_and_a_uuid_its_own_zeros(projected: str, story: Story) -> None:
    found = await rows_of(projected, "SELECT order_id, client_order_id, client_text FROM orders")

    told = {order_id: text_of(text) if text else number or None for order_id, number, text in found}
    lengths = {len(text) for _, _, text in found if text and text[0] == UUID_MARK}
    assert told == story.client_ids
    assert lengths == {UUID_TEXT_BYTES}


async def test_both_sides_of_every_trade_are_fills(projected: str, story: Story) -> None:
    found = await rows_of(
        projected,
        """SELECT f.seq, f.account, f.order_id, f.px, f.qty, f.fee, f.is_sell
           FROM fills f ORDER BY f.fill_id""",
    )

    expected = []
    for seq, _, _, px, qty, taker, maker, taker_account, maker_account, *rest in story.trades:
        taker_fee, maker_fee, is_sell = rest
        expected.append((seq, taker_account, taker, px, qty, taker_fee, is_sell))
        expected.append((seq, maker_account, maker, px, qty, maker_fee, not is_sell))
    assert found == expected


async def test_fills_of_an_order_add_up_to_it(projected: str) -> None:
    differing = await rows_of(
        projected,
        """SELECT o.order_id FROM orders o
           LEFT JOIN (SELECT order_id, sum(qty) AS qty, sum(px * qty) AS notional, max(cum_qty) AS cum,
                      max(notional) AS told FROM fills GROUP BY order_id) f USING (order_id)
           WHERE (o.cum_qty, o.notional) IS DISTINCT FROM (coalesce(f.qty, 0), coalesce(f.notional, 0))
              OR f.cum <> o.cum_qty OR f.told <> o.notional""",
    )

    assert differing == []


async def test_balances_and_positions_are_those_of_the_oracle_at_the_end(
    projected: str, story: Story
) -> None:
    final = story.standings[-1]

    balances = await rows_of(projected, "SELECT account, code, total FROM balances NATURAL JOIN currencies")
    positions = await rows_of(
        projected, "SELECT account, symbol, qty, cost, realised FROM positions NATURAL JOIN instruments"
    )

    assert {row[:2]: row[2] for row in balances if row[2]} == final.balances
    assert {row[:2]: row[2:] for row in positions if any(row[2:])} == final.positions


@pytest.mark.parametrize("place", [0, 1])
async def test_balances_and_positions_are_those_of_the_oracle_at_any_time(
    projected: str, story: Story, place: int
) -> None:
    then: Standing = story.standings[place]

    balances = await rows_of(
        projected,
        """SELECT DISTINCT ON (account, code) account, code, balance FROM (
               SELECT account, quote AS currency, fill_id / 2 AS event_idx, seq, fill_id, balance
               FROM fills JOIN instruments USING (instrument)
               UNION ALL SELECT account, currency, event_idx, seq, 0, balance FROM deposits
           ) changes JOIN currencies USING (currency) WHERE seq <= $1
           ORDER BY account, code, event_idx DESC, fill_id DESC""",
        then.seq,
    )
    positions = await rows_of(
        projected,
        """SELECT DISTINCT ON (account, symbol) account, symbol, position_qty, position_cost,
           position_realised FROM fills JOIN instruments USING (instrument) WHERE seq <= $1
           ORDER BY account, symbol, fill_id DESC""",
        then.seq,
    )

    assert {row[:2]: row[2] for row in balances if row[2]} == then.balances
    assert {row[:2]: row[2:] for row in positions if any(row[2:])} == then.positions


async def test_either_side_of_every_movement_is_there_with_its_id(projected: str, story: Story) -> None:
    found = await rows_of(
        projected,
        """SELECT seq, op, account, counter_account, currency, amount::text, balance::text, id
           FROM movement_list WHERE op <> 'account' ORDER BY seq, amount""",
    )

    expected = [side for event in story.movements for side in sides_of(event)]
    assert len(expected) > 30
    assert {row[1] for row in found} == {"deposit", "withdraw", "transfer"}
    assert [(*row[:5], *map(Fraction, row[5:7]), row[7]) for row in found] == expected


def sides_of(event: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what a movement did to accounts, who gave before who got."""
    seq, op, code, given = (event[name] for name in ("seq", "op", "currency", "id"))
    amount = Fraction(event["amount"])
    if op != "transfer":
        change = amount if op == "deposit" else -amount
        return [(seq, op, event["account"], None, code, change, Fraction(event["balance"]), given)]
    source, target = event["from"], event["to"]
    pair = (source, target, -amount, "from_balance"), (target, source, amount, "to_balance")
    return [
        (seq, op, one, 0 if other == "fees" else other, code, change, Fraction(event[balance]), given)
        for one, other, change, balance in pair
        if one != "fees"
    ]


async def test_what_was_deposited_before_there_were_movements_stays(dsn: str, story: Story) -> None:
    first = story.entries[:300]
    projection, replica = TradingProjection(), MemoryReplica()
    projection.open(replica.state)
    events = replica.apply(first)
    batch = projection.batch(first, events, replica.state)
    deposits = events[(events["op"] == Op.ACCOUNT) & (events["kind"] == EventKind.DONE)]
    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)
        await history.project(batch, b"")
    before = await rows_of(dsn, "SELECT account, event_idx, amount FROM deposits ORDER BY 1, 2, 3")
    await rows_of(dsn, "DROP VIEW movement_list")
    for column in ("op", "movement_id", "counter_account"):
        await rows_of(dsn, f"ALTER TABLE deposits DROP COLUMN {column}")
    await rows_of(dsn, "ALTER TABLE orders DROP COLUMN is_reduce_only")
    await rows_of(dsn, "DROP VIEW equity_history")
    for table in ("latches", "equity"):
        await rows_of(dsn, f"DROP TABLE {table}")
    await rows_of(dsn, "DELETE FROM schema_version WHERE version >= 6")

    async with await History.connect(dsn) as history:
        await history.migrate(projection.migrations, projection.session)

    assert await rows_of(dsn, "SELECT account, event_idx, amount FROM deposits ORDER BY 1, 2, 3") == before
    named = await rows_of(dsn, "SELECT DISTINCT op, counter_account, id FROM movement_list")
    assert (named, len(deposits) > 0) == ([("account", None, None)], True)


async def test_every_report_is_there_once(projected: str, story: Story) -> None:
    kinds = {
        "accepted": 1,
        "rejected": 2,
        "cancelled": 4,
        "replaced": 5,
        "phase": 8,
        "latched": 9,
        "moved": 20,
    }
    found = dict(await rows_of(projected, "SELECT kind, count(*) FROM all_reports GROUP BY kind"))

    assert {name: found.get(kind, 0) for name, kind in kinds.items()} == {
        name: story.reports.get(name, 0) for name in kinds
    }
    assert found[7] == 2 * story.reports["prevented"]  # one for either side


async def test_every_command_is_there_in_order(projected: str, story: Story) -> None:
    found = await rows_of(projected, "SELECT seq, eng_ts, op FROM commands ORDER BY seq")

    columns = (story.entries["seq"], story.entries["eng_ts"], story.entries["command"]["op"])
    assert found == list(zip(*(column.tolist() for column in columns), strict=True))


async def test_rows_do_not_depend_on_how_the_journal_was_cut(
    projected: str, story: Story, postgres: Database
) -> None:
    other = await new_database(postgres.dsn)
    await project(other, story.entries, ())

    assert await everything(other) == await everything(projected)


async def test_views_show_decimals(projected: str, story: Story) -> None:
    orders = await rows_of(projected, "SELECT count(*) FROM order_list")
    price = await rows_of(projected, "SELECT price FROM trade_list WHERE symbol = 'ABC' LIMIT 1")

    assert orders == [(len(story.orders),)]
    assert str(price[0][0]).count(".") == 1
    for view in ("fill_list", "balance_history", "position_history", "latch_list", "movement_list"):
        assert await rows_of(projected, f"SELECT * FROM {view} LIMIT 1")
