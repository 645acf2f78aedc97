"""The door before a real engine and a sample processor: who asked is answered once the payment is settled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np

from engine.payments.records import Clock, Op, State
from engine.payments.view.live_view import LiveView
from gateways.payments.form import PaymentForm
from gateways.payments.forward.forwarder import Forwarder
from gateways.payments.forward.journaling import OwnCommands
from gateways.payments.forward.processor import Processor
from gateways.payments.forward.reversals import Reversals
from pinion.cli.payments.sample.server import Fault, SampleProcessor
from tests.engine.payments.building import SMALL, Engine, settings
from tests.gateways.payments.bodies_of_payments import CARD, HASHER, NOW_MS, PAN, WHOLE
from tests.gateways.payments.engine_client import PAYMENTS, EngineGate
from tests.gateways.payments.wired_door import WiredDoor
from tests.gateways.process.wire import settle

DEADLINE_MS = 10_000
SET_UP = [
    {"op": "merchant", "merchant": "m1"},
    {"op": "account", "account": 1, "balances": {"EUR": 1_000_000}},
]
Answer = tuple[int, Any, str]


class BusyGate(EngineGate):
    """A port that refuses a number of commands of one kind."""

    refused_op, refusals = Op.PROCESSED, 0

    def submit(self, commands: Any) -> int:
        for place, each in enumerate(commands):
            if self.refusals and each["op"] == self.refused_op:
                self.refusals -= 1
                super().submit(commands[:place])
                return place
        return super().submit(commands)


class ForwardingDoor:
    """A door with an engine and a processor; its pump turns while something is awaited."""

    def __init__(self, server: SampleProcessor) -> None:
        self.server = server
        self.engine = Engine(SMALL, settings(card_1m=-1, double_charge_ms=-1))
        self.gate = BusyGate(self.engine)
        self.view = LiveView(self.engine.replica.state)
        self.begin()

    def begin(self) -> None:
        """Begin a door, or another one in its place."""
        form = PaymentForm(HASHER, Clock.REQUEST, lambda: NOW_MS, keeps_fields=True)
        self.door = WiredDoor(self.gate, self.view, form)
        self.door.durable = 2**62
        self.processor = Processor(f"http://127.0.0.1:{self.server.port}", lambda: self.door.now)
        self.commands = OwnCommands(self.door.dispatcher, 99, lambda: self.door.now)
        id_of = self.door.desk.replies.id_of
        self.forwarder = Forwarder(self.processor, self.commands, id_of, DEADLINE_MS)
        self.door.desk.forward_by(self.forwarder)
        self.reversals = Reversals(
            lambda limit: self.view.owed(2**62, limit), self.processor, self.commands, id_of,
            lambda: self.door.now,
        )  # fmt: skip

    async def close(self) -> None:
        await self.forwarder.close()
        await self.processor.close()

    async def ask(self, path: str, given: Any, key: str = "all") -> Answer:
        """Ask; set-up and payments alike."""
        status, document, content = await self.door.ask("POST", f"{PAYMENTS}{path}", given, key)
        return status, document, content

    def pay(self, request_id: str, **changes: Any) -> "asyncio.Task[Answer]":
        """Begin to ask for a payment."""
        body = {**WHOLE, "request_id": request_id, "account": 1, "received_at": NOW_MS, "ip_country": "DE"}
        return asyncio.create_task(self.ask("", body | changes))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Turn the pump until something is so."""
        async with asyncio.timeout(20):
            while not is_so():
                await settle(self.door.turn)

    def states(self) -> list[State]:
        """Return the states of all payments."""
        rows = self.engine.s["payments"][: int(self.engine.s["payments_used"])]
        return [State(int(row["state"])) for row in rows]


@asynccontextmanager
async def forwarding(**shares: int) -> AsyncIterator[ForwardingDoor]:
    """A door that is set up, before a processor with faults."""
    server = SampleProcessor({Fault(name): share for name, share in shares.items()}, delay_s=60.0)
    await server.start()
    door = ForwardingDoor(server)
    for line in SET_UP:
        assert (await door.ask("/admin", line))[1]["results"][0]["code"] == "OK"
    try:
        yield door
    finally:
        server.shares = {}
        await server.stop()
        await door.close()


async def test_an_approval_of_the_processor_is_the_reply() -> None:
    async with forwarding() as door:
        status, reply, _ = await door.pay("r1", op="authorise")
        assert (status, reply["code"], reply["state"], reply["replayed"]) == (200, "OK", "open", False)
        assert reply["approval"] is not None
        again = (await door.pay("r1", op="authorise"))[1]
        assert again == {**reply, "replayed": True}
        assert [each.asked for each in door.server.book.entries.values()] == [1]


async def test_a_decline_of_the_processor_is_the_reply() -> None:
    async with forwarding(decline=100) as door:
        status, reply, _ = await door.pay("r1")
        assert (status, reply["code"], reply["decision"]) == (200, "PROCESSOR_DECLINED", "DECLINE")
        assert (reply["state"], reply["field"], reply["rule"], reply["matched"]) == (
            "declined",
            None,
            None,
            [],
        )


