"""What a replay writes: events as JSON lines, books as JSON (interface R3), and the statistics."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np

from engine.trading.client_text import given_id
from engine.trading.instruments import Catalogue, Instrument
from engine.trading.offline.engine import ReplayEngine
from engine.trading.records import Side
from gateways.json_lines import EventFormatter
from gateways.json_lines.events import event_words
from gateways.json_lines.fields import Fields
from gateways.json_lines.rules import LabelsOf, no_labels

SIDE_NAMES = {int(Side.BUY): "bids", int(Side.SELL): "asks"}


class EventWriter:
    """Writes one JSON event a line; without a file it swallows everything."""

    def __init__(self, file: BinaryIO | None, catalogue: Catalogue, labels_of: LabelsOf = no_labels) -> None:
        self.formatter = EventFormatter(catalogue, labels_of)
        self._file = file
        self._encoder = msgspec.json.Encoder()

    @property
    def is_writing(self) -> bool:
        """Tell whether anybody wants the events."""
        return self._file is not None

    def write(self, events: "np.ndarray[Any, np.dtype[np.void]]") -> None:
        """Write an EVENT array."""
        if self._file is None:
            return
        fields_of, encode = self.formatter.fields_of, self._encoder.encode
        lines = [encode(fields) for words in event_words(events) if (fields := fields_of(words)) is not None]
        if lines:
            self._file.write(b"\n".join(lines) + b"\n")

    def write_fields(self, fields: Fields) -> None:
        """Write one event given as an object."""
        if self._file is not None:
            self._file.write(self._encoder.encode(fields) + b"\n")


def books(engine: ReplayEngine) -> dict[str, Fields]:
    """Return the final books in the form of interface R3, best price first, client ids in queue order."""
    s = engine.state[0]
    catalogue = engine.catalogue()
    found: dict[str, Fields] = {}
    for instrument in catalogue.instruments:
        book = s["books"][instrument.instrument_idx]
        last = instrument.price_text(int(book["last_px"])) if book["trade_count"] else None
        found[instrument.symbol] = {"bids": [], "asks": [], "stops": [], "last": last}
    levels = s["levels"][: s["levels_used"]]
    live = levels[levels["order_count"] > 0]
    for level in live[np.lexsort((live["px"], live["side"], live["book"]))]:
        instrument = catalogue.instruments[int(level["book"])]
        found[instrument.symbol][SIDE_NAMES[int(level["side"])]].append(_level(s, level, instrument))
    for each in found.values():
        each["bids"].reverse()
    return found


def _level(s: Any, level: Any, instrument: Instrument) -> list[Any]:
    ids: list[int | str | None] = []
    hot, cold, texts = s["hot"], s["cold"], s["texts"]
    order = int(level["head"])
    for _ in range(int(level["order_count"])):
        ids.append(given_id(int(cold[order]["client_order_id"]), *texts[order]["words"].tolist()))
        order = int(hot[order]["next"])
    price = instrument.price_text(int(level["px"]))
    return [price, instrument.quantity_text(int(level["qty"])), len(ids), ids]


def statistics(engine: ReplayEngine, seconds: float, refused: int) -> Iterator[str]:
    """Return the statistics of a run, one line at a time."""
    commands = engine.seq
    seconds -= engine.digest_seconds
    yield f"commands                      {commands}"
    yield f"  refused at the door         {refused}"
    yield f"events                        {engine.event_count}"
    yield f"  trades                      {engine.trade_count}"
    rate = commands / seconds if seconds > 0 else 0.0
    yield f"time, reading and writing in  {seconds:.3f} s ({rate:,.0f} commands/s)"
    yield from engine.latencies.lines()
    if engine.is_timed:
        yield "durability                    none (a replay is not journaled)"
    yield f"state digest                  {engine.digest()}"
    yield f"digest without layout         {engine.digest_without_layout()}"
