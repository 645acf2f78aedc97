"""A flow as journal entries, with what the independent oracle says of it: what history must come to.

The oracle's events and standing are kept as plain numbers in the units of the tables, so a test
compares them with rows without any of the projection's own code.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from engine.runtime.history.historian import GoOn
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import JOURNAL_ENTRY
from tests.capacities import SMALL
from tests.engine.trading.engine_side import Engine
from tests.flow_venue import PREAMBLE
from tests.flows import Flow
from tests.oracle import Exchange

STATUS = {"open": 1, "filled": 2, "cancelled": 3}


@dataclass
class Standing:
    """What accounts have after some command."""

    seq: int
    eng_ts: int
    balances: dict[tuple[int, str], int]
    positions: dict[tuple[int, str], tuple[int, int, int]]


BEGAN_NS = 1_700_000_000_000_000_000
"""When the story begins: history is of running instances, whose clock tells this age."""


@dataclass
class Story:
    """Entries 1 .. n, and the oracle's answer to them."""

    seed: int
    count: int
    entries: Any = field(init=False)
    trades: list[tuple[Any, ...]] = field(default_factory=list)
    orders: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    client_ids: dict[int, int | str | None] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    movements: list[dict[str, Any]] = field(default_factory=list)
    """Events `moved`, in order."""
    fees: dict[str, str] = field(default_factory=dict)
    """What the fee account has at the end."""
    standings: list[Standing] = field(default_factory=list)

    def __post_init__(self) -> None:
        exchange, engine, flow = Exchange(), Engine(), Flow(self.seed)
        flow.now += BEGAN_NS
        times: list[int] = []
        for position in range(len(PREAMBLE) + self.count):
            command = PREAMBLE[position] if position < len(PREAMBLE) else flow.next(exchange)
            events = exchange.submit(command)
            engine.submit(command)
            if exchange.seq > len(times):
                times.append(exchange.eng_ts)
            for event in events:
                self._note(exchange, event)
            if position in (len(PREAMBLE) + self.count // 2, len(PREAMBLE) + self.count - 1):
                self.standings.append(standing(exchange))
        self.fees = {code: exchange.money_text(code, amount) for code, amount in exchange.fees.items()}
        commands = engine.recorded()
        self.entries = np.zeros(len(commands), JOURNAL_ENTRY)
        self.entries["seq"] = np.arange(1, len(commands) + 1)
        self.entries["ring_seq"] = self.entries["seq"] - 1
        self.entries["command"], self.entries["eng_ts"] = commands, times
        for order_id, (instrument, order) in exchange.orders.items():
            self.client_ids[order_id] = order.client_id
            price = None if order.kind == "market" else order.price  # what protects it is no price of it
            numbers = (price, order.quantity, order.cum, order.leaves, order.revision)
            self.orders[order_id] = (
                *(order.account, instrument.symbol, order.side == "sell"),
                *(*numbers, STATUS[order.status]),
            )

    def _note(self, exchange: Exchange, event: dict[str, Any]) -> None:
        if event["seq"] is None:
            return
        self.reports[event["event"]] = self.reports.get(event["event"], 0) + 1
        if event["event"] == "moved":
            self.movements.append(event)
        if event["event"] == "trade":
            instrument = exchange.instruments[event["symbol"]]
            unit = 10 ** exchange.decimals[instrument.quote]
            self.trades.append(
                (
                    *(event["seq"], event["eng_ts"], event["symbol"]),
                    *(steps(event["price"], instrument.tick), steps(event["quantity"], instrument.lot)),
                    *(event["taker_order_id"], event["maker_order_id"]),
                    *(event["taker_account"], event["maker_account"]),
                    *(int(Fraction(event[side]) * unit) for side in ("taker_fee", "maker_fee")),
                    event["aggressor_side"] == "sell",
                )
            )


def steps(text: str, step: Fraction) -> int:
    """Return a decimal in ticks or lots."""
    return int(Fraction(text) / step)


def standing(exchange: Exchange) -> Standing:
    """Return what the oracle's accounts have now, zeros left out."""
    return Standing(
        exchange.seq,
        exchange.eng_ts,
        {
            (number, code): amount
            for number, account in exchange.accounts.items()
            for code, amount in account.money.items()
            if amount
        },
        {
            (number, symbol): (held.quantity, held.cost, held.realised)
            for number, account in exchange.accounts.items()
            for symbol, held in account.positions.items()
            if held.quantity or held.cost or held.realised
        },
    )


class MemoryJournal:
    """Entries as a source; a test moves `durable`."""

    def __init__(self, entries: Any, durable: int | None = None) -> None:
        self.entries = entries
        self.durable = len(entries) if durable is None else durable

    def durable_seq(self) -> int:
        return self.durable

    def read(self, first_seq: int, limit: int, go_on: GoOn) -> Any:
        return self.entries[first_seq - 1 : min(first_seq - 1 + limit, self.durable)]


class MemoryReplica:
    """A private engine, from the first command on."""

    def __init__(self, upto: int = 0) -> None:
        self.state = new_state(SMALL)

    @property
    def seq(self) -> int:
        return int(self.state[0]["seq"])

    def apply(self, records: Any) -> Any:
        return run_all(self.state, np.ascontiguousarray(records["command"]))
