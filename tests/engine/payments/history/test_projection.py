"""History against events and state: what it says of payments, operations and deposits is what happened."""

import asyncio

import numpy as np
import pytest

from engine.payments.codes import BY_NUMBER, Code
from engine.payments.history.schema import MOMENT_EVERY
from engine.payments.records import EventKind, Op, State
from engine.payments.view.live_view import LiveView, PaymentView
from engine.runtime.history.database import Database
from tests.engine.payments.history.rows import TABLES, project
from tests.engine.payments.history.story import Story, standing_of
from tests.engine.runtime.history.tables import everything, rows_of
from tests.postgres import new_database

CUTS = (1, 2, 14, 15, 300, 301, 1000, 2500)
OF_THE_VIEW = tuple(name for name in PaymentView.__dataclass_fields__ if name != "disclosed")
DECIDED = ("state", "approved_amount", "captured", "refunded", "held", "code", "rule", "decision")


@pytest.fixture
def projected(dsn: str, story: Story) -> str:
    """The story in a database, cut into batches of very different sizes."""
    asyncio.run(project(dsn, story.entries, CUTS))
    return dsn


def test_the_story_reaches_every_state_and_every_operation(story: Story) -> None:
    standing = standing_of(story.events)
    operations = {int(op) for op in story.events["op"][story.events["kind"] == EventKind.MOVED]}
    expired = story.events[story.events["kind"] == EventKind.EXPIRED]

    states = {State(each["state"]) for each in standing.values()} | set(story.events["state"].tolist())
    assert states >= set(State) - {State.STEP_UP}
    assert operations == {Op.CAPTURE, Op.VOID, Op.REFUND, Op.REVIEW, Op.REVERSE}
    assert {"OK", "PARTIAL", "DUPLICATE", "REVERSED", "NOT_FOUND", "NOT_OPEN", "FUNDS"} <= set(story.codes())
    assert max(np.unique(expired["seq"], return_counts=True)[1]) == 64
    assert {"PROCESSOR_DECLINED", "PROCESSOR_DOWN"} <= {
        BY_NUMBER[each["code"]].name for each in standing.values()
    }
    assert story.state[0]["owed_count"] > 0
    assert story.state[0]["payments_used"] < len(standing)  # some gave way


async def test_every_payment_stands_as_the_events_leave_it(projected: str, story: Story) -> None:
    found = await rows_of(projected, f"SELECT payment, {', '.join(DECIDED)} FROM payments")

    assert {row[0]: dict(zip(DECIDED, row[1:], strict=True)) for row in found} == standing_of(story.events)


async def test_every_payment_that_the_state_has_is_the_same_there(projected: str, story: Story) -> None:
    view = LiveView(story.state)
    found = await rows_of(projected, f"SELECT {', '.join(OF_THE_VIEW)} FROM payments")

    untold = int(np.count_nonzero(story.state[0]["payments"]["is_untold"]))
    compared = 0
    for row in found:
        live = view.payment(row[0])
        if live is not None:
            assert row == tuple(getattr(live, name) for name in OF_THE_VIEW)
            compared += 1
    assert untold == 0
    assert compared > 100


async def test_every_operation_is_there_once(projected: str, story: Story) -> None:
    found = await rows_of(
        projected,
        """SELECT event_idx, payment, seq, ts_ms, amount, captured, refunded, held, code, field, state, kind
           FROM operations ORDER BY event_idx""",
    )

    of_nobody = {int(EventKind.EXPIRED): 0, int(EventKind.SETTLED): int(Op.PROCESSED)}
    expected = [
        (
            *(int(event[name]) for name in ("event_idx", "payment", "seq", "ts_ms", "amount")),
            *(int(event[name]) for name in ("captured", "refunded", "held", "code", "field", "state")),
            of_nobody.get(int(event["kind"]), int(event["op"])),
        )
        for event in story.events
        if event["kind"] in (EventKind.EXPIRED, EventKind.SETTLED)
        or (
            event["kind"] == EventKind.MOVED
            and event["payment"]
            and not event["replayed"]
            and event["code"] not in (Code["NOT_FOUND"], Code["DUPLICATE"])
        )
    ]
    assert len(expected) > 300
    assert found == expected


