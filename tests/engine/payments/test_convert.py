"""A state in larger tables decides as before, and smaller ones that cannot hold it are named."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from engine.contract.records import copy_by_name
from engine.contract.replica import private_state
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.codes import Code
from engine.payments.forwarding import Processed
from engine.payments.kernels.convert import ADDED, capacities_of, convert, too_small
from engine.payments.records import Op
from tests.engine.payments.building import SMALL, T0, Engine, command, forwarded, processed, settings
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


def without(dtype: np.dtype[np.void], *names: str) -> np.dtype[np.void]:
    """Return a layout that lacks fields, those of payments as `payments.name`."""
    kept: list[Any] = []
    assert dtype.names is not None
    assert dtype.fields is not None
    for name in dtype.names:
        field = dtype.fields[name][0]
        within = [each.removeprefix(f"{name}.") for each in names if each.startswith(f"{name}.")]
        if name in names:
            continue
        kept.append((name, without(field.base, *within), field.shape) if within else (name, field))
    return np.dtype(kept)


def test_a_state_of_before_forwarding_has_nothing_pending_and_owes_nothing() -> None:
    engine, flow = begun(), Flow(3)
    events_of(engine, flow, 200)
    now = engine.replica.state
    old = np.zeros(1, without(now.dtype, *ADDED))
    assert copy_by_name(now, old) == ()
    state = private_state(payments(SMALL).state_dtype)
    convert(old, state)
    assert_whole(state[0])
    assert engine.application.first_difference(now, state) == ""


def test_what_is_pending_or_owed_stays_so_in_other_tables() -> None:
    engine = Engine()
    one, other = (int(engine.one(forwarded(number, T0))["payment"]) for number in (1, 2))
    engine.tell(processed(other, Processed.UNKNOWN))
    larger, back = (private_state(payments(each).state_dtype) for each in (LARGER, SMALL))
    convert(engine.replica.state, larger)
    convert(larger, back)
    went_on = Engine(SMALL, processed(one, Processed.DECLINED), state=back)
    assert went_on.s["pending_count"] == 0
    assert went_on.one(command(Op.CONFIRMED, payment=other))["code"] == Code["OK"]
    assert went_on.s["owed_count"] == 0
    assert_whole(went_on.s)
