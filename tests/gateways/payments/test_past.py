"""Payments that gave way: refunds and reads of them, with real kernels and a real database."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import numpy as np
import pytest

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.history.projection import PaymentsProjection
from engine.payments.records import JOURNAL_ENTRY, Op
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from engine.runtime.history.historian import digest_of
from engine.runtime.history.tables import History
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.past import GivenWay, HistoryMarks
from gateways.payments.setup_lines import setup_lines
from tests.engine.payments.building import SMALL, Engine, settings
from tests.gateways.payments.bodies_of_payments import HASHER, NOW_MS, REPLAYED, WHOLE
from tests.gateways.payments.engine_client import EngineGate
from tests.gateways.payments.wired_door import WiredDoor
from tests.gateways.process.wire import settle
from tests.postgres import dsn, postgres

__all__ = ["dsn", "postgres"]

RULES_ON = ("idempotency", "merchant_active", "account_status", "balance")
SET_UP = b"""
{"op":"merchant","merchant":"m1","disclose":{"51":"05"}}
{"op":"merchant","merchant":"m9"}
{"op":"account","account":1,"balances":{"EUR":1000000}}
"""
OWN_SESSION = 1000
KEPT_MS = 60_000


class RecordingEngine(Engine):
    """An engine that keeps its journal."""

    def __init__(self, first: Any) -> None:
        self.entries: list[Any] = []
        super().__init__(SMALL, first)

    def tell(self, *commands: Any) -> Any:
        entries = np.zeros(len(commands), JOURNAL_ENTRY)
        for entry, each in zip(entries, commands, strict=True):
            entry["command"] = each
        entries["seq"] = self.replica.seq + 1 + np.arange(len(commands))
        entries["eng_ts"] = self.eng_ts
        self.entries.append(entries)
        return self.replica.apply(entries)

    def told(self, op: Op) -> list[Any]:
        """Return the commands of one operation so far."""
        commands = np.concatenate(self.entries)["command"]
        return list(commands[commands["op"] == op])


class Instance:
    """A door, an engine and a database that follows when the test says so."""

    def __init__(self, dsn: str, history_dsn: str | None = None, *, has_history: bool = True) -> None:
        self.dsn = dsn
        self.engine = RecordingEngine(settings(order=RULES_ON, has_history=has_history))
        for line in setup_lines(SET_UP, HASHER):
            self.engine.tell(*line.records)
        self._projection, self._replica = PaymentsProjection(), Replica(payments(SMALL))
        self._projected_count = 0
        self.mark = 0
        self.now_ms = NOW_MS
        self.number = 0
        self.view = LiveView(self.engine.replica.state)
        self.complete_seq: int | None = None
        self.given_way: GivenWay
        given_dsn = dsn if history_dsn is None else history_dsn

        def given_way(dispatcher: PaymentDispatcher) -> GivenWay:
            marks = HistoryMarks(lambda: self.mark, lambda: self.complete_seq or self.mark)
            state = StateCounts(self.engine.replica.state)
            self.given_way = GivenWay(
                given_dsn, state, marks, self.view.disclosures, dispatcher, OWN_SESSION, lambda: self.door.now
            )
            return self.given_way

        self.door = WiredDoor(EngineGate(self.engine), self.view, REPLAYED, given_way)
        self.door.durable = 2**62

    async def project(self) -> None:
        """Let the database follow to the end."""
        entries = np.concatenate(self.engine.entries)[self._projected_count :]
        if not len(entries):
            return
        events = self._replica.apply(entries)
        batch = self._projection.batch(entries, events, self._replica.state)
        async with await History.connect(self.dsn) as history:
            await history.migrate(self._projection.migrations, self._projection.session)
            await history.project(batch, digest_of(entries))
        self._projected_count += len(entries)
        self.mark = int(entries["seq"][-1])

    async def tell_mark(self) -> None:
        """Let the door do its chore, a while after the last one."""
        self.door.now += 2.0
        self.given_way.tell_mark()
        await settle(self.door.turn)

    async def ask(self, method: str, path: str, given: Any = b"", key: str = "acquirer") -> tuple[int, Any]:
        status, document, _ = await self.door.ask(method, f"/v1/payments{path}", given, key)
        return status, document

    async def pay(self, **changes: Any) -> Any:
        self.number += 1
        given = WHOLE | {"request_id": f"r{self.number}", "account": 1, "amount": 1000}
        _, document = await self.ask("POST", "", given | {"received_at": self.now_ms} | changes)
        return document

    async def refund(self, payment: str, key: str = "acquirer", **given: Any) -> tuple[int, Any]:
        self.number += 1
        body = {"request_id": f"f{self.number}", "received_at": self.now_ms} | given
        return await self.ask("POST", f"/{payment}/refund", body, key)

    async def fill(self, op: str = "sale") -> None:
        """Decide payments until there is no room for one more, later than anything closed is kept."""
        self.now_ms += KEPT_MS
        while (await self.pay(op=op, amount=1))["code"] != "CAPACITY":
            pass

    async def give_way(self, payment: str) -> None:
        """Let the database have everything, and a closed payment make room, as others could now."""
        await self.project()
        await self.tell_mark()
        await self.fill()
        await self.project()
        await self.tell_mark()
        self.now_ms += KEPT_MS
        await self.pay(op="sale", amount=1)
        assert self.view.payment(int(payment.removeprefix("a-"))) is None


@pytest.fixture
async def instance(dsn: str) -> AsyncIterator[Instance]:
    instance = Instance(dsn)
    await instance.project()
    instance.complete_seq = 2**62
    yield instance
    await instance.given_way.close()


async def test_a_refund_brings_back_what_gave_way(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    await instance.give_way(paid["payment"])
    before = instance.engine.s["balances"]["total"][0]

    status, refunded = await instance.refund(paid["payment"])

    assert (status, refunded["code"], refunded["state"]) == (200, "OK", "captured")
    assert (refunded["amount"], refunded["captured"], refunded["refunded"]) == (1000, 1000, 1000)
    assert refunded["approval"] == paid["approval"]
    assert refunded["payment"] == paid["payment"]
    assert instance.engine.s["balances"]["total"][0] == before + 1000


async def test_what_was_brought_back_is_as_it_was_and_history_follows_it(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    _, shown = await instance.ask("GET", f"/{paid['payment']}")
    await instance.give_way(paid["payment"])
    await instance.refund(paid["payment"], amount=400)

    _, brought = await instance.ask("GET", f"/{paid['payment']}")
    await instance.give_way(paid["payment"])
    _, gone_again = await instance.ask("GET", f"/{paid['payment']}")
    _, second = await instance.refund(paid["payment"], amount=601)

    assert brought == {**shown, "refunded": 400}
    assert instance.engine.told(Op.RESTORE)
    assert gone_again == brought
    assert (second["code"], second["field"], second["refunded"]) == ("EXCEEDS_CAPTURED", "amount", 400)


async def test_a_payment_that_gave_way_reads_as_before_and_stays_away(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    declined = await instance.pay(amount=10**9, allow_partial=False)
    shown = [await instance.ask("GET", f"/{each['payment']}") for each in (paid, declined)]
    await instance.give_way(declined["payment"])

    again = [await instance.ask("GET", f"/{each['payment']}") for each in (paid, declined)]

    assert again == shown
    assert again[1][1]["iso"] == "05"  # as the merchant discloses it
    assert instance.engine.told(Op.RESTORE) == []


async def test_a_foreign_payment_that_gave_way_is_not_found_and_not_brought_back(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    await instance.give_way(paid["payment"])

    refund = await instance.refund(paid["payment"], "other")
    read = await instance.ask("GET", f"/{paid['payment']}", key="other")
    unknown = await instance.refund("a-1", "other")

    assert (refund[0], refund[1]["code"], refund[1]["payment"]) == (404, "NOT_FOUND", paid["payment"])
    assert (read[0], read[1]["code"]) == (404, "NOT_FOUND")
    assert {**unknown[1], "payment": 0, "request_id": 0, "seq": 0} == {
        **refund[1],
        "payment": 0,
        "request_id": 0,
        "seq": 0,
    }
    assert instance.engine.told(Op.RESTORE) == []


async def test_while_history_is_away_what_gave_way_is_busy(dsn: str) -> None:
    instance = Instance(dsn, "postgresql://nobody@127.0.0.1:1/none")
    instance.complete_seq = 2**62
    paid = await instance.pay(op="sale")
    await instance.give_way(paid["payment"])

    refund = await instance.refund(paid["payment"])
    read = await instance.ask("GET", f"/{paid['payment']}")
    beyond = await instance.ask("GET", "/a-99999")
    await instance.given_way.close()

    assert (refund[0], refund[1]["code"], refund[1]["request_id"]) == (503, "BUSY", f"f{instance.number}")
    assert (read[0], read[1]["code"]) == (503, "BUSY")
    assert (beyond[0], beyond[1]["code"]) == (404, "NOT_FOUND")


async def test_a_database_that_was_set_back_is_as_good_as_away(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    await instance.give_way(paid["payment"])
    connection = await asyncpg.connect(instance.dsn, server_settings={"search_path": "pinion"})
    await connection.execute("UPDATE mark SET seq = seq - 1")
    await connection.close()

    refund = await instance.refund(paid["payment"])

    assert (refund[0], refund[1]["code"]) == (503, "BUSY")
    assert instance.engine.told(Op.RESTORE) == []


async def test_nothing_is_brought_back_before_history_has_come_to_where_the_door_began(
    instance: Instance,
) -> None:
    paid = await instance.pay(op="sale")
    await instance.give_way(paid["payment"])
    instance.complete_seq = 1

    early = await instance.refund(paid["payment"])
    instance.complete_seq = 2**62
    late = await instance.refund(paid["payment"])

    assert early[1]["code"] == "BUSY"
    assert late[1]["code"] == "OK"


async def test_without_history_what_gave_way_is_not_found(dsn: str) -> None:
    instance = Instance(dsn, "", has_history=False)
    paid = await instance.pay(op="sale")
    await instance.fill()

    refund = await instance.refund(paid["payment"])
    read = await instance.ask("GET", f"/{paid['payment']}")
    await instance.tell_mark()

    assert (refund[0], refund[1]["code"]) == (404, "NOT_FOUND")
    assert (read[0], read[1]["code"]) == (404, "NOT_FOUND")
    assert instance.engine.told(Op.HISTORY) == []


async def test_a_command_that_was_no_payment_is_not_found(instance: Instance) -> None:
    await instance.pay()

    assert (await instance.refund("a-2"))[1]["code"] == "NOT_FOUND"
    assert (await instance.ask("GET", "/a-2"))[1]["code"] == "NOT_FOUND"


async def test_where_no_row_is_free_the_refund_is_refused_for_capacity(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    await instance.project()
    await instance.tell_mark()
    await instance.fill("authorise")

    status, refund = await instance.refund(paid["payment"])

    assert (status, refund["code"], refund["decision"], refund["amount"]) == (200, "CAPACITY", "DECLINE", 0)
    assert (refund["payment"], refund["state"], refund["captured"]) == (None, None, None)


async def test_nothing_gives_way_before_the_database_has_it(instance: Instance) -> None:
    paid = await instance.pay(op="sale")
    await instance.fill()

    refused = await instance.pay()
    status, refunded = await instance.refund(paid["payment"])

    assert refused["code"] == "CAPACITY"
    assert (status, refunded["code"]) == (200, "OK")


async def test_the_mark_is_told_while_closed_payments_wait_for_it_and_not_again(instance: Instance) -> None:
    await instance.tell_mark()
    nothing_closed = len(instance.engine.told(Op.HISTORY))
    await instance.pay(op="sale")
    await instance.tell_mark()
    not_projected = len(instance.engine.told(Op.HISTORY))
    await instance.project()
    for _ in range(3):
        await instance.tell_mark()
        await instance.project()

    assert nothing_closed == 0
    assert not_projected <= 1
    told = instance.engine.told(Op.HISTORY)
    assert len(told) == not_projected + 1
    assert instance.engine.s["history_seq"] == told[-1]["payment"]


async def test_the_mark_is_told_once_a_second_at_most(instance: Instance) -> None:
    await instance.tell_mark()
    await instance.pay(op="sale")
    await instance.project()
    instance.given_way.tell_mark()
    await settle(instance.door.turn)

    assert instance.engine.told(Op.HISTORY) == []
