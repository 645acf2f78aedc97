"""The window of movements' ids, and movements that no JSON line makes (exchange rules S4 and S20)."""

from random import Random
from typing import Any

import numpy as np
import pytest

from engine.trading.capacities import Capacities
from engine.trading.digest import digest
from engine.trading.kernels.convert import convert
from engine.trading.kernels.state import CLIENT_IDS_A_MOVE, MOVES_MIN, moves_max, new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import FEES, MONEY_MAX, EventKind, Op, Reason, Role, text_words, words_text
from tests.capacities import SMALL
from tests.engine.trading.command_records import currency, record, unlimited_account
from tests.engine.trading.state_reading import check_invariants
from tests.engine.trading.test_convert import without
from tests.oracle_money import WINDOW

FEW = Capacities(orders=512, instruments=8, accounts=128, currencies=8, positions=256, client_ids=2**9)
"""As SMALL, but of the smallest window; no kernel is run with it, for that would compile them all."""


def opened() -> Any:
    state = new_state(SMALL)
    accounts = [record(Op.ACCOUNT, account=account) for account in (1, 2)]
    run_all(state, np.concatenate([currency(b"USD"), *accounts, unlimited_account(3)]))
    return state


def deposit(number: int, **fields: object) -> np.ndarray:
    return movement(Op.DEPOSIT, b"id-%d" % number, **{"account": 1, **fields})


def movement(op: Op, given: bytes, **fields: object) -> np.ndarray:
    return record(op, **{"qty": 1, "text": text_words(given), **fields})


def reasons(state: Any, *commands: np.ndarray) -> list[int]:
    return [int(reason) for reason in run_all(state, np.concatenate(commands))["reason"]]


def test_the_oracle_knows_how_many_ids_are_remembered() -> None:
    assert moves_max(SMALL) == SMALL.client_ids // CLIENT_IDS_A_MOVE == WINDOW
    assert moves_max(FEW) == MOVES_MIN < WINDOW


def test_the_window_forgets_the_oldest_id_and_no_other() -> None:
    state = opened()

    filled = reasons(state, *map(deposit, range(WINDOW)))
    repeated = reasons(state, deposit(0), deposit(WINDOW - 1))
    one_more = reasons(state, deposit(WINDOW))
    after = reasons(state, deposit(1), deposit(0), deposit(1))

    assert filled == [Reason.NONE] * WINDOW
    assert repeated == [Reason.DUPLICATE] * 2
    assert one_more == [Reason.NONE]
    assert after == [Reason.DUPLICATE, Reason.NONE, Reason.NONE]  # 0 was forgotten, by its return 1 was
    check_invariants(state)


