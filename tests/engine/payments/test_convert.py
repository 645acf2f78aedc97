"""A state in larger tables decides as before, and smaller ones that cannot hold it are named."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from engine.contract.replica import private_state
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.kernels.convert import capacities_of, convert, too_small
from tests.engine.payments.building import SMALL, Engine, settings
from tests.engine.payments.invariants import assert_whole
from tests.engine.payments.random_flow import Flow, begun

LARGER = Capacities(**{name: 3 * size + 5 for name, size in asdict(SMALL).items()})


def events_of(engine: Engine, flow: Flow, count: int) -> list[Any]:
    """Return the events of the next commands, but for their hashes and places."""
    return [event.tobytes() for _ in range(count) for event in engine.tell(flow.next())]


@pytest.mark.parametrize("steps", [0, 10, 400])
def test_a_converted_state_goes_on_as_it_was(steps: int) -> None:
    engine, flow = begun(), Flow(steps)
    events_of(engine, flow, steps)
    old = engine.replica.state.copy()
    assert_whole(engine.s)
    state = private_state(payments(LARGER).state_dtype)
    convert(engine.replica.state, state)
    assert_whole(state[0])
    assert capacities_of(state) == asdict(LARGER)
    back = private_state(payments(SMALL).state_dtype)
    convert(state, back)
    assert_whole(back[0])
    digest = engine.application.digest
    again = private_state(payments(SMALL).state_dtype)
    convert(old, again)
    assert digest(back) == digest(again)
    assert engine.application.first_difference(back, again) == ""


def test_tables_that_are_too_small_are_named() -> None:
    engine, flow = begun(), Flow(1)
    events_of(engine, flow, 300)
    assert too_small(engine.replica.state, SMALL) == {}
    used = int(engine.s["card_table"]["used"])
    assert too_small(engine.replica.state, replace(SMALL, cards=2, merchants=1)) == {
        "cards": (2, used),
        "merchants": (1, 3),
    }


def test_the_first_difference_is_named() -> None:
    one, other = Engine(SMALL, settings()), Engine(SMALL, settings(card_1m=4))
    difference = one.application.first_difference(one.replica.state, other.replica.state)
    assert difference.startswith("rulesets")
