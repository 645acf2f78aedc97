"""Sets of rules between instances: what one registers all have, and nothing that the fleet has not signed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.payments.view.live_view import LiveView
from engine.payments.view.rules_view import RulesetView
from engine.rules.stored import FOLDER
from gateways.fleet.link import Call
from gateways.fleet.rulesets import BEHIND_S, RulesetSharer
from gateways.fleet.scripts.rulesets import NEWEST_MAX
from gateways.fleet.signing import Signer
from gateways.payments.door.rule_workshop import RuleWorkshop
from gateways.payments.rule_forms import RulesetBody, ruleset_record
from tests.engine.payments.building import SMALL, Engine, settings
from tests.gateways.fleet.twin_store import TwinStore

KEY = bytes(range(32))


class Sharing:
    """One instance and its part of the fleet process."""

    def __init__(self, name: str, twin: TwinStore, folder: Path, key: bytes = KEY) -> None:
        self.engine = Engine(SMALL, settings())
        self.name = name
        self.now = 0.0
        self.behind = 0
        self.counts: Counter[str] = Counter()
        self._twin = twin
        self._folder = folder / name / FOLDER
        self._key = key
        self.begin()

    def begin(self) -> None:
        """Begin with a process that knows nothing."""
        view = LiveView(self.engine.replica.state)
        self.rules = view.rules
        self.sharer = RulesetSharer(
            rules=view.rules, store=self, workshop=RuleWorkshop(self._folder), folder=self._folder,
            tell=self._tell, count=self._count, behind=self._is_behind, now=lambda: self.now, fleet="f",
            instance=self.name, signer=Signer(self._key, "f"),
        )  # fmt: skip

    @property
    def run_id(self) -> str:
        """Of the store."""
        return self._twin.run_id

    async def connect(self) -> None:
        """Be connected."""

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Ask the store."""
        return self._twin.answer(calls)

    async def _tell(self, commands: Sequence[Any]) -> None:
        self.engine.tell(*commands)

    def _count(self, name: str) -> None:
        self.counts[name] += 1

    def _is_behind(self, lacking: int) -> None:
        self.behind = lacking

    def register(self, who: str = "risk", **parameters: int) -> str:
        """Register a set as the door does; return its hash."""
        rules = self.rules()
        governing = rules.find(rules.governing)
        assert governing is not None
        body = RulesetBody(parameters=parameters, why="less")
        self.engine.tell(ruleset_record(body, governing, who, bytes(16))[0])
        return self.rules().sets[-1].hash

    def find(self, name: str) -> RulesetView | None:
        """Return a set by its hash."""
        return next((each for each in self.rules().sets if each.hash == name), None)


async def rounds(*instances: Sharing, times: int = 3) -> None:
    """Let instances do rounds in turn, and register what has come."""
    working = [asyncio.create_task(each.sharer.work()) for each in instances]
    for _ in range(times):
        for each in instances:
            await each.sharer.round()
            for _ in range(20):  # what is to be registered is, without anything to wait for
                await asyncio.sleep(0)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Sharing, Sharing, TwinStore]:
    twin = TwinStore()
    return Sharing("a", twin, tmp_path), Sharing("b", twin, tmp_path), twin


Pair = tuple[Sharing, Sharing, TwinStore]


async def test_a_set_that_one_instance_registers_is_registered_at_the_others_and_governs_nowhere(
    pair: Pair,
) -> None:
    one, other, _ = pair
    name = one.register(card_1m=7)

    await rounds(one, other)

    found = other.find(name)
    assert found is not None
    assert (found.parameters["card_1m"], found.who, found.why) == (7, "fleet:a", "less")
    assert other.rules().governing == one.rules().governing == 1
    assert other.counts == {"registered": 1}
    assert not one.counts
    before = int(other.engine.s["seq"])
    await rounds(one, other)
    assert int(other.engine.s["seq"]) == before


async def test_a_set_of_the_configuration_alone_is_nobodys_but_this_instance_s(pair: Pair) -> None:
    one, other, twin = pair
    one.engine.tell(settings(card_1m=9))

    await rounds(one, other)

    assert len(other.rules().sets) == 1
    assert not twin.ruleset_bodies


