"""A real engine in private memory with the API's reading side on top of it."""

from typing import Any

import numpy as np

from api.live import LiveSource
from api.streams.hub import Hub
from engine.trading.instruments import catalogue
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND
from engine.trading.view.live_view import LiveView
from gateways.json_lines import CommandEncoder
from tests.capacities import SMALL

EPOCH = 7


class Exchange:
    """An engine that is driven by JSON-line commands and read through LiveView and Hub."""

    def __init__(self) -> None:
        self.state = new_state(SMALL)
        self.encoder = CommandEncoder(catalogue(self.state))
        self.durable_seq: int | None = None  # None: durable at once
        self.define({"op": "currency", "currency": "USD", "decimals": 6})
        self.define({"op": "currency", "currency": "BTC", "decimals": 6})
        self.define(
            {
                "op": "instrument",
                "symbol": "BTC-USD",
                "base": "BTC",
                "quote": "USD",
                "tick_size": "0.01",
                "lot_size": "0.001",
                "taker_fee_ppm": 1000,
            }
        )
        for account in (1, 2, 3):
            self.define({"op": "account", "account": account, "deposit": {"USD": "1000000"}})
        self.view = LiveView(self.state)
        self.source = LiveSource(self.view, self.durable, EPOCH)
        self.hub = Hub(self.source)
        self._event_count = 0

    def durable(self) -> int:
        """Return the durable cursor."""
        return int(self.state["seq"][0]) if self.durable_seq is None else self.durable_seq

    def define(self, fields: dict[str, Any]) -> None:
        """Apply an administration command."""
        self.submit(fields)
        self.encoder.catalogue = catalogue(self.state)

    def submit(self, fields: dict[str, Any]) -> Any:
        """Apply one command; return its events, EVENT[n], numbered as the event ring numbers them."""
        command = np.zeros(1, COMMAND)
        self.encoder.encode(fields, command[0])
        return run_all(self.state, command)

    def order(self, account: int, side: str, price: str, quantity: str, **more: Any) -> Any:
        """Enter a limit order and hand its events to the hub."""
        events = self.submit(
            {
                "op": "new",
                "account": account,
                "symbol": "BTC-USD",
                "side": side,
                "price": price,
                "quantity": quantity,
            }
            | more
        )
        if hasattr(self, "hub"):
            self.hub.take_events(events)
        return events
