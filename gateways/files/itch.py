"""Nasdaq TotalView-ITCH 5.0 files as MarketRecords.

    2 bytes length, big-endian | message: type, locate, tracking, 6 bytes ns since midnight, ...

An execution names its resting order: the aggressor is built from side, price and size
of that message. Messages about orders from before the capture are counted, not guessed.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.trading.instruments import plain
from engine.trading.records import Side
from gateways.files.market import Action, MarketRecord
from gateways.files.source import InputError, Source, empty_input
from gateways.files.ticks import refuse_unknown

PRICE_DECIMALS = 4
DEFAULT_TICK = Decimal("0.0001")
LENGTH_BYTES = 2
TIMESTAMP = slice(5, 11)
WHOLE_ORDER = 2**62  # a delete names no size
MESSAGE_BYTES = {
    **{"S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21},
    **{"A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35},
    **{"P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48},
}
ORDER_KINDS = frozenset("AFECXDU")
DIRECTORY_STOCK = slice(11, 19)
SIDES = {b"B": int(Side.BUY), b"S": int(Side.SELL)}
OPPOSITE = {int(Side.BUY): int(Side.SELL), int(Side.SELL): int(Side.BUY)}
_ADD = struct.Struct(">QcI8sI")
_EXECUTE = struct.Struct(">QI")
_PRICED_EXECUTE = struct.Struct(">QIQcI")
_REPLACE = struct.Struct(">QQII")
_BODY = 11  # behind type, locate, tracking and time
_LOCATE = slice(1, 3)
Name = tuple[bytes, int]
"""An order: locate code of its stock, and the reference number, which need not differ between stocks."""


class ItchReader:
    """Reads one source; `foreign` counts messages about orders that the file never gave."""

    def __init__(self, source: Source, ticks: Mapping[str, Decimal]) -> None:
        self.source = source
        self.foreign: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self._ticks = dict(ticks)
        self._orders: dict[Name, tuple[str, int, int, int]] = {}  # symbol, side, px, leaves
        self._units: dict[str, int] = {}
        self._directory: set[str] = set()  # symbols announced so far
        self._offset = 0

    def tick(self, symbol: str) -> Decimal:
        """Return the tick size of a symbol: as given, or the format's smallest price step."""
        return self._ticks.get(symbol, DEFAULT_TICK)

    def records(self) -> Iterator[MarketRecord]:
        """Return what the messages mean for the books."""
        pending = b""
        for chunk in self.source.chunks():
            pending += chunk
            at = 0
            while len(pending) - at >= LENGTH_BYTES:
                length = int.from_bytes(pending[at : at + LENGTH_BYTES], "big")
                end = at + LENGTH_BYTES + length
                if length == 0:  # end of session
                    self._end()
                    return
                if end > len(pending):
                    break
                yield from self._message(pending[at + LENGTH_BYTES : end])
                self._offset += LENGTH_BYTES + length
                at = end
            pending = pending[at:]
        if pending:
            raise self._error("message", f"the file ends within it ({len(pending)} bytes left)")
        self._end()

    def _end(self) -> None:
        """Refuse a file that says nothing about any order, or about a symbol whose tick size was given."""
        if ORDER_KINDS.isdisjoint(self.messages):
            raise empty_input(self.source.name, self._offset, "about orders")
        refuse_unknown(self._ticks, self._directory | self._units.keys())

    def _message(self, message: bytes) -> Iterator[MarketRecord]:
        kind = chr(message[0])
        expected = MESSAGE_BYTES.get(kind)
        if expected is None:
            raise self._error("message type", f"{kind!r} is no type of ITCH 5.0")
        if len(message) != expected:
            raise self._error("message length", f"{len(message)} where type {kind!r} has {expected} bytes")
        if self._directory and kind in ORDER_KINDS and ORDER_KINDS.isdisjoint(self.messages):
            # The day's directory precedes its first order: nothing is played with a misspelt symbol.
            refuse_unknown(self._ticks, self._directory)
        self.messages[kind] += 1
        ts = int.from_bytes(message[TIMESTAMP], "big")
        if kind in "AF":
            yield self._add(message, ts)
        elif kind in "EC":
            yield from self._execute(kind, message, ts)
        elif kind in "XD":
            yield from self._reduce(kind, message, ts)
        elif kind == "U":
            yield from self._replace(message, ts)
        elif kind == "R":
            self._directory.add(message[DIRECTORY_STOCK].decode("ascii", "replace").strip())

    def _add(self, message: bytes, ts: int) -> MarketRecord:
        order_id, side_byte, shares, stock, price = _ADD.unpack_from(message, _BODY)
        side = SIDES.get(side_byte)
        if side is None:
            raise self._error("side", f"{side_byte!r} is neither B nor S")
        if not stock.isascii() or not stock.strip():
            raise self._error("stock", f"{stock!r} is no symbol")
        if shares < 1:
            raise self._error("shares", f"{shares} of an order must be positive")
        symbol = stock.decode("ascii").strip()
        px = self._px(symbol, price)
        self._orders[message[_LOCATE], order_id] = symbol, side, px, shares
        return MarketRecord(Action.ADD, ts, symbol, order_id, side, px, shares, True, self._offset)

    def _execute(self, kind: str, message: bytes, ts: int) -> Iterator[MarketRecord]:
        order_id, shares = _EXECUTE.unpack_from(message, _BODY)
        name = message[_LOCATE], order_id
        known = self._known(kind, name)
        if known is None:
            return
        symbol, side, px, leaves = known
        aggressor = OPPOSITE[side]
        if kind == "C":
            _, _, _, printable, price = _PRICED_EXECUTE.unpack_from(message, _BODY)
            px = self._px(symbol, price)
            if printable == b"N":  # part of a cross: no aggressor
                aggressor = 0
        if leaves > shares:
            self._orders[name] = symbol, side, known[2], leaves - shares
        else:
            del self._orders[name]
        at = self._offset
        yield MarketRecord(Action.TRADE, ts, symbol, 0, aggressor, px, shares, False, at)
        yield MarketRecord(Action.FILL, ts, symbol, order_id, side, known[2], shares, False, at)
        yield MarketRecord(Action.CANCEL, ts, symbol, order_id, side, known[2], shares, True, at)

    def _reduce(self, kind: str, message: bytes, ts: int) -> Iterator[MarketRecord]:
        if kind == "X":
            order_id, shares = _EXECUTE.unpack_from(message, _BODY)
        else:
            order_id, shares = int.from_bytes(message[_BODY : _BODY + 8], "big"), WHOLE_ORDER
        name = message[_LOCATE], order_id
        known = self._known(kind, name)
        if known is None:
            return
        symbol, side, px, leaves = known
        if leaves > shares:
            self._orders[name] = symbol, side, px, leaves - shares
        else:
            del self._orders[name]
        yield MarketRecord(Action.CANCEL, ts, symbol, order_id, side, px, shares, True, self._offset)

    def _replace(self, message: bytes, ts: int) -> Iterator[MarketRecord]:
        order_id, new_order_id, shares, price = _REPLACE.unpack_from(message, _BODY)
        locate = message[_LOCATE]
        known = self._known("U", (locate, order_id))
        if known is None:
            return
        symbol, side, _, _ = known
        px = self._px(symbol, price)
        del self._orders[locate, order_id]
        self._orders[locate, new_order_id] = symbol, side, px, shares
        yield MarketRecord(
            Action.RENAME, ts, symbol, order_id, side, px, shares, True, self._offset, new_order_id
        )

    def _known(self, kind: str, name: Name) -> tuple[str, int, int, int] | None:
        known = self._orders.get(name)
        if known is None:
            self.foreign[kind] += 1
        return known

    def _px(self, symbol: str, price: int) -> int:
        """Return a price of 1e-4 units in ticks."""
        units = self._units.get(symbol)
        if units is None:
            units = self._units[symbol] = max(1, int(self.tick(symbol).scaleb(PRICE_DECIMALS)))
        px, rest = divmod(price, units)
        if rest or not px:
            written = plain(Decimal(price).scaleb(-PRICE_DECIMALS))
            raise self._error("price", f"{written} of {symbol} is no positive multiple of its tick size")
        return px

    def _error(self, field: str, reason: str) -> InputError:
        return InputError(self.source.name, f"byte {self._offset}", field, reason)
