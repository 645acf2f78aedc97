"""A command that reaches a capacity is refused by name; nothing grows or wraps (design decision D8)."""

from typing import Any

import numpy as np

from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import EventKind, Op, Reason, Side
from tests.capacities import SMALL
from tests.engine.trading.command_records import buy, currency, instrument, order, record, unlimited_account
from tests.engine.trading.state_reading import check_invariants

CHAIN_MAX = 64
OPENED = (currency(b"USD"), instrument(b"A"), unlimited_account(1))


def opened() -> Any:
    state = new_state(SMALL)
    run_all(state, np.concatenate(OPENED))
    return state


def reasons(state: Any, commands: list[np.ndarray]) -> list[int]:
    """Apply the commands; return the reasons of their events."""
    return [int(reason) for reason in run_all(state, np.concatenate(commands))["reason"]]


def come_and_go(client_order_id: int) -> list[np.ndarray]:
    """An order that is entered and cancelled."""
    cancel = record(Op.CANCEL, account=1, client_order_id=client_order_id)
    return [buy(1, 10, 1, client_order_id=client_order_id), cancel]


def test_orders_beyond_the_capacity_are_refused_until_one_leaves() -> None:
    state = opened()
    assert not any(reasons(state, [buy(1, 10, 1) for _ in range(SMALL.orders)]))

    refused = reasons(state, [buy(1, 10, 1)])
    freed = reasons(state, [record(Op.CANCEL, account=1, order_id=100), buy(1, 10, 1)])

    assert refused == [Reason.ORDERS_FULL]
    assert freed == [Reason.USER, Reason.NONE]
    check_invariants(state)


def test_every_order_on_a_price_of_its_own_still_fits() -> None:
    state = opened()

    made = reasons(state, [buy(1, 1 + 7919 * position, 1) for position in range(SMALL.orders)])

    assert not any(made)
    check_invariants(state)


def test_instruments_accounts_and_currencies_are_refused_beyond_their_capacity() -> None:
    state = opened()

    instruments = reasons(state, [instrument(b"I%d" % number) for number in range(SMALL.instruments)])
    accounts = reasons(state, [unlimited_account(2 + number) for number in range(SMALL.accounts)])
    currencies = reasons(state, [currency(b"C%d" % number) for number in range(SMALL.currencies)])

    assert [reason for reason in instruments if reason] == [Reason.INSTRUMENTS_FULL]
    assert [reason for reason in accounts if reason] == [Reason.ACCOUNTS_FULL]
    assert [reason for reason in currencies if reason] == [Reason.CURRENCIES_FULL]
    check_invariants(state)


def test_positions_are_refused_beyond_their_capacity() -> None:
    state = opened()
    reasons(state, [instrument(b"I%d" % number) for number in range(SMALL.instruments - 1)])
    reasons(state, [unlimited_account(2 + number) for number in range(SMALL.accounts - 1)])

    everywhere = [
        order(account, where, Side.BUY, 10, 1)
        for account in range(1, SMALL.accounts + 1)
        for where in range(SMALL.instruments)
    ]
    made = reasons(state, everywhere)

    assert made[: SMALL.positions] == [Reason.NONE] * SMALL.positions
    assert set(made[SMALL.positions :]) == {Reason.POSITIONS_FULL}
    check_invariants(state)


def test_client_ids_chosen_to_collide_are_refused_beyond_a_chain() -> None:
    state = opened()
    stride = SMALL.client_ids  # equal low bits: one bucket

    made = reasons(
        state, [buy(1, 10, 1, client_order_id=stride * (1 + number)) for number in range(CHAIN_MAX + 1)]
    )

    assert made == [*[Reason.NONE] * CHAIN_MAX, Reason.CLIENT_IDS_FULL]
    check_invariants(state)


def test_the_window_forgets_the_id_that_ended_first_and_never_a_live_one() -> None:
    state = opened()
    reasons(state, [buy(1, 10, 1, client_order_id=1)])  # stays live
    reasons(state, [each for number in range(2, 2 + SMALL.client_ids) for each in come_and_go(number)])

    full = run_all(state, np.concatenate([buy(1, 10, 1, client_order_id=number) for number in (1, 2)]))
    reasons(
        state, [buy(1, 10, 1, client_order_id=10**6), record(Op.CANCEL, account=1, client_order_id=10**6)]
    )
    after = run_all(state, np.concatenate([buy(1, 10, 1, client_order_id=number) for number in (1, 3, 2)]))

    assert full["reason"].tolist() == [Reason.DUPLICATE, Reason.DUPLICATE]
    assert after["reason"].tolist() == [Reason.DUPLICATE, Reason.DUPLICATE, Reason.NONE]
    assert after["kind"][2] == EventKind.ACCEPTED
    check_invariants(state)
