"""A state of an earlier layout becomes the state that the same commands lead to now, byte for byte."""

from typing import Any

import numpy as np
import pytest

from engine.contract.records import copy_by_name
from engine.trading.digest import first_difference
from engine.trading.kernels.convert import convert
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, Op
from tests.capacities import SMALL
from tests.engine.trading.command_records import (
    buy,
    currency,
    instrument,
    record,
    unlimited_account,
)
from tests.engine.trading.state_reading import check_invariants

NARROW = ("maker_ppm", "taker_ppm", "rev", "session")
FLAGS = ("side", "time_in_force", "stp_mode", "post_only", "ring", "has_text", "is_counted")
WIDE_BEFORE: dict[str, list[Any]] = {
    "accounts": [
        *((name, "<i8") for name in ("account", "enabled", "order_rate", "order_burst")),
        *((name, "<i8", (2,)) for name in ("rate_used", "rate_ts")),
        *((name, "<i8") for name in ("next", "unlimited", "open_orders", "positions_head")),
        *((name, "<i8") for name in ("max_open_orders", "max_position")),
    ],
    "hot": [
        (name, "<i8") for name in ("order_id", "leaves", "next", "prev", "px", "level", "account", "position")
    ],
    "cold": [
        *((name, "<i8") for name in ("client_order_id", "qty", "cum", "notional", "instrument")),
        *((name, "<i4") for name in NARROW),
        *((name, "<i1") for name in FLAGS),
        ("text", "<i8", (3,)),
        *((name, "<i8") for name in ("next", "id_next", "entry_ts")),
    ],
}
"""What an account and an order were until decision 29."""


def as_before(state: Any) -> Any:
    """Return the same state as it was laid out until decision 29."""
    fields: list[Any] = []
    for name in state.dtype.names:
        kind = state.dtype.fields[name][0]
        if name in WIDE_BEFORE:
            fields.append((name, np.dtype(WIDE_BEFORE[name]), kind.shape))
        elif name != "texts" and not name.startswith("pad"):
            fields.append((name, kind))
    old = np.zeros(1, np.dtype(fields))
    copy_by_name(state, old)
    cold, hot = old[0]["cold"], state[0]["hot"]
    cold["instrument"], cold["next"], cold["id_next"] = hot["instrument"], hot["chain"], hot["id_chain"]
    cold["text"] = state[0]["texts"]["words"]
    return old


def random_commands(seed: int) -> np.ndarray:
    """Return orders with and without an id or a text, whose slots are used again and again."""
    random = np.random.default_rng(seed)
    made = [currency(b"USD"), instrument(b"A"), instrument(b"B"), *map(unlimited_account, (1, 2, 3))]
    for number in range(1, 1200):
        account = int(random.integers(1, 4))
        if random.random() < 0.45:
            op = "REPLACE" if random.random() < 0.3 else "CANCEL"
            made.append(changed(op, account, int(random.integers(7, number + 7)), random))
            continue
        order = buy(account, int(random.integers(1, 60)), int(random.integers(1, 9)))
        order["side"] = random.integers(1, 3)
        order["instrument"] = random.integers(0, 2)
        order["client_order_id"] = number if random.random() < 0.7 else 0
        if random.random() < 0.2:
            order["text"] = random.integers(0, 3, 3)
        made.append(order)
    return np.concatenate(made)


def changed(name: str, account: int, order_id: int, random: Any) -> np.ndarray:
    """Return a command that names an order by the engine's number, of whoever it may be."""
    made = record(Op[name], account=account, order_id=order_id)
    made["px"], made["qty"] = random.integers(1, 60), random.integers(1, 9)
    return made


@pytest.mark.parametrize("seed", range(12))
def test_a_state_of_before_becomes_the_state_that_the_same_commands_lead_to(seed: int) -> None:
    print(f"seed {seed}")
    state, made = new_state(SMALL), new_state(SMALL)
    commands = random_commands(seed)
    assert commands.dtype == COMMAND
    run_all(state, commands)

    convert(as_before(state), made)

    check_invariants(made)
    assert first_difference(state, made) == ""


SINCE_MARGIN = {
    "cold": {"reduce_only"},
    "watches": {"reducers"},
    "books": {"initial_ppm", "maintenance_ppm"},
    "": {"reducings", "reducers", "valued"},
}
"""Fields that came with reduce-only orders and margin, by record."""


def without(kind: Any, within: str = "") -> Any:
    """Return a dtype without them."""
    fields: list[Any] = []
    for name in kind.names:
        if name not in SINCE_MARGIN.get(within, set()):
            of = kind.fields[name][0]
            base, shape = of.subdtype or (of, ())
            fields.append((name, without(base, name) if base.names and not within else base, shape))
    return np.dtype(fields)


def test_a_state_before_margin_asks_for_the_whole_value_in_every_instrument() -> None:
    state, made = new_state(SMALL), new_state(SMALL)
    run_all(state, random_commands(3))
    old = np.zeros(1, without(state.dtype))
    copy_by_name(state, old)

    convert(old, made)

    check_invariants(made)
    assert first_difference(state, made) == ""
    used = int(made[0]["books_used"])
    assert made[0]["books"]["initial_ppm"].tolist() == [1_000_000] * used + [0] * (
        len(made[0]["books"]) - used
    )
