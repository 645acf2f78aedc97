"""A canary whose answers come late is rolled back by the door, with its evidence in the journaled command."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract.port import Closed
from gateways.payments.door.lateness import LOOK_S, Lateness, evidence, part
from gateways.payments.rule_forms import LATE_MS_MAX, late_record
from tests.gateways.payments.engine_client import Client

BOUND_MS, MIN_SEEN = 20, 50
LATE_S = 0.021
SESSION = 99


class TimedDoor:
    """A door before the real kernels whose decisions are timed; every third of them takes `late_s`."""

    def __init__(self, client: Client, late_s: float) -> None:
        self.client = client
        self.late_s = late_s
        self.seconds = 0.0
        dispatcher = client.door.dispatcher
        self.lateness = Lateness(client.view.trial, dispatcher, SESSION, self._now)
        client.door.desk.time_by(self.lateness)
        self._asked = 0

    def _now(self) -> float:
        """Return a time that goes on with each look: a payment takes two."""
        self._asked += 1
        self.seconds += self.late_s if self._asked % 6 == 0 else 0.001
        return self.seconds

    async def start(self, steps: list[int], **gates: Any) -> int:
        given = {"parameters": {"score_review": 990}}
        _, document = await self.client.ask("POST", "/rulesets", given, "risk")
        number = int(document["ruleset"])
        start = {"ruleset": number, "steps": steps, "hold": ["1h"] * len(steps), "gates": gates}
        status, _ = await self.client.ask("POST", "/canary/start", start, "risk")
        assert status == 200
        self.look()
        return number

    async def pay(self, count: int) -> None:
        for _ in range(count):
            card = {"token": f"t{self.client.number}", "expiry": "4001"}
            status, _ = await self.client.pay(amount=1, card=card)
            assert status == 200

    def look(self) -> None:
        self.seconds += LOOK_S
        self._asked += -self._asked % 6
        self.lateness.look()
        self._asked += -self._asked % 6
        self.client.door.turn()

    async def trial(self) -> Any:
        _, document = await self.client.ask("GET", "/canary", key="viewer")
        return document


async def timed(late_s: float = LATE_S) -> TimedDoor:
    return TimedDoor(await Client.begun(), late_s)


async def test_a_late_arm_is_rolled_back_once_it_has_been_seen_enough() -> None:
    door = await timed()
    number = await door.start([100], max_p99_ms=BOUND_MS, min_seen=MIN_SEEN)
    await door.pay(MIN_SEEN - 1)
    door.look()
    assert (await door.trial())["state"] == "running"

    await door.pay(1)
    door.look()

    said = await door.trial()
    assert (said["state"], said["ruleset"], said["gate"]) == ("rolled_back", number, "latency")
    assert said["who"] == "door"
    assert said["why"] == "over 20ms: 32.0% late, else 0.0%"
    _, paid = await door.client.pay(amount=1, card={"token": "after", "expiry": "4001"})
    assert paid["cohort"] == "control"


@given(
    bound_ms=st.integers(1, LATE_MS_MAX),
    canary=st.integers(1, 2**40),
    control=st.integers(0, 2**40),
    share=st.fractions(0, 1),
)
def test_whatever_was_counted_is_evidence_that_an_act_may_bring(
    bound_ms: int, canary: int, control: int, share: Fraction
) -> None:
    why = evidence(bound_ms, part(int(canary * share), canary), part(int(control * share), control))

    assert late_record(2, why).nbytes


async def test_an_arm_whose_answers_are_at_the_bound_goes_on() -> None:
    door = await timed(late_s=BOUND_MS / 1000 - 0.001)
    await door.start([100], max_p99_ms=BOUND_MS, min_seen=MIN_SEEN)
    await door.pay(2 * MIN_SEEN)
    door.look()

    assert (await door.trial())["state"] == "running"


@pytest.mark.parametrize("gates", [{"min_seen": 5}, {"min_seen": 5, "max_p99_ms": None}])
async def test_without_a_bound_nothing_is_late(gates: dict[str, Any]) -> None:
    door = await timed(late_s=9.0)
    await door.start([100], **gates)
    await door.pay(60)
    door.look()

    assert (await door.trial())["state"] == "running"


async def test_the_arm_of_the_governing_set_may_be_late() -> None:
    door = await timed()
    await door.start([1], max_p99_ms=BOUND_MS, min_seen=MIN_SEEN)
    await door.pay(60)
    door.look()

    assert (await door.trial())["state"] == "running"


async def test_a_step_counts_anew() -> None:
    door = await timed()
    number = await door.start([99, 100], max_p99_ms=BOUND_MS, min_seen=MIN_SEEN)
    await door.pay(MIN_SEEN - 10)
    await door.client.ask("POST", "/canary/advance", {"ruleset": number}, "risk")
    door.look()
    await door.pay(MIN_SEEN - 10)
    door.look()

    assert (await door.trial())["state"] == "running"


async def test_a_rollback_that_the_engine_did_not_take_is_asked_for_again() -> None:
    door = await timed()
    await door.start([100], max_p99_ms=BOUND_MS, min_seen=MIN_SEEN)
    await door.pay(MIN_SEEN)
    gate = door.client.door.gate
    gate.closed = Closed.RECOVERING
    door.look()
    gate.closed = None
    assert (await door.trial())["state"] == "running"

    door.look()

    assert (await door.trial())["state"] == "rolled_back"
