"""The real engine behind the oracle's interface: JSON-line dicts in, JSON-line dicts out.

A command goes through the codec of the doors, the kernels, and the codec again, so
that a comparison with the oracle covers the way in and the way out too.
"""

from typing import Any

import numpy as np

from engine.rules.loader import offered
from engine.trading.capacities import Capacities
from engine.trading.instruments import Instrument, RefusedAtDoor, catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND
from gateways.json_lines import CommandEncoder, EventFormatter, refused_event
from gateways.json_lines.rules import RuleLabel
from tests.capacities import SMALL


def offered_labels(source: bytes) -> tuple[RuleLabel, ...]:
    """Return what the rules of a set that was offered to this process are called."""
    return tuple(RuleLabel(rule.name, rule.code) for rule in offered(source))


DEFINES = ("currency", "instrument", "account")


class Engine:
    """One engine, driven one command at a time."""

    def __init__(self, capacities: Capacities = SMALL) -> None:
        self.state = new_state(capacities)
        self.encoder = CommandEncoder(catalogue(self.state), self.instrument_of)
        self.formatter = EventFormatter(self.encoder.catalogue, offered_labels)
        self.commands: list[np.ndarray] = []
        self._orders: dict[int, int] = {}
        self._by_client_id: dict[tuple[int, int], int] = {}

    def submit(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        """Apply one command and return its events."""
        command = np.zeros(1, COMMAND)
        try:
            self.encoder.encode(fields, command[0])
        except RefusedAtDoor as refused:
            return [refused_event(fields, refused, int(self.state[0]["eng_ts"]))]
        assert not self.encoder.new_currencies, "streams declare their currencies"
        self.commands.append(command)
        events = run_all(self.state, command)
        if fields["op"] in DEFINES:
            self.encoder.catalogue = self.formatter.catalogue = catalogue(self.state)
        lines = [self.formatter.fields(event) for event in events]
        for line in lines:
            if fields["op"] == "new" and line is not None and line["event"] == "accepted":
                named = (int(command["account"][0]), int(command["client_order_id"][0]))
                self._by_client_id[named] = line["order_id"]
                self._orders[line["order_id"]] = int(command["instrument"][0])
        return [line for line in lines if line is not None]

    def instrument_of(self, account: int, client_order_id: int, order_id: int) -> Instrument | None:
        """Say whose instrument a replace speaks of."""
        named = order_id or self._by_client_id.get((account, client_order_id), 0)
        if named not in self._orders:
            return None
        return self.encoder.catalogue.instruments[self._orders[named]]

    def recorded(self) -> np.ndarray:
        """Return every command that got a number, COMMAND[n]."""
        return np.concatenate(self.commands) if self.commands else np.zeros(0, COMMAND)
