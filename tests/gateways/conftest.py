"""A desk on a simulated transport: the real kernel, applied in this process, no rings, no sockets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.contract.port import Closed
from engine.trading.event_forms import SPREAD
from engine.trading.kernels.apply import apply
from engine.trading.kernels.state import new_state
from engine.trading.records import EVENT, Role
from gateways.entry.desk import Desk
from gateways.entry.dispatch import Dispatcher
from gateways.entry.outcome import Outcome
from gateways.entry.principals import Principal
from gateways.http.problems import document_of
from gateways.http.session import JsonSession
from gateways.json_lines.fields import Fields
from ringbuf.njit import njit
from tests.capacities import SMALL

RING_IDX = 3
SETUP: list[Fields] = [
    {"op": "currency", "currency": "USD", "decimals": 6},
    {"op": "currency", "currency": "XYZ", "decimals": 0},
    {
        "op": "instrument",
        "symbol": "XYZ",
        "base": "XYZ",
        "quote": "USD",
        "tick_size": "0.01",
        "lot_size": "1",
    },
    {
        "op": "instrument",
        "symbol": "ABC",
        "base": "XYZ",
        "quote": "USD",
        "tick_size": "0.25",
        "lot_size": "1",
    },
    {"op": "account", "account": 1, "deposit": {"USD": "1000000"}},
    {"op": "account", "account": 2, "deposit": {"USD": "1000000"}},
]


@njit
def apply_one(state: Any, command: Any, seq: Any, ring: Any) -> Any:
    """Apply a command and close the versions that it opened, as the loop does."""
    s = state[0]
    s.out_count = 0
    count = apply(s, command[0], seq, seq, ring)
    for i in range(s.opened_count):
        s.version[s.opened[i]] = 2 * seq
    s.opened_count = 0
    return count


class SimulatedGate:
    """A port whose engine works when somebody looks: `drain` applies what was submitted."""

    def __init__(self) -> None:
        self.ring_idx = RING_IDX
        self.laps = 0
        self.room = 10**6
        self.is_silent = False
        self.closed: Closed | None = None
        self.submitted: list[Any] = []
        self.applied_count = 0
        self._state = new_state(SMALL)
        self._seq = 0

    def state(self) -> Any:
        return self._state

    def submit(self, commands: Any) -> int:
        taken = min(len(commands), self.room)
        self.room -= taken
        self.submitted += [commands[i : i + 1].copy() for i in range(taken)]
        return taken

    def closed_because(self) -> Closed | None:
        return self.closed

    def drain(self, limit: int = 1024) -> Any:
        if self.is_silent:
            return np.zeros(0, EVENT)
        found = []
        for command in self.submitted:
            self._seq += 1
            self.applied_count += 1
            count = apply_one(self._state, command, self._seq, self.ring_idx)
            found.append(SPREAD.events_of(self._state["out"][0][:count]))
        self.submitted.clear()
        return np.concatenate(found) if found else np.zeros(0, EVENT)


class Door:
    """A desk with a way to ask one thing and have the answer, a refusal as the HTTP door tells it."""

    def __init__(self) -> None:
        self.gate = SimulatedGate()
        self.spoken: list[Any] = []
        self.desk = Desk(
            self.gate.state(),
            lambda reports, settled: Dispatcher(self.gate, reports, lambda: None, settled),
        )
        self.operator = Principal("boss", None, int(Role.ALL), 1)
        self.trader = Principal("tess", frozenset({1, 2}), int(Role.TRADER), 2)
        for fields in SETUP:
            self.ask(dict(fields), self.operator)

    def turn(self) -> None:
        self.desk.dispatcher.flush()
        self.desk.dispatcher.collect()

    def start(self, fields: Fields, principal: Principal | None = None) -> list[Any]:
        answers: list[Any] = []
        who = principal or self.trader

        def answer(result: Outcome) -> None:
            answers.append(document_of(result))

        self.desk.submit(who, who.session, fields, answer)
        return answers

    def ask(self, fields: Fields, principal: Principal | None = None) -> Any:
        answers = self.start(fields, principal)
        for _ in range(8):
            self.turn()
        assert len(answers) == 1
        return answers[0]

    def session(self, number: int, principal: Principal | None = None) -> JsonSession:
        session = JsonSession(principal or self.trader, number, self.desk, self.spoken.append)
        self.desk.dispatcher.listen(number, session)
        return session


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture(scope="session")
def order() -> Callable[..., Fields]:
    def make(**fields: Any) -> Fields:
        given = {
            "op": "new",
            "account": 1,
            "symbol": "XYZ",
            "side": "buy",
            "price": "10.05",
            "quantity": "100",
        }
        return {**given, **fields}

    return make
