"""What the journal on the disk says, replayed, against what clients were told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.instruments import catalogue
from engine.trading.records import EventKind, Op
from gateways.json_lines import EventFormatter
from tests.engine.trading import state_reading
from tests.engine.trading.comparison import standing_of_oracle, standing_of_state
from tests.oracle import Exchange
from tests.system.clients import Told
from tests.system.decoded import line_of
from tests.system.journaled import Journaled


class Record(Journaled):
    """The journal of a stopped exchange, against its clients and the oracle."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, trading(Capacities()))

    def check_told(self, clients: Sequence[Told]) -> int:
        """Everything that a client was told is in the journal, once; return how many answers were checked."""
        accepted = self.events[self.events["kind"] == EventKind.ACCEPTED]
        order_of = dict(zip(accepted["client_order_id"].tolist(), accepted["order_id"].tolist(), strict=True))
        assert len(order_of) == len(accepted), "a client id was accepted twice"
        trades = self.events[self.events["kind"] == EventKind.TRADE]
        made = set(zip(trades["seq"].tolist(), trades["event_idx"].tolist(), strict=True))
        assert len(made) == len(trades)
        fills_of: dict[int, int] = {}
        for seq in trades["seq"].tolist():
            fills_of[seq] = fills_of.get(seq, 0) + 1
        checked = 0
        for told in clients:
            assert not told.faults, told.faults
            for client_order_id, reply in told.accepted.items():
                assert order_of.get(client_order_id) == reply["order_id"], f"lost: {reply}"
                assert fills_of.get(reply["seq"], 0) == len(reply["fills"]), f"other fills: {reply}"
                checked += 1
            for client_order_id, problem in told.duplicates.items():
                assert order_of.get(client_order_id) == problem["order_id"], f"lost: {problem}"
                checked += 1
            for order_id in told.cancelled:
                assert self.oracle.orders[order_id][1].status != "open", f"not cancelled: order {order_id}"
                checked += 1
        return checked

    def check_oracle(self, live_standing: dict[str, Any]) -> int:
        """Every event, and all that stands at the end, is what the naive exchange makes of the commands.

        live_standing : standing_of_state of the live engine, read when nothing moved any more
        Returns how many commands the oracle decided.
        """
        formatter = EventFormatter(catalogue(self.state))
        lines = [formatter.fields(event) for event in self.events]
        exchange = self.oracle = Exchange()
        # The runtime's own change no book: they take a number, and that is all.
        commands = self.entries[~np.isin(self.entries["command"]["op"], (Op.TICK, Op.SESSION_DOWN))]
        for entry in commands:
            seq, command = int(entry["seq"]), entry["command"]
            exchange.seq, exchange.eng_ts = seq - 1, int(entry["eng_ts"])
            expected = exchange.submit(line_of(command, exchange))
            made = [line for line in lines[self.ends[seq - 1] : self.ends[seq]] if line is not None]
            assert made == expected, f"seq {seq}: {made} is not {expected}"
            assert exchange.seq == seq
        standing = standing_of_oracle(exchange)
        assert standing_of_state(self.state) == standing, (
            "replaying the journal gives other books or accounts"
        )
        assert live_standing == standing, "the live engine had other books or accounts"
        state_reading.check_invariants(self.state)
        return len(commands)
