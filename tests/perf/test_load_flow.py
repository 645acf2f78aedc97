"""The load generators' orders leave the book as they found it, however many there are."""

from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.trading.capacities import Capacities
from engine.trading.demo import demo
from engine.trading.instruments import catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, EventKind
from gateways.json_lines import CommandEncoder
from perf.load_http import RESTING, order_body
from pinion.cli.trading.definitions import definitions

FEW, MANY = 12_000, 36_000
CONNECTIONS = 64


@pytest.fixture(scope="module")
def demo_state() -> Any:
    """Return the state of the demo exchange, set up."""
    state = new_state(Capacities())
    run_all(state, np.concatenate([each.commands for each in definitions(demo("a-key-of-the-tests"))]))
    return state


def played(state: Any, numbers: Iterable[int], session: int) -> np.ndarray:
    """Enter these orders of a session; return the events."""
    encoder = CommandEncoder(catalogue(state))
    packed = [
        encoder.pack({"op": "new", **msgspec.json.decode(order_body(number, session))}) for number in numbers
    ]
    return run_all(state, np.frombuffer(bytearray().join(packed), COMMAND))


def test_a_session_leaves_as_many_orders_as_it_says_and_all_are_accepted(demo_state: Any) -> None:
    before = int(demo_state[0]["orders_live"])

    first = played(demo_state, range(FEW), session=1)
    after_few = int(demo_state[0]["orders_live"])
    more = played(demo_state, range(FEW, MANY), session=1)

    assert after_few - before == RESTING
    assert int(demo_state[0]["orders_live"]) == after_few
    kinds = np.concatenate([first["kind"], more["kind"]])
    assert np.count_nonzero(kinds == EventKind.ACCEPTED) == MANY
    assert not np.isin(kinds, [EventKind.REJECTED, EventKind.CANCELLED, EventKind.PREVENTED]).any()


def test_connections_that_overtake_each_other_leave_no_more(demo_state: Any) -> None:
    before = int(demo_state[0]["orders_live"])
    rng, numbers = Random(3), list(range(MANY))
    for first in range(0, MANY, CONNECTIONS):
        part = numbers[first : first + CONNECTIONS]
        rng.shuffle(part)
        numbers[first : first + CONNECTIONS] = part

    events = played(demo_state, numbers, session=2)

    assert int(demo_state[0]["orders_live"]) - before <= RESTING + 2 * CONNECTIONS
    assert not np.isin(events["kind"], [EventKind.REJECTED, EventKind.PREVENTED]).any()
