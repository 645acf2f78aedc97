"""A state in other capacities is the same state: what comes after is decided as if it had been there."""

from random import Random
from typing import Any

import numpy as np
import pytest

from engine.contract.records import LayoutError
from engine.trading.capacities import Capacities
from engine.trading.digest import digest
from engine.trading.instruments import catalogue
from engine.trading.kernels.convert import convert, too_small
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import EventKind, Op, Reason
from tests.capacities import SMALL
from tests.engine.trading.command_records import buy, currency, instrument, record, unlimited_account
from tests.engine.trading.comparison import standing_of_state
from tests.engine.trading.engine_side import Engine
from tests.engine.trading.state_reading import check_invariants
from tests.flows import commands_of
from tests.pinion.cli.journal.other_versions import reordered

LARGE = Capacities()
COMMANDS = 3000


def moved(state: Any, capacities: Capacities) -> Any:
    made = new_state(capacities)
    convert(state, made)
    return made


def moved_engine(engine: Engine, capacities: Capacities) -> Engine:
    """Return an engine of other capacities that goes on where this one is."""
    other = Engine(capacities)
    other.state = moved(engine.state, capacities)
    other.encoder.catalogue = other.formatter.catalogue = catalogue(other.state)
    other._orders, other._by_client_id = dict(engine._orders), dict(engine._by_client_id)
    return other


def comparable_digest(state: Any) -> str:
    """Return the digest without what was left behind in slots that are free: nobody reads it."""
    s = state[0]
    used = int(s["orders_used"])
    hot, cold = s["hot"][:used], s["cold"][:used]
    hot["chain"][hot["order_id"] == 0] = 0
    hot["id_chain"][(hot["order_id"] == 0) | (cold["client_order_id"] == 0)] = 0
    return digest(state)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("before", "after"), [(SMALL, LARGE), (LARGE, SMALL)], ids=["raised", "lowered"])
def test_half_a_flow_then_the_rest_elsewhere_is_the_whole_flow_there(
    seed: int, before: Capacities, after: Capacities
) -> None:
    print(f"seed {seed}")
    commands = commands_of(seed, COMMANDS)
    cut = Random(seed).randint(COMMANDS // 4, COMMANDS)
    first, expected = Engine(before), Engine(after)
    for command in commands[:cut]:
        assert first.submit(command) == expected.submit(command)

    second = moved_engine(first, after)

    check_invariants(second.state)
    assert standing_of_state(second.state) == standing_of_state(first.state)
    for command in commands[cut:]:
        assert second.submit(command) == expected.submit(command)
    check_invariants(second.state)
    assert standing_of_state(second.state) == standing_of_state(expected.state)
    assert comparable_digest(second.state) == comparable_digest(expected.state)


def test_there_and_back_again_is_where_it_was() -> None:
    engine = Engine(SMALL)
    for command in commands_of(7, COMMANDS):
        engine.submit(command)

    back = moved(moved(engine.state, LARGE), SMALL)

    assert comparable_digest(back) == comparable_digest(engine.state)
    for name in ("version", "account_bucket", "position_bucket", "order_bucket", "live_bucket", "id_bucket"):
        assert (back[0][name] == engine.state[0][name]).all(), name


def opened() -> Any:
    state = new_state(SMALL)
    run_all(state, np.concatenate([currency(b"USD"), instrument(b"A"), unlimited_account(1)]))
    return state


def reasons(state: Any, *commands: Any) -> list[int]:
    return [int(reason) for reason in run_all(state, np.concatenate(commands))["reason"]]


def test_what_was_refused_for_lack_of_room_stays_refused_and_the_next_one_fits() -> None:
    state = opened()
    orders = [buy(1, 10 + number, 1, client_order_id=number) for number in range(1, SMALL.orders + 2)]
    assert reasons(state, *orders)[-1] == Reason.ORDERS_FULL

    made = moved(state, LARGE)

    assert made[0]["orders_live"] == SMALL.orders
    assert made[0]["event_hash"] == state[0]["event_hash"]
    cancel = record(Op.CANCEL, account=1, client_order_id=SMALL.orders + 1)
    assert reasons(made, cancel) == [Reason.UNKNOWN_ORDER]
    assert reasons(made, *[orders[-1]] * 2) == [Reason.NONE, Reason.DUPLICATE]
    check_invariants(made)


def test_a_full_window_of_client_ids_goes_on_with_its_oldest() -> None:
    state = opened()
    count = SMALL.client_ids + 5
    for number in range(1, count + 1):
        cancel = record(Op.CANCEL, account=1, client_order_id=number)
        run_all(state, np.concatenate([buy(1, 10, 1, client_order_id=number), cancel]))

    made = moved(state, LARGE)

    check_invariants(made)
    ids = made[0]["ids"][: made[0]["ids_used"]]["client_order_id"]
    assert ids.tolist() == list(range(6, count + 1))
    ioc = run_all(made, np.concatenate([buy(1, 10, 1, client_order_id=number) for number in (6, count, 5)]))
    assert ioc["reason"].tolist() == [Reason.DUPLICATE, Reason.DUPLICATE, Reason.NONE]
    assert ioc["kind"][2] == EventKind.ACCEPTED


def test_a_capacity_below_what_is_used_is_named() -> None:
    state = opened()
    run_all(state, np.concatenate([buy(1, 10, 1) for _ in range(100)]))

    found = too_small(state, Capacities(orders=99, accounts=1, instruments=1, currencies=1))

    assert found == {"orders": (99, 100)}


def test_a_state_of_another_layout_is_the_same_state() -> None:
    engine = Engine(SMALL)
    for command in commands_of(11, COMMANDS):
        engine.submit(command)
    elsewhere = np.zeros(1, reordered(engine.state.dtype))
    convert(engine.state, elsewhere)

    back = new_state(SMALL)
    convert(elsewhere, back)

    assert digest(back) == digest(engine.state)
    check_invariants(back)


def test_a_window_of_client_ids_that_came_around_stays_as_it_is_in_another_layout() -> None:
    state = opened()
    for number in range(1, SMALL.client_ids + 6):
        cancel = record(Op.CANCEL, account=1, client_order_id=number)
        run_all(state, np.concatenate([buy(1, 10, 1, client_order_id=number), cancel]))

    made = moved(state, SMALL)

    assert made[0]["ids_next"] == state[0]["ids_next"] > 0
    for name in ("ids", "id_bucket"):
        assert (made[0][name] == state[0][name]).all(), name


@pytest.mark.parametrize("field", ["cold.entry_ts", "ids.cum", "trade_count"])
def test_what_a_state_did_not_have_is_named_unless_somebody_says_what_it_was(field: str) -> None:
    state = opened()
    pool, _, name = field.rpartition(".")
    older = np.zeros(1, without(state.dtype, pool, name))
    convert(state, older)

    with pytest.raises(LayoutError, match=f"{field}: states of before have no such field"):
        convert(older, new_state(SMALL))


def without(dtype: Any, pool: str, field: str) -> np.dtype[Any]:
    """Return the layout of a state, or of the records of one of its pools, without a field."""

    def thinner(name: str) -> list[Any]:
        if name != pool:
            return [] if not pool and name == field else [(name, dtype[name])]
        base, shape = dtype[name].subdtype
        return [(name, [(each, base[each]) for each in base.names if each != field], shape)]

    return np.dtype([part for name in dtype.names for part in thinner(name)])
