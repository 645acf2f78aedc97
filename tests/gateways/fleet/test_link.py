"""The connection to a store: a late answer ends it, a store that is away is asked ever more seldom."""

import asyncio
import signal
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from gateways.fleet.link import (
    CALL_S_MAX,
    CONNECT_S_MAX,
    PAUSE_S_FIRST,
    PAUSE_S_MAX,
    Call,
    StoreDownError,
    StoreLink,
)
from tests.gateways.fleet.servers import running_store

ECHO = "return ARGV[1]"
SLOW = "local n = 0 for i = 1, 1e8 do n = n + i end return n"
"""Takes half a second at least."""


def say(word: str) -> list[Call]:
    return [(ECHO, ("k",), (word,))]


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def counted() -> Counter[str]:
    return Counter()


def linked(url: str, counted: Counter[str], clock: Clock) -> StoreLink:
    return StoreLink(url, (ECHO, SLOW), lambda name: counted.update([name]), clock)


async def test_calls_that_go_together_are_answered_in_their_order(
    tmp_path: Path, counted: Counter[str]
) -> None:
    with running_store(tmp_path) as server:
        link = linked(server.url, counted, Clock())
        await link.connect()

        assert await link.ask([*say("1"), *say("2"), *say("3")]) == [b"1", b"2", b"3"]
        assert (len(link.run_id), counted) == (40, {"connections": 1, "asked": 1})
        await link.close()


async def test_it_is_one_connection_whatever_is_asked(tmp_path: Path, counted: Counter[str]) -> None:
    with running_store(tmp_path) as server:
        link = linked(server.url, counted, Clock())
        await link.connect()
        for word in ("1", "2"):
            await link.ask(say(word))

        listed = server.command("CLIENT", "LIST")

        assert listed.count(b"cmd=evalsha") == 1
        assert listed.count(b"\nid=") == 2, "ours, and the one that asks"
        await link.close()


async def test_a_stopped_store_costs_one_deadline_and_its_late_answer_goes_to_nobody(
    tmp_path: Path, counted: Counter[str]
) -> None:
    loop, clock = asyncio.get_running_loop(), Clock()
    with running_store(tmp_path) as server:
        link = linked(server.url, counted, clock)
        await link.connect()
        server.signal(signal.SIGSTOP)
        began = loop.time()
        with pytest.raises(StoreDownError, match="no answer in time"):
            await link.ask(say("late"))
        assert loop.time() - began >= CALL_S_MAX
        assert counted["timeouts"] == 1
        with pytest.raises(StoreDownError):
            await link.ask(say("unsent"))
        server.signal(signal.SIGCONT)
        clock.now += PAUSE_S_FIRST
        await link.connect()

        assert await link.ask(say("new")) == [b"new"]
        assert counted["connections"] == 2
        await link.close()


async def test_while_it_is_away_a_store_is_asked_ever_more_seldom(
    tmp_path: Path, counted: Counter[str]
) -> None:
    clock = Clock()
    link = linked(f"unix://{tmp_path}/nobody", counted, clock)
    tried_at = []
    for _ in range(100):
        before = counted["failures"]
        with pytest.raises(StoreDownError):
            await link.connect()
        if counted["failures"] > before:
            tried_at.append(clock.now)
        clock.now += 0.1

    pauses = [round(after - before, 1) for before, after in pairwise(tried_at)]
    assert pauses[0] == PAUSE_S_FIRST
    assert pauses == sorted(pauses)
    assert max(pauses) <= PAUSE_S_MAX + 0.1
    assert len(tried_at) < 12


async def test_a_store_started_again_is_another_run(tmp_path: Path, counted: Counter[str]) -> None:
    clock = Clock()
    with running_store(tmp_path) as server:
        link = linked(server.url, counted, clock)
        await link.connect()
        first = link.run_id
        server.stop()
        server.start()
        with pytest.raises(StoreDownError):
            await link.ask(say("x"))
        clock.now += PAUSE_S_FIRST
        await link.connect()

        assert link.run_id not in ("", first)
        assert await link.ask(say("y")) == [b"y"]
        await link.close()


async def test_scripts_that_the_store_has_forgotten_are_loaded_with_the_next_connection(
    tmp_path: Path, counted: Counter[str]
) -> None:
    clock = Clock()
    with running_store(tmp_path) as server:
        link = linked(server.url, counted, clock)
        await link.connect()
        server.command("SCRIPT", "FLUSH")
        with pytest.raises(StoreDownError, match=r"NOSCRIPT|No matching script"):
            await link.ask(say("x"))
        clock.now += PAUSE_S_FIRST
        await link.connect()

        assert await link.ask(say("y")) == [b"y"]
        await link.close()


async def test_what_listens_and_is_no_store_is_given_up_in_time(
    tmp_path: Path, counted: Counter[str]
) -> None:
    loop = asyncio.get_running_loop()
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_unix_server(
        lambda reader, writer: writers.append(writer), str(tmp_path / "silent")
    )
    link = linked(f"unix://{tmp_path}/silent", counted, Clock())
    began = loop.time()

    with pytest.raises(StoreDownError):
        await link.connect()

    assert loop.time() - began >= CONNECT_S_MAX
    assert counted == {"timeouts": 1}
    silent.close()
    for each in writers:
        each.close()
        await each.wait_closed()
