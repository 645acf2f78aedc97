"""The sweep: every holder of what changed is valued, in turn, and none has to wait for ever."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.trading.kernels.apply import NEVER, next_due
from engine.trading.kernels.watch_records import SWEPT
from ringbuf.kernel import COMPILED
from tests.engine.trading import state_reading
from tests.engine.trading.comparison import compare
from tests.engine.trading.engine_side import Engine

Command = dict[str, Any]
SYMBOLS = ("AAA", "BBB", "CCC")
CROWD = range(10, 70)
DEALER = 1


def setting(symbols: tuple[str, ...] = SYMBOLS) -> Iterator[Command]:
    yield {"op": "currency", "currency": "USD", "decimals": 2}
    for symbol in symbols:
        listing = {"tick_size": "0.01", "lot_size": "1", "base": "USD", "quote": "USD"}
        yield {"op": "instrument", "symbol": symbol, **listing}
    yield {"op": "account", "account": DEALER, "unlimited": True}


def holding(account: int, symbol: str, lots: int, limit: str) -> Iterator[Command]:
    """A watched account that bought from the dealer at 10."""
    yield {"op": "account", "account": account, "deposit": {"USD": "100000"}}
    for trader, side in ((DEALER, "sell"), (account, "buy")):
        yield {
            **{"op": "new", "account": trader, "symbol": symbol, "side": side},
            **{"price": "10", "quantity": str(lots)},
        }
    yield {"op": "limits", "account": account, "max_drawdown": limit}


def crowd_stream(seed: int, count: int) -> list[Command]:
    """Sixty watched accounts in three instruments, whose marks and last prices move all the time."""
    random = Random(seed)
    commands = [*setting()]
    for account in CROWD:
        symbol = random.choice(SYMBOLS)
        commands += holding(account, symbol, random.randint(1, 20), str(random.randint(1, 60)))
    for number in range(count):
        roll, symbol = random.random(), random.choice(SYMBOLS)
        price, account = f"{random.randint(900, 1100) / 100}", random.choice(CROWD)
        if roll < 0.2:
            commands.append({"op": "mark", "symbol": SYMBOLS[0], "price": price})
        elif roll < 0.65:
            side = random.choice(("buy", "sell"))
            who = random.choice((DEALER, account))
            commands.append(
                {
                    **{"op": "new", "account": who, "symbol": symbol, "side": side},
                    **{"price": price, "quantity": str(random.randint(1, 9))},
                }
            )
        elif roll < 0.75:
            commands.append({"op": "reset_latch", "account": account, "rebase": random.random() < 0.7})
        elif roll < 0.85:
            limit = random.choice((None, str(random.randint(1, 60))))
            commands.append({"op": "limits", "account": account, "max_drawdown": limit})
        elif roll < 0.87:
            commands.append({"op": "session_start"})
        else:
            commands.append({"op": "time", "now": number})
    return commands


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_is_swept_as_the_oracle_says(seed: int) -> None:
    found = compare(crowd_stream(seed, 1500))

    assert found is None, found.told()


def due(engine: Engine) -> int:
    """Return when the engine wants a TICK."""
    function = next_due.py_func if COMPILED else next_due
    return int(function(engine.state.view(np.recarray)[0]))


def worths(engine: Engine, px: int) -> int:
    """Return how many stakes of one lot are worth `px` hundredths."""
    s = engine.state[0]
    return int(np.count_nonzero(s["stakes"]["worth"][: int(s["positions_used"])] == px))


def watched(holders: dict[str, int]) -> Engine:
    engine = Engine()
    for command in setting():
        engine.submit(command)
    account = 10
    for symbol, count in holders.items():
        for _ in range(count):
            for command in holding(account, symbol, 1, "1000"):
                engine.submit(command)
            account += 1
    while due(engine) != NEVER:
        engine.submit({"op": "time", "now": 0})
    return engine


def test_a_mark_reaches_sixteen_holders_a_command() -> None:
    engine = watched({"AAA": 50})

    engine.submit({"op": "mark", "symbol": "AAA", "price": "12"})
    assert worths(engine, 1200) == 0
    reached = []
    while due(engine) != NEVER:
        assert due(engine) == engine.state[0]["eng_ts"], "a TICK is wanted at once"
        engine.submit({"op": "time", "now": 0})
        reached.append(worths(engine, 1200))

    assert SWEPT == 16
    assert reached == [16, 32, 48, 50]


def test_a_new_mark_does_not_begin_anew() -> None:
    """Who was not valued at the mark before is valued first at the new one."""
    engine = watched({"AAA": 40})

    engine.submit({"op": "mark", "symbol": "AAA", "price": "12"})
    engine.submit({"op": "mark", "symbol": "AAA", "price": "13"})  # its head values 16 at 12
    engine.submit({"op": "time", "now": 0})

    assert (worths(engine, 1200), worths(engine, 1300), worths(engine, 1000)) == (16, 16, 8)


def test_an_instrument_whose_mark_moves_all_the_time_starves_no_other() -> None:
    """A holder is late by the positions in rounds under way, sixteen a command, and a visit at most."""
    engine = watched({"AAA": 40, "BBB": 30, "CCC": 3})
    for symbol in ("BBB", "CCC"):
        engine.submit({"op": "mark", "symbol": symbol, "price": "12"})

    commands = 0
    while worths(engine, 1200) < 33:
        price = f"{13 + commands / 100:.2f}"
        engine.submit({"op": "mark", "symbol": "AAA", "price": price})
        commands += 1

    assert commands <= (40 + 30 + 3) // 16 + 1
    state_reading.check_invariants(engine.state)


def test_what_leaves_in_the_middle_of_a_round_takes_nobodys_turn() -> None:
    engine = watched({"AAA": 40})
    engine.submit({"op": "mark", "symbol": "AAA", "price": "12"})
    engine.submit({"op": "time", "now": 0})

    for account in (*range(10, 20), *range(24, 30)):
        engine.submit({"op": "limits", "account": account, "max_drawdown": None})
        state_reading.check_invariants(engine.state)
    while due(engine) != NEVER:
        engine.submit({"op": "time", "now": 0})

    assert worths(engine, 1200) == 40 - 16