async def test_what_the_rules_decline_is_never_sent() -> None:
    async with forwarding() as door:
        assert (await door.pay("r1", score=999))[1]["code"] == "FRAUD_SCORE"
        assert door.server.book.entries == {}


async def test_a_repeat_waits_with_the_first_and_gets_its_answer() -> None:
    async with forwarding(late=100) as door:
        first = door.pay("r1")
        await door.until(lambda: State.PENDING in door.states())
        repeats = [door.pay("r1") for _ in range(3)]
        other = await door.pay("r1", amount=7)
        assert (other[0], other[1]["code"], other[1]["state"]) == (409, "DUPLICATE", "pending")
        await door.server.stop()  # who waits there is answered now
        replies = [(await each)[1] for each in (first, *repeats)]
        assert [each["replayed"] for each in replies] == [False, True, True, True]
        assert len({each["code"] for each in replies}) == len({each["seq"] for each in replies}) == 1


async def test_after_a_restart_of_the_door_a_repeat_waits_for_the_outcome() -> None:
    async with forwarding(late=100) as door:
        lost = door.pay("r1")
        await door.until(lambda: State.PENDING in door.states())
        lost.cancel()
        await door.close()
        door.begin()
        repeat = door.pay("r1")
        await door.until(lambda: door.door.dispatcher.waiting_count == 1)
        assert door.server.book.entries == {}
        end = door.pay("later", received_at=NOW_MS + DEADLINE_MS, score=999)
        reply = (await repeat)[1]
        assert [reply[name] for name in ("code", "replayed", "state")] == ["PROCESSOR_DOWN", True, "declined"]
        await end


async def test_who_does_not_wait_so_long_is_told_so_and_a_repeat_tells() -> None:
    async with forwarding(late=100) as door:
        first = door.pay("r1")
        await door.until(lambda: State.PENDING in door.states())
        door.door.now = 5.0
        status, reply, _ = await first
        assert (status, reply["code"]) == (504, "TIMEOUT")
        assert door.states() == [State.PENDING]
        await door.server.stop()
        await door.until(lambda: State.PENDING not in door.states())
        assert (await door.pay("r1"))[1]["replayed"] is True


async def test_a_void_of_a_pending_payment_answers_both_and_is_sent_to_the_processor() -> None:
    async with forwarding(late=100) as door:
        first = door.pay("r1")
        await door.until(lambda: State.PENDING in door.states())
        body = {"merchant": "m1", "request_id": "r1"}
        status, voided, _ = await door.ask("/void", body)
        assert (status, voided["code"], voided["state"], voided["amount"]) == (200, "OK", "voided", 1000)
        reply = (await first)[1]
        assert (reply["code"], reply["decision"], reply["state"]) == ("REVERSED", "DECLINE", "voided")
        await sent(door)
        assert [each.reversals for each in door.server.book.entries.values()] == [1]


async def sent(door: ForwardingDoor) -> None:
    """Let reversals be sent until nothing is owed."""
    sending = asyncio.create_task(door.reversals.run())
    await door.until(lambda: int(door.engine.s["owed_count"]) == 0)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def test_without_an_answer_the_reversal_is_sent_until_it_is_confirmed() -> None:
    async with forwarding(reset=100) as door:
        reply = (await door.pay("r1"))[1]
        assert reply["code"] == "PROCESSOR_DOWN"
        sending = asyncio.create_task(door.reversals.run())
        entry = door.server.book.entries[reply["payment"]]
        while entry.reversals < 2:
            door.door.now += 1.0
            await door.until(lambda: True)
            await asyncio.sleep(0.01)
        assert int(door.engine.s["owed_count"]) == 1
        sending.cancel()
        door.server.shares = {}
        door.door.now += 100.0
        await sent(door)
        assert entry.outcome == "reversed"


async def test_an_outcome_that_the_ring_does_not_take_is_told_again() -> None:
    async with forwarding() as door:
        door.gate.refusals = 3
        assert (await door.pay("r1"))[1]["code"] == "OK"
        assert door.gate.refusals == 0


async def test_no_command_of_a_forwarded_payment_holds_the_card_number() -> None:
    async with forwarding(twice=50) as door:
        seen: list[bytes] = []
        submit = door.gate.submit

        class Watching(BusyGate):
            def submit(self, commands: Any) -> int:
                seen.append(np.ascontiguousarray(commands).tobytes())
                return submit(commands)

            def drain(self, limit: int = 1024) -> Any:
                return door.gate.drain(limit)

        door.door.dispatcher._gate = Watching(door.engine)
        assert (await door.pay("r1", card={**CARD, "pan": PAN}))[1]["code"] == "OK"
        assert len(seen) >= 2
        assert not any(PAN.encode() in each or int(PAN).to_bytes(8, "little") in each for each in seen)
