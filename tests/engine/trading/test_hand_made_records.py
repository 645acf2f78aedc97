"""Records that no JSON line makes are refused by the kernel itself, in the order of exchange rule S3."""

import numpy as np
import pytest

from engine.trading.digest import digest
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import (
    ALL_INSTRUMENTS,
    CommandFlag,
    EventKind,
    KillScope,
    Op,
    OrderType,
    Phase,
    Reason,
    Role,
    Side,
    SizingMethod,
)
from tests.capacities import SMALL
from tests.engine.trading.command_records import buy, currency, instrument, order, record, unlimited_account

OPENED = np.concatenate([currency(b"USD"), instrument(b"A"), unlimited_account(1)])
FIXED_NOTIONAL = int(SizingMethod.FIXED_NOTIONAL)
VIEWER = Role.VIEWER
VIEWER_AND_OPERATOR = Role.VIEWER | Role.OPERATOR
VIEWER_AND_TRADER = Role.VIEWER | Role.TRADER
REFUSED = [
    (buy(1, 10, 1, version=2), Reason.BAD_VERSION),
    (buy(9, 10, 1, version=0), Reason.BAD_VERSION),
    (buy(9, 10, 1, roles=Role.VIEWER), Reason.UNKNOWN_ACCOUNT),
    (buy(1, 10, 1, roles=VIEWER_AND_OPERATOR), Reason.NOT_PERMITTED),
    (record(Op.CANCEL, account=1, order_id=1, roles=Role.OPERATOR), Reason.NOT_PERMITTED),
    (record(Op.REPLACE, account=1, order_id=1, roles=Role.VIEWER), Reason.NOT_PERMITTED),
    (record(Op.MASS_CANCEL, account=1, instrument=ALL_INSTRUMENTS, roles=Role.VIEWER), Reason.NOT_PERMITTED),
    (record(Op.SESSION_END, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.PHASE, value=Phase.HALTED, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.LIMITS, instrument=0, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.MARK, px=5, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.ACCOUNT, account=5, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.KILL, value=KillScope.ACCOUNT, account=1, version=0), Reason.BAD_VERSION),
    (record(Op.KILL, value=KillScope.ACCOUNT, account=1, roles=VIEWER), Reason.NOT_PERMITTED),
    (record(Op.KILL, value=KillScope.INSTRUMENT, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (record(Op.KILL, value=KillScope.VENUE, roles=VIEWER_AND_TRADER), Reason.NOT_PERMITTED),
    (
        record(Op.RESET_LATCH, value=KillScope.ACCOUNT, account=1, roles=VIEWER_AND_TRADER),
        Reason.NOT_PERMITTED,
    ),
    (record(Op.KILL, value=KillScope.ORDER, order_id=1), Reason.UNKNOWN_ORDER),
    (record(Op.KILL, value=KillScope.ORDER, order_id=0), Reason.UNKNOWN_ORDER),
    (record(Op.KILL, value=KillScope.ACCOUNT, account=9), Reason.UNKNOWN_ACCOUNT),
    (record(Op.KILL, value=KillScope.INSTRUMENT, instrument=7), Reason.UNKNOWN_INSTRUMENT),
    (record(Op.KILL, value=KillScope.INSTRUMENT, instrument=-1), Reason.UNKNOWN_INSTRUMENT),
    (record(Op.KILL, value=0), Reason.INVALID_FIELD),
    (record(Op.KILL, value=7), Reason.INVALID_FIELD),
    (record(Op.KILL, value=KillScope.GROUP, account=9), Reason.UNKNOWN_GROUP),
    (record(Op.RESET_LATCH, value=KillScope.ORDER, order_id=1), Reason.INVALID_FIELD),
    (record(Op.RESET_LATCH, value=KillScope.VENUE), Reason.NOT_LATCHED),
    (order(1, 1, Side.BUY, 10, 1), Reason.UNKNOWN_INSTRUMENT),
    (order(1, -1, Side.BUY, 10, 1), Reason.UNKNOWN_INSTRUMENT),
    (record(Op.MASS_CANCEL, account=1, instrument=7), Reason.UNKNOWN_INSTRUMENT),
    (record(Op.PHASE, instrument=7, value=Phase.HALTED), Reason.UNKNOWN_INSTRUMENT),
    (record(Op.MARK, instrument=-5, px=1), Reason.UNKNOWN_INSTRUMENT),
    (order(1, 0, 0, 10, 1), Reason.INVALID_SIDE),
    (order(1, 0, 3, 10, 1), Reason.INVALID_SIDE),
    (record(Op.MASS_CANCEL, account=1, instrument=ALL_INSTRUMENTS, side=3), Reason.INVALID_SIDE),
    (buy(1, 10, 1, order_type=0), Reason.INVALID_TYPE),
    (buy(1, 10, 1, order_type=7), Reason.INVALID_TYPE),
    (buy(1, 10, 1, time_in_force=0), Reason.INVALID_TIME_IN_FORCE),
    (buy(1, 10, 1, time_in_force=6), Reason.INVALID_TIME_IN_FORCE),
    (buy(1, 10, 1, stp_mode=0), Reason.INVALID_FIELD),
    (buy(1, 10, 1, stp_mode=6), Reason.INVALID_FIELD),
    (buy(1, 10, 1, flags=64), Reason.INVALID_FIELD),
    (buy(1, 10, 1, order_type=OrderType.TRAILING_STOP), Reason.UNSUPPORTED),
    (buy(1, 10, 1, flags=CommandFlag.SIZED), Reason.INVALID_FIELD),
    (buy(1, 10, 0, flags=CommandFlag.SIZED, order_id=FIXED_NOTIONAL), Reason.INVALID_FIELD),
    (buy(1, 10, 9, flags=CommandFlag.SIZED, order_id=FIXED_NOTIONAL), Reason.INVALID_QUANTITY),
    (buy(1, 10, 1, flags=CommandFlag.SIZED, order_id=255), Reason.INVALID_FIELD),
    (buy(1, 10, 1, flags=CommandFlag.SIZED, order_id=-1), Reason.INVALID_FIELD),
    (buy(1, 0, 9, flags=CommandFlag.SIZED, order_id=FIXED_NOTIONAL), Reason.INVALID_PRICE),
    (record(Op.PHASE, value=0), Reason.INVALID_FIELD),
    (record(Op.PHASE, value=10), Reason.INVALID_FIELD),
    (record(Op.SESSION_DOWN, session=1), Reason.UNSUPPORTED),
    (record(99), Reason.UNKNOWN_OP),
    (record(0), Reason.UNKNOWN_OP),
    (record(-1), Reason.UNKNOWN_OP),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED)
def test_a_record_out_of_order_is_refused_and_changes_nothing(command: np.ndarray, reason: Reason) -> None:
    state, untouched = new_state(SMALL), new_state(SMALL)
    run_all(state, OPENED)
    run_all(untouched, OPENED)

    events = run_all(state, command)

    assert [(int(event["kind"]), int(event["reason"])) for event in events] == [(EventKind.REJECTED, reason)]
    for name in ("seq", "event_count", "slot_count", "event_hash"):  # what a refusal does move
        untouched[0][name] = state[0][name]
    assert digest(state) == digest(untouched)


def test_a_tick_makes_no_event_and_takes_a_number() -> None:
    state = new_state(SMALL)

    events = run_all(state, np.concatenate([record(Op.TICK), record(Op.TIME, value=5)]))

    assert len(events) == 0
    assert (state[0]["seq"], state[0]["eng_ts"]) == (2, 5)
