"""What must hold after every command, whatever the commands are."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from engine.trading.digest import digest
from engine.trading.kernels.state import LEAVES_KNOWN, NODE_WAYS, new_state
from engine.trading.offline.simulate import replica_over, run_all, sequenced
from engine.trading.records import Op, Phase, Reason, Side
from tests.capacities import SMALL
from tests.engine.trading import state_reading
from tests.engine.trading.command_records import buy, currency, instrument, record, unlimited_account
from tests.engine.trading.engine_side import Engine
from tests.engine.trading.ledger import Ledger
from tests.flow_strategies import Command, streams
from tests.flows import commands_of

Check = Callable[[Any], None]
FLOW_SEED = 11
FLOW_COMMANDS = 3_000


@pytest.fixture(scope="module")
def recorded() -> np.ndarray:
    """A flow as the COMMAND records that got a number."""
    engine = Engine()
    for command in commands_of(FLOW_SEED, FLOW_COMMANDS):
        engine.submit(command)
    return engine.recorded()


def assert_not_crossed(state: Any) -> None:
    s = state[0]
    for book in s["books"][: s["books_used"]]:
        bid, ask = int(book["best"][Side.BUY]) - 1, int(book["best"][Side.SELL]) - 1
        if book["phase"] == Phase.CONTINUOUS and bid >= 0 and ask >= 0:
            assert s["levels"][bid]["px"] < s["levels"][ask]["px"]


def assert_money_is_conserved(state: Any) -> None:
    assert state_reading.money_is_conserved(state)


def assert_versions_are_even(state: Any) -> None:
    assert not np.any(state[0]["version"] % 2)
    assert state[0]["opened_count"] == 0


CHECKS: tuple[Check, ...] = (
    assert_not_crossed,
    assert_money_is_conserved,
    assert_versions_are_even,
    state_reading.check_invariants,
)


@settings(max_examples=60, deadline=None)
@given(streams(25))
def test_every_invariant_holds_after_every_command_of_a_short_stream(commands: list[Command]) -> None:
    engine = Engine()

    for command in commands:
        engine.submit(command)

        for check in CHECKS:
            check(engine.state)


def test_books_are_never_crossed_and_money_is_conserved_throughout_a_flow(recorded: np.ndarray) -> None:
    state = new_state(SMALL)

    for position in range(len(recorded)):
        run_all(state, recorded[position : position + 1])

        assert_not_crossed(state)
        assert_money_is_conserved(state)
        assert_versions_are_even(state)


def test_quantity_is_conserved_and_makers_trade_in_order_of_price_and_arrival(recorded: np.ndarray) -> None:
    state, ledger = new_state(SMALL), Ledger()

    for position in range(len(recorded)):
        events = run_all(state, recorded[position : position + 1])
        ledger.command(recorded[position], events)

    s = state[0]
    resting = s["hot"][: s["orders_used"]]
    assert {int(row["order_id"]): int(row["leaves"]) for row in resting if row["order_id"]} == {
        order_id: entry.leaves for order_id, entry in ledger.live.items()
    }


def test_replay_gives_the_same_events_and_the_same_digest(recorded: np.ndarray) -> None:
    first, second = new_state(SMALL), new_state(SMALL)

    events, again = run_all(first, recorded), run_all(second, recorded)

    assert events.tobytes() == again.tobytes()
    assert digest(first) == digest(second)
    assert first[0]["event_hash"] == second[0]["event_hash"]


def test_the_digest_tells_states_apart(recorded: np.ndarray) -> None:
    whole, shorter = new_state(SMALL), new_state(SMALL)

    run_all(whole, recorded)
    run_all(shorter, recorded[:-1])

    assert digest(whole) != digest(shorter)


@pytest.mark.parametrize("seed", range(3))
def test_how_commands_are_cut_into_batches_does_not_matter(recorded: np.ndarray, seed: int) -> None:
    random = Random(seed)
    whole, cut = new_state(SMALL), new_state(SMALL)
    expected = run_all(whole, recorded)

    parts, position = [], 0
    while position < len(recorded):
        count = random.choice((1, 2, 7, 64, 500))
        parts.append(run_all(cut, recorded[position : position + count]))
        position += count

    assert np.concatenate(parts).tobytes() == expected.tobytes()
    assert digest(cut) == digest(whole)


@pytest.mark.parametrize("room", [3, 20])
def test_events_that_do_not_fit_the_room_wait_in_the_state(recorded: np.ndarray, room: int) -> None:
    expected = run_all(new_state(SMALL), recorded)
    state = new_state(SMALL)
    replica = replica_over(state)
    replica._events = replica._events[:room]

    events = replica.apply(sequenced(recorded, state))

    assert events.tobytes() == expected.tobytes()


@pytest.mark.parametrize("seed", range(2))
def test_notes_of_the_hints_decide_nothing(recorded: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    expected = run_all(new_state(SMALL), recorded)
    state, parts = new_state(SMALL), []
    hints = state[0]["hints"]

    for position in range(len(recorded)):
        hints["account"] = random.integers(-1, SMALL.accounts + 9, len(hints))
        hints["order"] = random.integers(-1, SMALL.orders + 9, len(hints))
        for bucket in ("live", "ended", "position"):
            hints[bucket] = random.integers(0, 2**31, len(hints))
        parts.append(run_all(state, recorded[position : position + 1]))

    assert np.concatenate(parts).tobytes() == expected.tobytes()


def test_what_is_noted_of_an_order_that_has_ended_does_not_bring_it_back() -> None:
    state = new_state(SMALL)
    commands = [currency(b"USD"), instrument(b"A"), unlimited_account(1), buy(1, 10, 1, client_order_id=7)]
    run_all(state, np.concatenate(commands))
    cancel = record(Op.CANCEL, account=1, client_order_id=7)
    assert len(run_all(state, cancel)) == 1

    hints = state[0]["hints"]
    hints["account"], hints["order"] = 0, 0
    (refused,) = run_all(state, cancel)

    assert refused["reason"] == Reason.UNKNOWN_ORDER


@pytest.mark.parametrize("seed", range(3))
def test_levels_are_found_whatever_prices_somebody_spreads(seed: int) -> None:
    random = Random(seed)
    sharing = range(5, 2**15, LEAVES_KNOWN * NODE_WAYS)  # prices whose leaves have one place to be known at
    prices = sorted({*range(1, 70), *(1 << bit for bit in range(39)), *sharing})
    state = new_state(SMALL)
    run_all(state, np.concatenate([currency(b"USD"), instrument(b"A", px=2**39), unlimited_account(1)]))
    live: dict[int, int] = {}

    for number in range(1, 400):
        if live and random.random() < 0.5:
            gone = random.choice(list(live))
            del live[gone]
            run_all(state, record(Op.CANCEL, account=1, client_order_id=gone))
        else:
            live[number] = random.choice(prices)
            run_all(state, buy(1, live[number], 1, client_order_id=number))
        state_reading.check_invariants(state)

    s = state[0]
    book = s["books"][0]
    found = [int(level["px"]) for level in state_reading.levels_of(s, book, Side.BUY)]
    assert found == sorted(set(live.values()), reverse=True)