async def test_moved_money_adds_up(projected: str) -> None:
    differing = await rows_of(
        projected,
        """SELECT payment FROM payments LEFT JOIN (
               SELECT payment, sum(amount) FILTER (WHERE kind = 3) AS captured,
                      sum(amount) FILTER (WHERE kind = 5) AS refunded
               FROM operations WHERE code = 1 GROUP BY payment
           ) moved USING (payment)
           WHERE kind = 1 AND (payments.captured, payments.refunded)
               IS DISTINCT FROM (coalesce(moved.captured, 0), coalesce(moved.refunded, 0))""",
    )

    assert differing == []


async def test_operations_name_their_requests(projected: str) -> None:
    named = await rows_of(
        projected, "SELECT DISTINCT request_id FROM operations WHERE kind IN (3, 4, 5) ORDER BY request_id"
    )
    nameless = await rows_of(projected, "SELECT count(*) FROM operations WHERE request_id IS NULL")
    others = await rows_of(projected, "SELECT count(*) FROM operations WHERE kind IN (0, 8, 35)")

    assert named == [("o0",), ("o1",), ("o2",), ("o3",)]
    assert nameless == others


async def test_deposits_are_those_that_moved_money(projected: str, story: Story) -> None:
    found = await rows_of(
        projected, "SELECT seq, account, amount, currency, ts_ms FROM deposits ORDER BY seq"
    )

    events = story.events
    done = (events["kind"] == EventKind.DONE) & (events["op"] == Op.DEPOSIT)
    moved = events[done & (events["code"] == Code["OK"]) & (events["replayed"] == 0)]
    names = ("seq", "account", "amount", "currency", "ts_ms")
    assert found == list(zip(*(moved[name].tolist() for name in names), strict=True))
    assert 0 < len(found) < int(done.sum())


async def test_moments_lead_from_a_time_to_a_payment(projected: str, story: Story) -> None:
    found = await rows_of(projected, "SELECT seq, ts_ms FROM moments ORDER BY seq")

    chosen = story.events[story.events["event_idx"] % MOMENT_EVERY == 0]
    assert found == list(zip(chosen["seq"].tolist(), chosen["ts_ms"].tolist(), strict=True))
    assert [ts_ms for _, ts_ms in found] == sorted(ts_ms for _, ts_ms in found)


async def test_rows_do_not_depend_on_how_the_journal_was_cut(
    projected: str, story: Story, postgres: Database
) -> None:
    other = await new_database(postgres.dsn)
    await project(other, story.entries, ())

    assert await everything(other, TABLES) == await everything(projected, TABLES)


async def test_what_is_projected_again_changes_nothing(projected: str, story: Story) -> None:
    before = await everything(projected, TABLES)

    written = await project(projected, story.entries, CUTS)

    assert not any(written)
    assert await everything(projected, TABLES) == before


async def test_a_card_is_its_hash_of_sixteen_bytes(projected: str, story: Story) -> None:
    found = {row[0] for row in await rows_of(projected, "SELECT DISTINCT card FROM payments")}

    assert len(found) == 3
    assert {len(card) for card in found} == {16}


async def test_a_text_of_any_bytes_is_taken(dsn: str, story: Story) -> None:
    entries = story.entries[:400].copy()
    paid = entries["command"]["op"] == Op.PAY
    words = entries["command"]["words"]
    words[paid, 0] = int.from_bytes(b"a\xff\nz\0yzz", "little")

    await project(dsn, entries, (30,))

    assert {row[0] for row in await rows_of(dsn, "SELECT DISTINCT request_id FROM payments")} == {"a??z"}


async def test_the_view_shows_decimals(projected: str) -> None:
    (amount,) = (await rows_of(projected, "SELECT amount FROM payment_list WHERE currency = 978 LIMIT 1"))[0]
    (state, year) = (
        await rows_of(projected, "SELECT state, extract(year FROM decided_at)::int FROM payment_list LIMIT 1")
    )[0]

    assert str(amount).endswith(".00")
    assert state in {each.name.lower() for each in State}
    assert year == 2023
