"""Replays a venue's market-by-order file through the offline engine and compares (interface R4)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from engine.trading.instruments import RefusedAtDoor
from engine.trading.offline.engine import ReplayEngine, records
from engine.trading.records import (
    COMMAND,
    COMMAND_VERSION,
    EventKind,
    Op,
    OrderType,
    Role,
    SelfTradePrevention,
    TimeInForce,
)
from gateways.files.client_ids import ClientIds
from gateways.files.comparison import Comparison, Fill
from gateways.files.dbn import DbnReader
from gateways.files.itch import ItchReader
from gateways.files.market import events_of
from gateways.files.reproduction import Reproduction
from gateways.files.source import Format, InputError, Source
from gateways.files.starting_book import StartingBook
from gateways.files.venue_setup import AGGRESSOR_ACCOUNT, HOUSE_ACCOUNT, account_lines, instrument_line
from gateways.json_lines import CommandEncoder
from gateways.json_lines.events import REASON_NAMES
from pinion.cli.replay.output import EventWriter

TRADE, REJECTED = int(EventKind.TRADE), int(EventKind.REJECTED)


class OfflineBook:
    """One symbol of the offline engine, as a reproduction sees it."""

    def __init__(self, engine: ReplayEngine, writer: EventWriter, instrument_idx: int) -> None:
        self._refusals: list[str] = []
        self._engine = engine
        self._writer = writer
        self._command = np.zeros(1, COMMAND)
        self._command["version"] = COMMAND_VERSION
        self._command["roles"] = int(Role.ALL)
        self._blank = self._command.copy()
        self._instrument_idx = instrument_idx

    def clock(self, ts: int) -> None:
        """Move the engine clock."""
        if ts > self._engine.eng_ts:
            self._apply(op=int(Op.TIME), value=ts)

    def new(self, client_id: int, side: int, px: int, size: int) -> list[Fill]:
        """Enter a limit order of the house account; return its fills."""
        return self._order(HOUSE_ACCOUNT, client_id, side, px, size, int(TimeInForce.GTC))

    def trade(self, side: int, px: int, size: int) -> list[Fill]:
        """Enter an IOC order of the aggressor account; return its fills."""
        return self._order(AGGRESSOR_ACCOUNT, 0, side, px, size, int(TimeInForce.IOC))

    def cancel(self, client_id: int) -> None:
        """Cancel an order of the house account."""
        self._apply(op=int(Op.CANCEL), account=HOUSE_ACCOUNT, client_order_id=client_id)

    def replace(self, client_id: int, px: int, total: int) -> list[Fill]:
        """Change price and total size of an order of the house account; return its fills."""
        return self._apply(
            op=int(Op.REPLACE),
            instrument=self._instrument_idx,
            account=HOUSE_ACCOUNT,
            client_order_id=client_id,
            px=px,
            qty=total,
        )

    def clear(self) -> None:
        """Cancel every order of the house account in this book."""
        self._apply(op=int(Op.MASS_CANCEL), instrument=self._instrument_idx, account=HOUSE_ACCOUNT)

    def refusals(self) -> list[str]:
        """Return what the engine refused since the last call, each as operation and reason."""
        refusals, self._refusals = self._refusals, []
        return refusals

    def _order(
        self, account: int, client_id: int, side: int, px: int, size: int, time_in_force: int
    ) -> list[Fill]:
        return self._apply(
            op=int(Op.NEW),
            side=side,
            order_type=int(OrderType.LIMIT),
            time_in_force=time_in_force,
            stp_mode=int(SelfTradePrevention.NONE),
            instrument=self._instrument_idx,
            account=account,
            client_order_id=client_id,
            px=px,
            qty=size,
        )

    def _apply(self, **fields: Any) -> list[Fill]:
        command = self._command
        command[:] = self._blank
        for name, value in fields.items():
            command[name] = value
        fills: list[Fill] = []
        for events in self._engine.run(command):
            kinds = events["kind"]
            if len(events) > 1:
                trades = events[kinds == TRADE]
                fills += zip(trades["maker_client_order_id"].tolist(), trades["qty"].tolist(), strict=True)
            if kinds[0] == REJECTED:
                operation = Op(int(command["op"][0])).name.lower()
                self._refusals.append(f"{operation}: {REASON_NAMES[int(events['reason'][0])]}")
            self._writer.write(events)
        return fills


class MarketReplay:
    """One venue file through the offline engine."""

    def __init__(
        self, engine: ReplayEngine, writer: EventWriter, source: Source, ticks: Mapping[str, Decimal]
    ) -> None:
        self.comparison = Comparison()
        self._client_ids = ClientIds()
        self._engine = engine
        self._writer = writer
        self._reader = (DbnReader if source.format is Format.DBN else ItchReader)(source, ticks)
        self._books: dict[str, tuple[Reproduction, StartingBook]] = {}

    def play(self) -> None:
        """Play every event of the file; a broken file ends it, with what came before applied."""
        try:
            for event in events_of(self._reader.records()):
                symbol = event[0].symbol
                if not self._books:  # not before the file has shown that it holds something to play
                    for line in account_lines():
                        self._administer(line)
                if symbol not in self._books:
                    self._books[symbol] = self._open(symbol)
                self._books[symbol][1].play(event)
        finally:
            for _, starting in self._books.values():
                starting.finish()

    def report(self) -> Iterator[str]:
        """Return the comparison, one line at a time."""
        yield from self.comparison.lines()
        if isinstance(self._reader, ItchReader):
            foreign = self._reader.foreign
            detail = ", ".join(f"{kind} {count}" for kind, count in sorted(foreign.items())) or "none"
            yield f"messages about orders from before the capture: {detail}"
        oddities: Counter[str] = Counter()
        for reproduction, _ in self._books.values():
            oddities.update(reproduction.venue.oddities)
        for oddity, count in oddities.items():
            yield f"oddities of the file: {count} {oddity}"

    def _open(self, symbol: str) -> tuple[Reproduction, StartingBook]:
        self._administer(instrument_line(symbol, self._reader.tick(symbol)))
        instrument = self._engine.catalogue().instruments[-1]
        book = OfflineBook(self._engine, self._writer, instrument.instrument_idx)
        reproduction = Reproduction(book, self.comparison, self._client_ids, instrument.price_text)
        return reproduction, StartingBook(reproduction)

    def _administer(self, line: dict[str, Any]) -> None:
        """Apply one command; the currencies that it brings take no number."""
        encoder = CommandEncoder(self._engine.catalogue())
        try:
            packed = encoder.pack(line)
        except RefusedAtDoor as refused:
            raise InputError(
                self._reader.source.name, str(line.get("symbol")), refused.field, refused.detail
            ) from None
        for code in encoder.new_currencies:
            currency = CommandEncoder(self._engine.catalogue()).pack({"op": "currency", "currency": code})
            self._engine.apply_unnumbered(records([currency]))
        for events in self._engine.run(records([packed])):
            if events["kind"][0] == REJECTED:
                reason = REASON_NAMES[int(events["reason"][0])]
                raise InputError(
                    self._reader.source.name, str(line.get("symbol")), "instrument", f"refused: {reason}"
                )
            self._writer.write(events)
