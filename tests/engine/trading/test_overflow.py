"""No sum that trading can drive up passes 2**62: the command that would is refused (exchange rule S1)."""

import numpy as np

from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import MONEY_MAX, Op, Reason, Side
from tests.capacities import SMALL
from tests.engine.trading.command_records import currency, instrument, order, record, unlimited_account

LARGEST = 2**31 - 1  # px and qty whose product is close to 2**62
LARGE_PX, LARGE_QTY = 2**31 - 1, 2**29
A, B = 0, 1


def opened(fee_ppm: int = 0) -> list[np.ndarray]:
    """Two instruments at the edge of the numbers, three accounts that owe what they like."""
    instruments = [instrument(name, fee_ppm, px=LARGEST, qty=LARGEST) for name in (b"A", b"B")]
    return [currency(b"USD"), *instruments, *(unlimited_account(account) for account in (1, 2, 3))]


def test_the_cost_of_a_position_never_passes_the_largest_number() -> None:
    # Account 1 buys A with what it gets for B: its balance stays near zero while both costs grow.
    rounds = [
        command
        for _ in range(16)
        for command in (
            order(2, A, Side.SELL, LARGE_PX, LARGE_QTY),
            order(1, A, Side.BUY, LARGE_PX, LARGE_QTY),
            order(1, B, Side.SELL, LARGE_PX, LARGE_QTY),
            order(2, B, Side.BUY, LARGE_PX, LARGE_QTY),
        )
    ]
    state = new_state(SMALL)

    events = run_all(state, np.concatenate([*opened(), *rounds]))

    costs = state[0]["positions"]["cost"]
    assert costs.min() >= 0
    assert costs.max() <= MONEY_MAX
    assert Reason.OVERFLOW in events["reason"]


def test_realised_profit_never_passes_the_largest_number() -> None:
    # Account 1 gains on A what it loses on B, over and over, against account 2.
    gain = [
        (1, A, Side.BUY, 1),
        (2, A, Side.SELL, 1),
        (1, A, Side.SELL, LARGE_PX),
        (2, A, Side.BUY, LARGE_PX),
        (1, B, Side.BUY, LARGE_PX),
        (2, B, Side.SELL, LARGE_PX),
        (1, B, Side.SELL, 1),
        (2, B, Side.BUY, 1),
    ]
    rounds = [
        order(account, what, side, px, LARGE_QTY) for _ in range(12) for account, what, side, px in gain
    ]
    state = new_state(SMALL)

    events = run_all(state, np.concatenate([*opened(), *rounds]))

    realised = state[0]["positions"]["realised"].tolist()
    assert all(abs(each) <= MONEY_MAX for each in realised)
    assert Reason.OVERFLOW in events["reason"]


def test_a_replacement_that_trades_cannot_drive_the_fee_account_past_int64() -> None:
    # Fees of the whole notional, both sides: the first trade brings the house close to 2**62.
    qty = 2**30
    commands = [
        order(1, A, Side.SELL, LARGEST, qty),
        order(3, A, Side.SELL, LARGEST, qty),
        order(2, A, Side.BUY, LARGEST // 2, qty),
        order(3, A, Side.SELL, LARGEST // 2, qty),
        order(2, A, Side.BUY, LARGEST // 2, qty),
        record(Op.REPLACE, account=1, order_id=7, px=LARGEST // 2),
        order(2, A, Side.BUY, LARGEST // 2, qty),
        record(Op.REPLACE, account=3, order_id=8, px=LARGEST // 2),
    ]
    state = new_state(SMALL)

    run_all(state, np.concatenate([*opened(1_000_000), *commands]))

    assert 0 <= int(state[0]["currencies"]["fees"][0]) <= 2**63 - 1
    balances = state[0]["balances"][0, :3]["total"].tolist()
    assert sum(balances) + int(state[0]["currencies"]["fees"][0]) == 0