@pytest.mark.parametrize("how", ["other key", "no signature", "other body", "other name"])
async def test_what_the_fleet_has_not_signed_is_refused_by_name_and_counted_once(
    pair: Pair, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    one, other, twin = pair
    if how == "other key":
        one = Sharing("c", twin, tmp_path, key=bytes(32))
    name = one.register(card_1m=7)
    await rounds(one)
    signed = twin.ruleset_bodies[name]
    if how == "no signature":
        twin.ruleset_bodies[name] = signed[32:]
    if how == "other body":
        twin.ruleset_bodies[name] = signed.replace(b'"card_1m":7', b'"card_1m":8')
        assert twin.ruleset_bodies[name] != signed
    if how == "other name":
        shown = "0" * 32
        twin.ruleset_bodies[shown] = twin.ruleset_bodies.pop(name)
        twin.ruleset_order[shown] = twin.ruleset_order.pop(name)
        name = shown
    caplog.set_level(logging.WARNING, "pinion.doors")

    await rounds(other, times=5)

    assert other.counts == {"refused_sets": 1}
    assert len(other.rules().sets) == 1
    assert caplog.text.count(f"the set of rules {name} of an unknown instance is refused") == 1
    other.now += 2 * BEHIND_S
    await rounds(other)
    assert other.behind == 0


async def test_a_set_that_cannot_be_registered_here_is_refused_by_name_and_instance(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    one, other, twin = pair
    name = one.register(card_1m=7)
    await rounds(one)
    signer = Signer(KEY, "f")
    body = signer.opened(twin.ruleset_bodies[name])
    assert body is not None
    twin.ruleset_bodies[name] = signer.signed(body.replace(b'"card_1m"', b'"card_2m"'))

    await rounds(other)

    assert other.counts == {"refused_sets": 1}
    assert f"the set of rules {name} of instance 'a' is refused: parameters: 'card_2m'" in caplog.text


async def test_what_the_store_has_lost_is_told_again_and_comes_to_one_that_begins_anew(pair: Pair) -> None:
    one, other, twin = pair
    names = [one.register(card_1m=number) for number in (5, 6)]
    await rounds(one)
    twin.empty()
    await rounds(one)
    twin.restart(with_saved=False)
    other.begin()

    await rounds(one, other)

    assert all(other.find(name) for name in names)


async def test_the_newest_sets_come_to_all_however_many_there_are_and_then_nothing_goes_on(
    pair: Pair,
) -> None:
    one, other, _ = pair
    names = []
    for number in range(40):
        names.append((one, other)[number % 2].register(card_1h=20 + number))
        if number % 5 == 4:
            await rounds(one, other, times=1)
    await rounds(one, other, times=4)

    for each in (one, other):
        assert all(each.find(name) for name in names[-NEWEST_MAX:])
        assert each.rules().governing == 1
        before = int(each.engine.s["seq"])
        each.begin()
        await rounds(one, other, times=4)
        assert int(each.engine.s["seq"]) == before


async def test_an_instance_that_lacks_two_sets_for_thirty_seconds_is_behind_until_it_has_them(
    pair: Pair,
) -> None:
    one, other, _ = pair
    one.register(card_1m=7)
    await rounds(one)
    for _ in range(2):
        await other.sharer.round()
        other.now += BEHIND_S
    assert other.behind == 0
    one.register(card_1m=8)
    await rounds(one)

    await other.sharer.round()
    assert other.behind == 0
    other.now += BEHIND_S
    await other.sharer.round()
    assert other.behind == 2
    await rounds(other)

    assert other.behind == 0
    assert len(other.rules().sets) == 3


def test_a_key_of_a_fleet_opens_what_was_signed_for_it_alone() -> None:
    signer = Signer(KEY, "f")
    signed = signer.signed(b"body")

    assert signer.opened(signed) == b"body"
    assert Signer(KEY, "g").opened(signed) is None
    assert Signer(bytes(32), "f").opened(signed) is None
    assert [signer.opened(each) for each in (b"", signed[:-1], signed + b"x")] == [None] * 3
