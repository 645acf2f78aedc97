"""Every scenario of the text files, told to the oracle and to the real engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.trading import state_reading
from tests.engine.trading.engine_side import Engine
from tests.oracle import Exchange
from tests.scenarios.script import (
    PREAMBLE,
    Scenario,
    book_lines,
    command_of,
    event_line,
    parse,
    position_line,
    read_table,
)

FOLDER = Path(__file__).parent
SCENARIOS = [
    pytest.param(scenario, id=f"{path.stem}:{scenario.line_number}: {scenario.title}")
    for path in sorted(FOLDER.glob("*.txt"))
    for scenario in parse(path.read_text())
]
REPLACE_ROWS = read_table((FOLDER / "s11_replace.table").read_text())


class OracleSide:
    """Answers the questions of a scenario from the oracle."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.submit = self.exchange.submit

    def book(self, symbol: str) -> list[str]:
        return book_lines(self.exchange.books()[symbol])

    def money(self, account: str, code: str) -> list[str]:
        held = self.exchange.accounts[int(account)]
        total, reserved = held.money.get(code, 0), held.reserved(code)
        text = self.exchange.money_text
        return [f"total {text(code, total)} reserved {text(code, reserved)}"]

    def house(self, code: str) -> list[str]:
        return [self.exchange.money_text(code, self.exchange.fees[code])]

    def paid(self, code: str) -> list[str]:
        return [self.exchange.money_text(code, self.exchange.deposited[code])]

    def position(self, account: str, symbol: str) -> list[str]:
        held = self.exchange.accounts[int(account)].positions[symbol]
        quote = self.exchange.instruments[symbol].quote
        amounts = (self.exchange.money_text(quote, amount) for amount in (held.cost, held.realised))
        return [position_line(held.quantity, *amounts)]


class EngineSide:
    """Answers the questions of a scenario from the engine's state."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.submit = self.engine.submit

    def book(self, symbol: str) -> list[str]:
        return book_lines(state_reading.books(self.engine.state)[symbol])

    def money(self, account: str, code: str) -> list[str]:
        total, reserved = state_reading.money(self.engine.state)[int(account)].get(code, (0, 0))
        return [f"total {self._text(code, total)} reserved {self._text(code, reserved)}"]

    def house(self, code: str) -> list[str]:
        return [self._text(code, state_reading.fees(self.engine.state)[code])]

    def paid(self, code: str) -> list[str]:
        return [self._text(code, state_reading.deposited(self.engine.state)[code])]

    def position(self, account: str, symbol: str) -> list[str]:
        lots, cost, realised = state_reading.positions(self.engine.state)[int(account), symbol]
        quote = self.engine.encoder.catalogue.instrument_by_symbol[symbol].quote.code
        return [position_line(lots, self._text(quote, cost), self._text(quote, realised))]

    def _text(self, code: str, amount: int) -> str:
        return self.engine.encoder.catalogue.currency_by_code[code].text(amount)


Side = OracleSide | EngineSide
both_sides = pytest.mark.parametrize("make_side", [OracleSide, EngineSide], ids=["oracle", "engine"])


def prepared(make_side: Callable[[], Side]) -> Side:
    side = make_side()
    for command in PREAMBLE:
        assert side.submit(command) == []
    return side


def answers(side: Side, line: str) -> list[str]:
    """Return what comes back for one line: events, or the answer to a question."""
    if line.startswith("?"):
        question, *words = line[1:].split()
        result: list[str] = getattr(side, question)(*words)
        return result
    return [event_line(event) for event in side.submit(command_of(line))]


@both_sides
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: Scenario, make_side: Callable[[], Side]) -> None:
    side = prepared(make_side)

    for step in scenario.steps:
        assert answers(side, step.line) == step.expected, f"line {step.line_number}: {step.line}"


@both_sides
@pytest.mark.parametrize("row", REPLACE_ROWS, ids=[row["what"] for row in REPLACE_ROWS])
def test_replace_table(row: dict[str, str], make_side: Callable[[], Side]) -> None:
    side = prepared(make_side)
    for line in ("1> buy 10 @ 10.00 #1", "2> buy 10 @ 10.00 #2", "3> sell 10 @ 10.10 #3"):
        answers(side, line)
    if row["filled"] != "0":
        answers(side, f"3> sell {row['filled']} @ 10.00 #4")

    fields = [f"{name}={row[name]}" for name in ("price", "quantity") if row[name]]
    events = answers(side, " ".join(["1> replace #1", *fields]))

    assert "; ".join(events) == row["events"]
    assert bids(side) == row["queue"]


def bids(side: Side) -> str:
    """Write the bids as `10.01: #1, 10: #2`."""
    levels: list[Any] = [line.split() for line in side.book("XYZ") if line.startswith("bid")]
    return ", ".join(f"{price}: {' '.join(ids)}" for _, price, _, *ids in levels)
