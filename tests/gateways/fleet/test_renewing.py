"""Client rates of a fleet: all doors together let through what one would, and a little ahead."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.payments.records import Role
from gateways.fleet.link import Call, StoreDownError
from gateways.fleet.renewing import Renewer
from gateways.payments.door.allowances import GRANTED, USED, Allowances, DoorAllowance
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.limiters import NO_LIMITS, Limiters
from tests.gateways.fleet.twin_store import TwinStore

SHOP = 11
RATE, BURST, TICK_MS = 200, 20, 100


class Door:
    """One instance: its door and the round of its fleet process, on clocks that the test moves."""

    def __init__(
        self, folder: Path, twin: TwinStore, instances: int, without_store: bool | None = None
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.twin = twin
        self.is_cut_off = False
        self.passed = 0
        self._rate = {"per_second": RATE, "burst": BURST, "instances": instances}
        self._folder = folder
        self.allowances = Allowances(folder, ["payments"], ["shop"])
        allowance = DoorAllowance(self.allowances, "payments", without_store, self._clock)
        section = {"per_second": RATE, "burst": BURST, "log_only": False}
        self.limiters = Limiters(
            [KeyOwner("shop", None, Role.ACQUIRER, SHOP)], {**NO_LIMITS, "rate": section}, self._clock,
            allowance, instances,
        )  # fmt: skip
        self.begin()

    def begin(self) -> None:
        """Begin with another fleet process, which maps the words itself."""
        allowances = Allowances(self._folder, ["payments"], ["shop"])
        self._renewer = Renewer(
            allowances=allowances, store=self, fleet="f", rate=self._rate, clock_ns=self._clock
        )

    def _clock(self) -> int:
        return self.twin.now * 1_000_000

    @property
    def run_id(self) -> str:
        """Of the store."""
        return self.twin.run_id

    async def connect(self) -> None:
        """Be connected."""
        if self.is_cut_off:
            raise StoreDownError("it is not there")

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Ask the store."""
        return self.twin.answer(calls)

    def renew(self) -> None:
        """Do a round."""
        doing = self._renewer.round()
        try:
            doing.send(None)
        except (StopIteration, StoreDownError):
            return
        raise AssertionError("nothing of a round waits here")

    def ask_for(self, count: int) -> int:
        """Ask for so many requests; return how many are let through."""
        passed = 0
        for _ in range(count):
            if self.limiters.enter(SHOP):
                self.limiters.leave(SHOP)
                passed += 1
        self.passed += passed
        return passed


def doors_of(folder: Path, count: int, without_store: bool | None = None) -> list[Door]:
    """Return the doors of so many instances, with a stock."""
    twin = TwinStore()
    doors = [Door(folder / f"{at}", twin, count, without_store) for at in range(count)]
    run(doors, [0] * count, 20)
    return doors


def run(doors: list[Door], asked: list[int], ticks: int) -> list[int]:
    """Let so many requests come to each door in every tick; return how many each lets through."""
    before = [each.passed for each in doors]
    for _ in range(ticks):
        for part in range(10):
            for each, count in zip(doors, asked, strict=True):
                each.ask_for(count * (part + 1) // 10 - count * part // 10)
            doors[0].twin.now += TICK_MS // 10
        for each in doors:
            each.renew()
    return [each.passed - was for each, was in zip(doors, before, strict=True)]


AHEAD = BURST + 2 + 3 * RATE // 5
"""What may come at once beyond the rate: the burst, what is leased in advance, what the store grants."""


@pytest.mark.parametrize("asked", [[40, 0], [40, 40], [100, 10], [15, 30]])
def test_all_doors_together_let_through_the_rate_wherever_requests_come(
    tmp_path: Path, asked: list[int]
) -> None:
    doors = doors_of(tmp_path, 2)

    passed = sum(run(doors, asked, 100))

    assert RATE * 10 * 9 // 10 <= passed <= RATE * 10 + AHEAD


@pytest.mark.parametrize("asked", [[18, 0], [9, 9], [0, 17]])
def test_who_stays_below_the_rate_is_refused_nothing(tmp_path: Path, asked: list[int]) -> None:
    doors = doors_of(tmp_path, 2)

    assert run(doors, asked, 50) == [50 * each for each in asked]


def test_a_burst_is_let_through_at_once_by_the_parts_of_the_doors(tmp_path: Path) -> None:
    doors = doors_of(tmp_path, 2)

    assert BURST <= sum(each.ask_for(BURST) for each in doors) <= BURST + RATE // 5


STEP = st.tuples(st.sampled_from(["ask", "ask", "ask", "time", "renew", "begin", "cut", "mend"]),
                 st.integers(0, 1), st.integers(1, 60))  # fmt: skip


@given(st.lists(STEP, max_size=80))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_lets_through_more_than_the_rate_and_what_is_ahead(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    doors = doors_of(tmp_path_factory.mktemp("rate"), 2)
    began = doors[0].twin.now
    before = sum(each.passed for each in doors)
    for what, at, count in steps:
        door = doors[at]
        if what == "ask":
            door.ask_for(count)
        elif what == "time":
            door.twin.now += 10 * count
        elif what == "renew":
            door.renew()
        elif what == "begin":
            door.begin()
        else:
            door.is_cut_off = what == "cut"
    elapsed_ms = doors[0].twin.now - began
    own = BURST + 2 + RATE * elapsed_ms // 1000  # what doors without a store let through by themselves
    assert sum(each.passed for each in doors) - before <= RATE * elapsed_ms // 1000 + AHEAD + own


@pytest.mark.parametrize("at", [0, 1])
def test_without_a_store_each_door_has_its_part_of_the_rate(tmp_path: Path, at: int) -> None:
    doors = doors_of(tmp_path, 2)
    for each in doors:
        each.is_cut_off = True
    run(doors, [0, 0], 11)

    passed = run(doors, [50, 0] if at == 0 else [0, 50], 100)[at]

    assert RATE * 10 // 2 <= passed <= RATE * 10 // 2 + BURST // 2 + 1
    for each in doors:
        each.is_cut_off = False
    assert sum(run(doors, [50, 50], 100)) >= RATE * 10 * 9 // 10


@pytest.mark.parametrize(("without_store", "passes"), [(True, 30), (False, 0)])
def test_without_a_store_everything_or_nothing_passes_where_that_is_said(
    tmp_path: Path, without_store: bool, passes: int
) -> None:
    (door,) = doors_of(tmp_path, 1, without_store)
    door.twin.now += 999
    assert door.ask_for(1) == 1

    door.twin.now += 1

    assert door.ask_for(30) == passes


def test_a_process_that_begins_anew_goes_on_with_what_was_granted(tmp_path: Path) -> None:
    (door,) = doors_of(tmp_path, 1)
    door.ask_for(7)
    granted = door.allowances.look(0, GRANTED)

    door.begin()
    door.renew()
    door.renew()

    assert door.allowances.look(0, USED) == 7
    assert door.allowances.look(0, GRANTED) == granted + 7
