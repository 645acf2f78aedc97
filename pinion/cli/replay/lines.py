"""Replays JSON lines (interface R2): decode, encode, apply in batches, write events.

Lines become records in batches. A batch ends early where the next line needs to know
what the earlier ones did: after a definition, before a refused line's event, before a
`replace` whose order cannot be told from the batch alone.
"""

from pathlib import Path
from typing import Any

import numpy as np

from engine.trading.instruments import Instrument, RefusedAtDoor
from engine.trading.offline.engine import UNKNOWN, ReplayEngine, records
from engine.trading.records import COMMAND, Op, Reason
from gateways.files.source import InputError, Source
from gateways.json_lines import CommandEncoder, MalformedCommand, decode_object, refused_event
from pinion.cli.replay.output import EventWriter
from pinion.cli.replay.rules import with_source

BATCH_COMMANDS = 4096
AUTO_CURRENCY = "UNIT"
"""Quote currency, of 0 decimals, of an instrument that no line defined."""
DEFINITIONS = frozenset({"currency", "instrument"})


class LineReplay:
    """Drives one engine with the lines of one source."""

    def __init__(self, engine: ReplayEngine, writer: EventWriter, *, has_auto_instruments: bool) -> None:
        self.engine = engine
        self.writer = writer
        self.refused = 0
        self._folder = Path()
        self._has_auto_instruments = has_auto_instruments
        self._encoder = CommandEncoder(engine.catalogue(), self._instrument_of)  # grows with the engine's
        self._batch: list[bytes] = []
        self._base_seq = engine.seq
        self._new_ids: dict[tuple[int, int], int] = {}  # (account, client id) of this batch -> instrument
        self._new_seqs: dict[int, int] = {}  # order id to be, of this batch -> instrument

    def play(self, source: Source) -> None:
        """Play every line; an error names the line, and what came before it is applied and written."""
        number = 0
        self._folder = Path(source.name).parent
        try:
            for line in source.lines():
                number += 1
                if line and not line.isspace():
                    self.line(decode_object(line))
                if len(self._batch) >= BATCH_COMMANDS:
                    self.flush()
        except MalformedCommand as fault:
            raise InputError(
                source.name, f"line {number}", fault.field, f"{fault.value!r}: {fault.detail}"[:400]
            ) from None
        finally:
            self.flush()

    def line(self, fields: dict[str, Any]) -> None:
        """Take one object in."""
        if fields.get("op") == "rules":
            fields = with_source(fields, self._folder)
        try:
            packed = self._packed(fields)
        except RefusedAtDoor as refused:
            self.flush()
            self.refused += 1
            self.writer.write_fields(refused_event(fields, refused, self.engine.eng_ts))
            return
        if self._encoder.new_currencies:
            self.flush()
            for code in self._encoder.new_currencies:
                self._define({"op": "currency", "currency": code})
            self._refresh()
        self._append(packed, fields["op"])

    def flush(self) -> None:
        """Apply what has been collected and write its events."""
        if self._batch:
            commands = records(self._batch)
            self._batch.clear()
            for events in self.engine.run(commands):
                self.writer.write(events)
        self._base_seq = self.engine.seq
        self._new_ids.clear()
        self._new_seqs.clear()

    def _packed(self, fields: dict[str, Any]) -> bytes:
        """Return the record of a line; define its instrument first where that is wanted."""
        try:
            return self._encoder.pack(fields)
        except RefusedAtDoor as refused:
            symbol = fields.get("symbol")
            is_unknown = refused.reason == Reason.UNKNOWN_SYMBOL and isinstance(symbol, str)
            if not (self._has_auto_instruments and is_unknown):
                raise
            self.flush()
            self._define_auto(symbol)
            return self._encoder.pack(fields)

    def _append(self, packed: bytes, op: str) -> None:
        if op == "new":
            self._remember(packed)
        self._batch.append(packed)
        if op in DEFINITIONS:
            self.flush()
            self._refresh()

    def _remember(self, packed: bytes) -> None:
        """Note whose instrument a new order of this batch is, for a `replace` behind it."""
        command = np.frombuffer(packed, COMMAND)[0]
        instrument = int(command["instrument"])
        key = int(command["account"]), int(command["client_order_id"])
        if self._new_ids.get(key, instrument) != instrument:
            self.flush()
        self._new_ids[key] = instrument
        self._new_seqs[self._base_seq + len(self._batch) + 1] = instrument

    def _instrument_of(self, account: int, client_order_id: int, order_id: int) -> Instrument | None:
        if order_id:
            found = self._new_seqs.get(order_id, UNKNOWN)
            if found == UNKNOWN:
                found = self.engine.order_instrument(order_id)
        else:
            key = account, client_order_id
            is_known, live = self.engine.client_instrument(account, client_order_id)
            if is_known and key in self._new_ids:  # a repeat: only the engine can tell which counts
                self.flush()
                _, live = self.engine.client_instrument(account, client_order_id)
            found = self._new_ids.get(key, UNKNOWN) if not is_known else live
        return None if found == UNKNOWN else self._encoder.catalogue.instruments[found]

    def _define_auto(self, symbol: object) -> None:
        """Define an instrument that a line uses: tick 1, lot 1, quoted in whole units."""
        if AUTO_CURRENCY not in self._encoder.catalogue.currency_by_code:
            self._define({"op": "currency", "currency": AUTO_CURRENCY, "decimals": 0})
            self._refresh()
        line = {"op": "instrument", "symbol": symbol, "base": AUTO_CURRENCY, "quote": AUTO_CURRENCY}
        self._define({**line, "tick_size": 1, "lot_size": 1})
        self._refresh()

    def _define(self, fields: dict[str, Any]) -> None:
        self.engine.apply_unnumbered(records([CommandEncoder(self._encoder.catalogue).pack(fields)]))

    def _refresh(self) -> None:
        self.engine.catalogue()


assert Op.CURRENCY.name.lower() in DEFINITIONS
