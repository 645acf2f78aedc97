"""The scripts in real stores answer what the twin of the model answers, call for call."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from gateways.fleet.link import Call, StoreLink
from gateways.fleet.scripts.rates import RATE, grants_of
from gateways.fleet.scripts.rulesets import NEWEST_MAX, SETS, newest_of
from gateways.fleet.scripts.shares import EXCHANGE, GREET, Welcome, greeting_of, standing_of
from gateways.fleet.scripts.sightings import MERGE, Merge, members_of, merge_of
from tests.gateways.fleet.servers import StoreServer, programs, running_store, said_of_redis
from tests.gateways.fleet.twin_store import TwinStore

SEED = 5
CALLS = 600


@pytest.fixture(params=sorted(programs()))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with running_store(tmp_path, request.param) as running:
        yield running


@pytest.fixture
async def link(server: StoreServer) -> AsyncIterator[StoreLink]:
    made = StoreLink(server.url, (EXCHANGE, GREET, MERGE, SETS, RATE), lambda name: None, lambda: 0.0)
    await made.connect()
    yield made
    await made.close()


def test_it_is_said_which_stores_are_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{said_of_redis()}")

    assert "valkey" in programs()


def exchanges(random: Random, twin: TwinStore) -> list[Call]:
    """Return a few calls; an instance says what it has of the store, or has missed the last of it."""
    calls: list[Call] = []
    for _ in range(random.randint(1, 4)):
        me, row = random.choice("abc"), random.choice(("978:shop", "392:m.2"))
        key = f"row:{row}"
        given = twin.rows[key].given.get(me, 0) + random.choice((0, 0, random.randint(0, 2**40)))
        taken = twin.rows[key].taken.get(me, 0) if random.random() < 0.8 else 0
        left, wants = random.randint(0, 2**40), int(random.random() < 0.5)
        calls.append((EXCHANGE, (key, "wants"), (me, 3, given, taken, left, wants, row)))
    return calls


async def test_what_the_store_answers_is_what_the_twin_answers(link: StoreLink) -> None:
    random, twin = Random(SEED), TwinStore()
    granted = 0
    for _ in range(CALLS):
        calls = exchanges(random, twin)
        found = [standing_of(each) for each in await link.ask(calls)]
        expected = [standing_of(each) for each in twin.answer(calls)]
        assert found == expected
        granted += sum(each.taken > int(call[2][3]) for each, call in zip(found, calls, strict=True))
    assert granted > CALLS // 20


def greeting(me: str, owner: str, fingerprint: str, journal: str, day: int = 1, instances: int = 2) -> Call:
    """Return a call in which an instance greets."""
    return GREET, ("members", "wants", f"{day}:owners"), (me, owner, fingerprint, journal, instances)


async def test_a_greeting_tells_who_is_there_and_what_is_wanted(link: StoreLink) -> None:
    wish: Call = (EXCHANGE, ("row:978:shop", "wants"), ("b", 2, 0, 0, 0, 1, "978:shop"))
    calls = [
        greeting("a", "one", "k", "j1"),
        wish,
        greeting("b", "two", "l", "j2"),
        greeting("a", "three", "k", "j1"),
        greeting("a", "one", "l", "j1"),
    ]

    first, _, second, impostor, again = await link.ask(calls)

    assert greeting_of(first) == (Welcome.IN, 1, 0, ())
    assert greeting_of(second) == (Welcome.IN, 2, 1, ("978:shop",))
    assert greeting_of(impostor).welcome == Welcome.NAME_TAKEN
    assert (greeting_of(again).members, greeting_of(again).strangers) == (2, 0)
    assert TwinStore().answer(calls)[2:4] == [[Welcome.IN, 2, 1, b"978:shop"], [Welcome.NAME_TAKEN, 0, 0]]


@pytest.mark.parametrize("is_twin", [False, True])
async def test_as_many_journals_as_there_are_instances_own_the_shares_of_a_day(
    link: StoreLink, is_twin: bool
) -> None:
    calls = [
        greeting("a", "one", "k", "j1"),
        greeting("b", "two", "k", "j2"),
        greeting("c", "three", "k", "j3"),  # takes the place of another with a journal of its own
        greeting("b", "four", "k", "j2"),  # at once, at another place
        greeting("a", "one", "k", "j3"),  # begun anew in the same folder
        greeting("a", "one", "k", "j1"),
        greeting("c", "three", "k", "j3", day=2),
        greeting("d", "five", "k", "j4", instances=3),
    ]

    answers = TwinStore().answer(calls) if is_twin else await link.ask(calls)

    assert [greeting_of(each).welcome for each in answers] == [
        *(Welcome.IN, Welcome.IN, Welcome.NO_SHARE_LEFT, Welcome.NAME_TAKEN),
        *(Welcome.NO_SHARE_LEFT, Welcome.IN, Welcome.IN, Welcome.IN),
    ]
    assert greeting_of(answers[5]).members == 2, "who is outside counts as nobody"


async def test_numbers_up_to_what_may_move_are_exact(link: StoreLink) -> None:
    most = 2**46 - 1

    def say(me: str, given: int, wants: int) -> Call:
        return EXCHANGE, ("row", "wants"), (me, 2, given, 0, 0, wants, "978:shop")

    answers = await link.ask([say("a", most, 0), say("b", most, 1)])

    assert [standing_of(each).given for each in answers] == [most, most]
    assert standing_of(answers[1]).taken == 2 * most


def merging(since: dict[str, tuple[bytes, int]], me: str, most: int, cards: list[int]) -> Call:
    """Return a call in which one instance adds sightings of cards."""
    born, score = since.get(me, (b"", 0))
    rows = np.array([(5, 6, 7, card) for card in cards], np.int64).reshape(-1, 4)
    return MERGE, ("seen", "born"), (born, score, 10**9, most, *members_of(rows))


def shown(merge: Merge) -> tuple[bool, list[list[int]]]:
    """Return what does not depend on the clock of the store."""
    return merge.is_taken, merge.rows.tolist()


async def test_sightings_in_the_store_are_those_of_the_twin(link: StoreLink, server: StoreServer) -> None:
    random, twin = Random(SEED), TwinStore()
    real: dict[str, tuple[bytes, int]] = {}
    like: dict[str, tuple[bytes, int]] = {}
    read, held_back = 0, 0
    for turn in range(CALLS // 2):
        if turn % 100 == 99:
            server.command("FLUSHALL")
            twin.empty()
        twin.now += 1
        me, most = random.choice("abc"), random.choice((2, 50))
        cards = [random.randrange(400) for _ in range(random.randrange(6))]
        (answer,) = await link.ask([merging(real, me, most, cards)])
        found = merge_of(answer)
        expected = merge_of(twin.answer([merging(like, me, most, cards)])[0])
        assert shown(found) == shown(expected)
        if random.random() < 0.9:  # else the answer was lost
            real[me], like[me] = (found.born, found.since), (expected.born, expected.since)
        read += len(found.rows)
        held_back += not found.is_taken
    assert read > CALLS
    assert held_back > 10


async def test_a_sighting_that_has_left_its_window_is_forgotten(link: StoreLink) -> None:
    member = members_of(np.array([[1, 2, 3, 4]], np.int64))
    keys = ("seen", "born")
    (first,) = await link.ask([(MERGE, keys, (b"", 0, 10**9, 50, *member))])
    born = merge_of(first).born

    await link.ask([(MERGE, keys, (born, 0, 0, 50))])
    (answer,) = await link.ask([(MERGE, keys, (b"", 0, 10**9, 50))])

    assert not len(merge_of(answer).rows)


async def test_sets_of_rules_in_the_store_are_those_of_the_twin(link: StoreLink, server: StoreServer) -> None:
    random, twin = Random(SEED), TwinStore()
    since, bodies = 0, 0
    for turn in range(CALLS // 4):
        if turn % 50 == 49:
            server.command("FLUSHALL")
            twin.empty()
        told: list[str | bytes] = []
        for _ in range(random.randrange(4)):
            number = random.randrange(60)
            told += [f"{number:032x}", bytes((255, number))]
        call: Call = (SETS, ("order", "bodies"), (random.choice((0, since)), *told))
        found = newest_of((await link.ask([call]))[0])
        assert found == newest_of(twin.answer([call])[0])
        assert list(found.bodies) == list(newest_of(twin.answer([call])[0]).bodies)
        assert len(found.bodies) <= NEWEST_MAX
        since, bodies = found.last, bodies + sum(map(bool, found.bodies.values()))
    assert bodies > CALLS // 4


async def test_a_rate_in_the_store_grants_what_comes_in_a_second_and_so_many_ahead(link: StoreLink) -> None:
    ahead, granted = 7, []
    (began,) = await link.ask([(RATE, ("rates",), ("0.001", ahead, "shop", 0))])
    for wanted in (3, 100, 100):
        (answer,) = await link.ask([(RATE, ("rates",), ("0.001", ahead, "shop", wanted, "bank", wanted))])
        granted.append(grants_of(answer))

    assert grants_of(began) == [0]
    assert granted == [[3, 3], [4, 4], [0, 0]]
    with pytest.raises(ValueError, match=r"\[-1\] requests"):
        grants_of([-1])
