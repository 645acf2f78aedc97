"""An instance answers under every policy of waiting, and whoever of it was stopped or killed in its sleep."""

import http.client
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract import instance
from engine.contract.port import PortError, claim_spare
from engine.trading.records import COMMAND, COMMAND_VERSION, Op, Role
from pinion.cli.instance.digest import asked_of
from ringbuf.layout import ASLEEP, LINE_WORDS
from tests.system.running import Running, await_true

Start = Callable[..., Running]
ORDERS = 20
ANSWER_S = 20.0
_numbers = itertools.count(1)
"""Ids of orders, never used twice: some tests share an instance."""


class Door:
    """One connection to the order door: an order at a time."""

    def __init__(self, running: Running) -> None:
        self._headers = {"Authorization": f"Bearer {running.key}"}
        host = instance.read(running.data_dir).doors["orders"].removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=ANSWER_S)

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def order(self) -> int:
        """Enter an order; return the status of the answer."""
        body = {
            "client_order_id": next(_numbers), "account": 1, "symbol": "BTC-USD",
            "side": "buy", "price": "100.00", "quantity": "1",
        }  # fmt: skip
        self._connection.request("POST", "/v1/orders", json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def bell_of(running: Running, sleeper: str) -> int:
    """Return the state of a process's bell."""
    described = instance.read(running.data_dir)
    words = instance.attach_bells(described).slots[0]["words"]
    return int(words[described.sleepers.index(sleeper) * LINE_WORDS])


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process stand still for the block and go on behind it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("wait", ["block", "backoff", "spin"])
@pytest.mark.parametrize("durability", ["sync", "none"])
def test_every_order_is_answered_under_every_policy(start: Start, wait: str, durability: str) -> None:
    running = start("--wait", wait, "--durability", durability)
    running.await_ready()

    with Door(running) as door:
        assert [door.order() for _ in range(ORDERS)] == [200] * ORDERS
    assert instance.read(running.data_dir).wait == wait
    assert running.stop() == 0


@pytest.mark.parametrize("sleeper", ["worker", "journaler", "http"])
def test_what_came_while_a_process_stood_still_is_done_once_it_goes_on(shared: Running, sleeper: str) -> None:
    answers: list[int] = []
    with Door(shared) as door:
        for _ in range(5):
            with stopped(shared.pid_of(sleeper)):
                asking = threading.Thread(target=lambda: answers.append(door.order()))
                asking.start()
                time.sleep(0.05)
            asking.join()

    assert answers == [200] * 5


@pytest.mark.parametrize("sleeper", ["worker", "journaler"])
def test_a_process_that_is_killed_asleep_is_replaced_and_called_again(shared: Running, sleeper: str) -> None:
    await_true(lambda: bell_of(shared, sleeper) == ASLEEP, "an idle process asleep")
    killed = shared.pid_of(sleeper)

    os.kill(killed, signal.SIGKILL)
    await_true(lambda: shared.pid_of(sleeper) != killed, "another one")
    await_true(lambda: bell_of(shared, sleeper) == ASLEEP, "it asleep as well")

    with Door(shared) as door:
        statuses = [door.order() for _ in range(ORDERS)]
    assert set(statuses) <= {200, 503}
    assert statuses[-1] == 200


def test_a_feeder_asleep_on_a_spare_ring_is_called_when_its_answer_is_durable(shared: Running) -> None:
    with claim_spare(shared.data_dir) as gate:
        for number in range(ORDERS):
            commands: Any = np.zeros(1, COMMAND)
            commands["op"], commands["version"], commands["roles"] = Op.CANCEL, COMMAND_VERSION, Role.ALL
            commands["req_seq"] = number
            assert gate.submit(commands) == 1
            gate.await_events(ANSWER_S)

            assert gate.drain()["req_seq"].tolist() == [number]
            assert gate.durable_seq() >= gate.seq


def test_the_bell_of_a_feeder_that_died_asleep_is_put_back(shared: Running) -> None:
    feeder = os.fork()
    if feeder == 0:
        try:
            claim_spare(shared.data_dir).await_events(3600.0)
        finally:
            os._exit(0)
    spare = instance.read(shared.data_dir).spares[0]
    await_true(lambda: bell_of(shared, spare) == ASLEEP, "a feeder asleep")

    os.kill(feeder, signal.SIGKILL)
    os.waitpid(feeder, 0)

    await_true(lambda: bell_of(shared, spare) != ASLEEP, "nobody to call")


def test_without_a_shadow_everything_is_answered_and_the_digest_says_why_there_is_none(
    start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "pinion.toml"
    config.write_text('[engine]\nshadow = "off"\n[[keys]]\nname = "k"\ntoken = "a-token-of-16-chars"\n')
    running = start("--config", str(config))
    running.await_ready()

    assert "shadow" not in [each.name for each in instance.read(running.data_dir).processes]
    with pytest.raises(PortError, match=r"engine\.shadow is off"):
        asked_of(running.data_dir, 1.0)
    assert running.stop() == 0
