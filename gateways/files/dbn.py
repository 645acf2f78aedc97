"""Databento DBN market-by-order files as MarketRecords (decoded by the `databento-dbn` package).

DBN carries no tick size: the caller gives it per symbol. Offsets count decompressed
bytes, so that a damaged record can be found with a hex dump.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from databento_dbn import DBNDecoder, DBNError, MBOMsg, Schema

from engine.trading.instruments import plain
from engine.trading.records import Side
from gateways.files.market import Action, MarketRecord
from gateways.files.source import InputError, Source, empty_input
from gateways.files.ticks import MissingTick, TickError, refuse_unknown

PRICE_DECIMALS = 9
PRELUDE_BYTES = 8  # "DBN", version, uint32 length of the metadata
FLAG_LAST = 0x80
UNDEFINED_PRICE = 2**63 - 1
PANIC = "PanicException"
NS_MAX = 2**63 - 1
ACTIONS = {
    "A": Action.ADD,
    "C": Action.CANCEL,
    "M": Action.MODIFY,
    "R": Action.CLEAR,
    "T": Action.TRADE,
    "F": Action.FILL,
}
SIDES = {"B": int(Side.BUY), "A": int(Side.SELL), "N": 0}
CONTRACT = re.compile("([A-Z0-9]{2,3})[FGHJKMNQUVXZ][0-9]{1,2}")
"""A futures symbol: root, month letter, last digits of the year."""
ROOT_TICKS = {"ES": Decimal("0.25"), "MES": Decimal("0.25"), "NQ": Decimal("0.25"), "MNQ": Decimal("0.25")}
"""Tick sizes by root, from CME's contract specifications; `--tick` goes before."""
RESTING = frozenset({Action.ADD, Action.MODIFY})
PRICED = frozenset({Action.ADD, Action.MODIFY, Action.TRADE, Action.FILL})


class DbnReader:
    """Reads one source; `symbols` names what the metadata announced once reading began."""

    def __init__(self, source: Source, ticks: Mapping[str, Decimal]) -> None:
        self.source = source
        self.symbols: dict[int, str] = {}
        self._tick_sizes = dict(ticks)
        self._ticks: dict[str, int] = {}
        self._offset = 0
        self._has_messages = False

    def tick(self, symbol: str) -> Decimal:
        """Return the tick size of a symbol: as given, or the one known of its root."""
        given = self._tick_sizes.get(symbol)
        if given is not None:
            return given
        contract = CONTRACT.fullmatch(symbol)
        if contract is None or contract[1] not in ROOT_TICKS:
            raise MissingTick(symbol)
        return ROOT_TICKS[contract[1]]

    def records(self) -> Iterator[MarketRecord]:
        """Return the market-by-order records."""
        decoder = DBNDecoder()
        head = b""
        for chunk in self.source.chunks():
            if len(head) < PRELUDE_BYTES:
                head += chunk
            decoded = self._decode(decoder, chunk)
            record: Any
            for record in decoded:
                if isinstance(record, MBOMsg):
                    self._has_messages = True
                    yield self._market_record(record)
                    self._offset += record.record_size()
                elif self._offset == 0:
                    self._begin(record, head)
                else:
                    self._offset += record.record_size()  # of another kind than market by order
        left = len(decoder.buffer())
        if not left and not self._has_messages:
            raise empty_input(self.source.name, self._offset, "of market by order (mbo)")
        if self._offset == 0 or left:
            raise self._error(
                "record" if self._offset else "metadata", f"the file ends within it ({left} bytes left)"
            )
        refuse_unknown(self._tick_sizes, self.symbols.values())

    def _decode(self, decoder: DBNDecoder, chunk: bytes) -> list[Any]:
        try:
            return list(decoder.write_and_decode(chunk))
        except (DBNError, ValueError, OverflowError) as fault:
            raise self._error("record", f"damaged: {fault}") from None
        except BaseException as fault:
            # The decoder's own assertions: no `except Exception` sees their type and no module exports it.
            if type(fault).__name__ != PANIC:
                raise
            raise self._error("record", f"damaged: {str(fault).partition('.')[0]}") from None

    def _begin(self, metadata: Any, head: bytes) -> None:
        self._offset = PRELUDE_BYTES + int.from_bytes(head[4:PRELUDE_BYTES], "little")
        if metadata.schema is not None and metadata.schema != Schema.MBO:
            raise self._error(
                "schema", f"{metadata.schema} cannot be replayed; market by order (mbo) is needed"
            )
        for name, intervals in metadata.mappings.items():
            for interval in intervals:
                number = interval["symbol"]
                if not (number.isascii() and number.isdigit()):
                    raise self._error("mappings", f"{number!r} of {name!r} is no instrument number")
                self.symbols[int(number)] = name
        if self.symbols:
            numbers = {symbol for symbol in self._tick_sizes if symbol.isdigit()}  # see `_name`
            refuse_unknown(self._tick_sizes.keys() - numbers, self.symbols.values())
        for symbol in self.symbols.values():
            self._ticks[symbol] = _price_units(self.tick(symbol))

    def _market_record(self, record: MBOMsg) -> MarketRecord:
        symbol = self.symbols.get(record.instrument_id)
        if symbol is None:
            symbol = self._name(record.instrument_id)
        action = ACTIONS.get(str(record.action))
        if action is None:
            raise self._error("action", f"{record.action!r} is none of {', '.join(ACTIONS)}")
        side = SIDES.get(str(record.side))
        if side is None:
            raise self._error("side", f"{record.side!r} is none of A, B, N")
        if not side and action in RESTING:
            raise self._error("side", f"{str(record.side)!r} of an order that rests must be A or B")
        price, size = record.price, record.size
        px = 0
        if action in PRICED:
            if price == UNDEFINED_PRICE:
                raise self._error("price", "is undefined")
            px, rest = divmod(price, self._ticks[symbol])
            if rest:
                written = plain(Decimal(price).scaleb(-PRICE_DECIMALS))
                raise self._error("price", f"{written} is not a multiple of the tick size given for {symbol}")
            if size < 1:
                raise self._error("size", f"{size} of an order must be positive")
        if not 0 <= record.ts_event <= NS_MAX:
            raise self._error("ts_event", f"{record.ts_event} is no time")
        is_last = bool(int(record.flags) & FLAG_LAST)
        return MarketRecord(
            action, record.ts_event, symbol, record.order_id, side, px, size, is_last, self._offset
        )

    def _name(self, instrument_id: int) -> str:
        """Return the name of an instrument that the metadata does not map: its number."""
        symbol = str(instrument_id)
        self._ticks[symbol] = _price_units(self.tick(symbol))
        self.symbols[instrument_id] = symbol
        return symbol

    def _error(self, field: str, reason: str) -> InputError:
        return InputError(self.source.name, f"byte {self._offset}", field, reason)


def _price_units(tick: Decimal) -> int:
    """Return a tick size in DBN's price unit of 1e-9."""
    units = tick.scaleb(PRICE_DECIMALS)
    if units <= 0 or units != units.to_integral_value():
        raise TickError(f"tick size {tick} must be positive, with at most {PRICE_DECIMALS} decimals")
    return int(units)
