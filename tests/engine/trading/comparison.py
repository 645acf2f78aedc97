"""The oracle and the engine side by side: the first difference, in a stream made as short as it gets."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.engine.trading import state_reading
from tests.engine.trading.engine_side import Engine
from tests.flow_venue import PREAMBLE, Command
from tests.flows import Flow
from tests.oracle import Exchange

CHECKED_EVERY = 1000  # commands between two full checks of the state
SHRINK_RUNS = 300
CONTEXT = 12


@dataclass
class Difference:
    """Where the two part: the commands up to there, and what each of them said."""

    commands: list[Command]
    oracle: Any
    engine: Any

    def told(self) -> str:
        lines = [f"after {len(self.commands)} commands, the last of them"]
        lines += [json.dumps(command) for command in self.commands[-CONTEXT:]]
        lines += [f"oracle: {json.dumps(self.oracle)}", f"engine: {json.dumps(self.engine)}"]
        return "\n".join(lines)


def standing_of_oracle(exchange: Exchange) -> dict[str, Any]:
    """Return books, money, fees and positions as the oracle has them."""
    return {
        "books": exchange.books(),
        "money": {
            number: {
                code: (account.money.get(code, 0), account.reserved(code))
                for code in exchange.decimals
                if account.money.get(code, 0) or account.reserved(code)
            }
            for number, account in exchange.accounts.items()
        },
        "fees": exchange.fees,
        "deposited": exchange.deposited,
        "positions": {
            f"{number} {symbol}": (held.quantity, held.cost, held.realised)
            for number, account in exchange.accounts.items()
            for symbol, held in account.positions.items()
            if held.quantity or held.cost or held.realised
        },
    }


def standing_of_state(state: Any) -> dict[str, Any]:
    """Return the same of an engine's state."""
    return {
        "books": state_reading.books(state),
        "money": state_reading.money(state),
        "fees": state_reading.fees(state),
        "deposited": state_reading.deposited(state),
        "positions": {
            f"{account} {symbol}": held for (account, symbol), held in state_reading.positions(state).items()
        },
    }


def compare(commands: list[Command]) -> Difference | None:
    """Tell both sides the same commands; return the first difference, in an event or at the end."""
    exchange, engine = Exchange(), Engine()
    for position, command in enumerate(commands):
        expected, made = exchange.submit(command), engine.submit(command)
        if made != expected:
            return Difference(commands[: position + 1], expected, made)
    return compare_standing(exchange, engine, commands)


def compare_standing(exchange: Exchange, engine: Engine, commands: list[Command]) -> Difference | None:
    expected, made = standing_of_oracle(exchange), standing_of_state(engine.state)
    for part in expected:
        if expected[part] != made[part]:
            return Difference(commands, {part: expected[part]}, {part: made[part]})
    return None


def compare_flow(
    seed: int, count: int, flow_of: Callable[[int], Flow] = Flow
) -> tuple[Difference | None, Engine]:
    """Tell both sides a whole flow, checking the engine's state on the way."""
    exchange, engine, flow = Exchange(), Engine(), flow_of(seed)
    commands: list[Command] = []
    for position in range(len(PREAMBLE) + count):
        command = PREAMBLE[position] if position < len(PREAMBLE) else flow.next(exchange)
        commands.append(command)
        expected, made = exchange.submit(command), engine.submit(command)
        if made != expected:
            return Difference(commands, expected, made), engine
        if position % CHECKED_EVERY == 0:
            state_reading.check_invariants(engine.state)
            found = compare_standing(exchange, engine, commands)
            if found is not None:
                return found, engine
    return compare_standing(exchange, engine, commands), engine


def shrink(found: Difference) -> Difference:
    """Leave commands out, in ever smaller pieces, as long as a difference remains."""
    first = len(PREAMBLE)  # stays: without it nothing is defined
    runs, size = 0, len(found.commands) // 2
    while size >= 1 and runs < SHRINK_RUNS:
        start = len(found.commands) - size
        while start >= first and runs < SHRINK_RUNS:
            runs += 1
            shorter = compare(found.commands[:start] + found.commands[start + size :])
            if shorter is not None:
                found = shorter
            start = min(start, len(found.commands)) - size
        size //= 2
    return found


def assert_flow_agrees(seed: int, count: int, flow_of: Callable[[int], Flow] = Flow) -> Engine:
    """Compare a whole flow and fail with the shortest stream that shows the difference."""
    print(f"seed {seed}, {count} commands")
    found, engine = compare_flow(seed, count, flow_of)
    if found is not None:
        raise AssertionError(f"seed {seed}: oracle and engine differ\n{shrink(found).told()}")
    state_reading.check_invariants(engine.state)
    assert state_reading.money_is_conserved(engine.state)
    return engine