@pytest.mark.parametrize("seed", range(3))
def test_an_id_is_known_as_long_as_it_is_among_the_newest(seed: int) -> None:
    print(f"seed {seed}")
    random, state = Random(seed), opened()
    came: list[tuple[int, int, int]] = []
    commands, expected = [], []
    for _ in range(9 * WINDOW):
        op, account, number = random.choice((34, 35)), random.choice((1, 3)), random.randrange(WINDOW // 2)
        own = (op, account, number)
        is_known = own in came[-WINDOW:]
        if op == Op.WITHDRAW and account == 1 and not is_known:
            continue  # it may not have the money
        commands.append(movement(Op(op), b"%d" % number, account=account))
        expected.append(Reason.DUPLICATE if is_known else Reason.NONE)
        if not is_known:
            came.append(own)

    assert reasons(state, *commands) == expected
    assert len(came) > 2 * WINDOW
    check_invariants(state)


def test_ids_are_compared_whole() -> None:
    state, shared = opened(), b"eight-by"
    texts = [
        shared * 3,
        shared * 2,
        shared,
        shared * 2 + b"eight-bx",
        b"\1" + bytes(16),
        b"\1" + bytes(15) + b"\1",
    ]

    made = reasons(state, *(movement(Op.DEPOSIT, text, account=1) for text in (*texts[:4], texts[5])))

    assert made == [Reason.NONE] * 5
    assert reasons(state, movement(Op.DEPOSIT, texts[4], account=1)) == [Reason.NONE]
    assert (
        reasons(state, *(movement(Op.DEPOSIT, text, account=1) for text in texts)) == [Reason.DUPLICATE] * 6
    )


NO_TEXT = (0, 0, 0)
REFUSED: list[tuple[np.ndarray, Reason, int]] = [
    (deposit(1, version=2), Reason.BAD_VERSION, 1),
    (deposit(1, account=9, roles=Role.TRADER | Role.VIEWER), Reason.NOT_PERMITTED, 9),
    (movement(Op.WITHDRAW, b"w", account=3, roles=Role.TRADER), Reason.NOT_PERMITTED, 3),
    (movement(Op.TRANSFER, b"t", account=3, order_id=1, roles=Role.TRADER), Reason.NOT_PERMITTED, 3),
    (deposit(1, account=0), Reason.UNKNOWN_ACCOUNT, 0),
    (deposit(1, account=-5), Reason.UNKNOWN_ACCOUNT, -5),
    (movement(Op.WITHDRAW, b"w", account=FEES), Reason.UNKNOWN_ACCOUNT, FEES),
    (movement(Op.TRANSFER, b"t", account=9, order_id=8), Reason.UNKNOWN_ACCOUNT, 9),
    (movement(Op.TRANSFER, b"t", account=3, order_id=8), Reason.UNKNOWN_ACCOUNT, 8),
    (movement(Op.TRANSFER, b"t", account=3, order_id=-1), Reason.UNKNOWN_ACCOUNT, -1),
    (deposit(1, px=1), Reason.UNKNOWN_CURRENCY, 1),
    (deposit(1, px=-1), Reason.UNKNOWN_CURRENCY, 1),
    (deposit(1, px=MONEY_MAX), Reason.UNKNOWN_CURRENCY, 1),
    (deposit(1, text=NO_TEXT), Reason.INVALID_FIELD, 1),
    (deposit(1, qty=0), Reason.INVALID_FIELD, 1),
    (deposit(1, qty=-(2**63)), Reason.INVALID_FIELD, 1),
    (movement(Op.TRANSFER, b"t", account=3, order_id=3), Reason.INVALID_FIELD, 3),
    (movement(Op.TRANSFER, b"t", account=FEES, order_id=FEES), Reason.INVALID_FIELD, FEES),
    (deposit(1, qty=MONEY_MAX + 1), Reason.OVERFLOW, 1),
    (movement(Op.WITHDRAW, b"w", account=3, qty=2**63 - 1), Reason.OVERFLOW, 3),
    (movement(Op.WITHDRAW, b"w", account=1), Reason.INSUFFICIENT_FUNDS, 1),
    (movement(Op.TRANSFER, b"t", account=FEES, order_id=3), Reason.INSUFFICIENT_FUNDS, FEES),
]


@pytest.mark.parametrize("place", range(len(REFUSED)))
def test_what_is_refused_names_the_account_at_fault_and_changes_nothing(place: int) -> None:
    command, reason, account = REFUSED[place]
    state = opened()
    before = digest(state)

    (event,) = run_all(state, command)

    assert (event["kind"], event["reason"], event["account"]) == (EventKind.REJECTED, reason, account)
    assert event["text"].tolist() == command["text"][0].tolist()
    assert (event["order_id"], event["instrument"]) == (0, -1)
    for name in ("seq", "event_count", "event_hash", "slot_count"):
        state[0][name] = opened()[0][name]
    assert digest(state) == before


def test_a_repeat_names_the_movement_that_had_the_id() -> None:
    state = opened()

    events = run_all(
        state, np.concatenate([deposit(1), deposit(1, qty=7), movement(Op.WITHDRAW, b"id-1", account=1)])
    )

    assert events["kind"].tolist() == [EventKind.MOVED, EventKind.REJECTED, EventKind.MOVED]
    assert events["reason"][1] == Reason.DUPLICATE
    assert events["order_id"][1] == events["seq"][0] == 5
    assert state[0]["balances"][0, 0]["total"] == 0


def moved_to(state: Any, capacities: Capacities) -> Any:
    made = new_state(capacities)
    convert(state, made)
    check_invariants(made)
    return made


def ids_of(state: Any) -> list[bytes]:
    """Return the ids that are remembered, the oldest first."""
    s = state[0]
    used = s["moves"][: s["moves_used"]]
    return [words_text(each["words"]) for each in sorted(used, key=lambda each: int(each["seq"]))]


@pytest.mark.parametrize("count", [3, WINDOW, WINDOW + 5])
def test_a_window_in_another_size_keeps_the_newest_ids(count: int) -> None:
    state = opened()
    reasons(state, *map(deposit, range(count)))
    known = [b"id-%d" % number for number in range(count)][-WINDOW:]

    fewer, more = moved_to(state, FEW), moved_to(state, Capacities())
    back = moved_to(more, SMALL)

    assert ids_of(fewer) == known[-MOVES_MIN:]
    assert ids_of(more) == ids_of(back) == known
    assert reasons(back, deposit(count - 1), deposit(count)) == [Reason.DUPLICATE, Reason.NONE]
    check_invariants(back)


def test_a_state_that_had_no_window_gets_an_empty_one() -> None:
    state = opened()
    reasons(state, deposit(1))
    older = state
    for name in ("moves", "moves_used", "moves_next", "move_bucket"):
        thinner = np.zeros(1, without(older.dtype, "", name))
        for each in thinner.dtype.names:
            thinner[each] = older[each]
        older = thinner

    made = moved_to(older, SMALL)

    assert ids_of(made) == []
    assert made[0]["balances"][0, 0]["total"] == 1
    assert reasons(made, deposit(1), deposit(1)) == [Reason.NONE, Reason.DUPLICATE]
