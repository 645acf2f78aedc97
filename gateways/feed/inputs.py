"""A file as commands (interface R2) for a running instance: JSON lines as they are, market data reproduced.

A live door answers later than the next record is due, so the reproduction assumes the
fills that the file itself reports. The instance keeps its own clock: `time` lines are left out.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gateways.files.client_ids import ClientIds
from gateways.files.comparison import Comparison, Fill
from gateways.files.dbn import DbnReader
from gateways.files.itch import ItchReader
from gateways.files.market import events_of
from gateways.files.reproduction import Reproduction
from gateways.files.source import Format, InputError, Source
from gateways.files.starting_book import StartingBook
from gateways.files.ticks import refuse_any
from gateways.files.venue_setup import instrument_line
from gateways.json_lines import MalformedCommand, decode_object

Fields = dict[str, Any]
REASON_CHARS_MAX = 400
SIDE_NAMES = {1: "buy", 2: "sell"}


def commands_of(source: Source, ticks: Mapping[str, Decimal], first_account: int) -> Iterator[Fields]:
    """Return the commands of an input, in order.

    first_account : market data trades through this account (the house) and the next (the aggressor)
    """
    if source.format is Format.JSON_LINES:
        refuse_any(ticks)
        return _lines(source)
    return _market(source, ticks, first_account)


def _lines(source: Source) -> Iterator[Fields]:
    for line in source.lines():
        if not line or line.isspace():
            continue
        try:
            fields = decode_object(line)
            op = fields.get("op")
            if not isinstance(op, str):
                raise MalformedCommand("op", op, "give the name of an operation, such as 'new'")
        except MalformedCommand as fault:
            raise line_error(source, fault) from None
        if op != "time":
            yield fields


def line_error(source: Source, fault: MalformedCommand) -> InputError:
    """Return the error of the line that was read last."""
    reason = f"{fault.value!r}: {fault.detail}"[:REASON_CHARS_MAX]
    return InputError(source.name, f"line {source.line_number}", fault.field, reason)


def _market(source: Source, ticks: Mapping[str, Decimal], first_account: int) -> Iterator[Fields]:
    reader = (DbnReader if source.format is Format.DBN else ItchReader)(source, ticks)
    comparison, client_ids = Comparison(), ClientIds()
    starts: dict[str, StartingBook] = {}
    out: list[Fields] = []
    fault: InputError | None = None
    try:
        for event in events_of(reader.records()):
            symbol = event[0].symbol
            start = starts.get(symbol)
            if not starts:  # not before the file has shown that it holds something to play
                for account in (first_account, first_account + 1):
                    yield {"op": "account", "account": account, "unlimited": True}
            if start is None:
                tick = reader.tick(symbol)
                yield instrument_line(symbol, tick)
                writer = CommandWriter(out, symbol, tick, first_account)
                start = starts[symbol] = StartingBook(Reproduction(writer, comparison, client_ids))
            start.play(event)
            yield from out
            out.clear()
    except InputError as broken:
        fault = broken
    for start in starts.values():
        start.finish()
        yield from out
        out.clear()
    if fault is not None:  # what came before it is played first, that which was held back too
        raise fault


class CommandWriter:
    """The engine of a reproduction that only writes down what it is told."""

    def __init__(self, out: list[Fields], symbol: str, tick: Decimal, first_account: int) -> None:
        self._out = out
        self._symbol = symbol
        self._tick = tick
        self._house, self._aggressor = first_account, first_account + 1

    def clock(self, ts: int) -> None:
        """Do nothing: a running instance has its own clock."""

    def new(self, client_id: int, side: int, px: int, size: int) -> list[Fill] | None:
        """Enter a limit order of the house account."""
        fields = self._order(self._house, side, px, size)
        fields["client_order_id"] = client_id
        self._out.append(fields)
        return None

    def trade(self, side: int, px: int, size: int) -> list[Fill] | None:
        """Enter an IOC order of the aggressor account."""
        fields = self._order(self._aggressor, side, px, size)
        fields["time_in_force"] = "ioc"
        self._out.append(fields)
        return None

    def cancel(self, client_id: int) -> None:
        """Cancel an order of the house account."""
        self._out.append({"op": "cancel", "account": self._house, "client_order_id": client_id})

    def replace(self, client_id: int, px: int, total: int) -> list[Fill] | None:
        """Change price and total size of an order of the house account."""
        self._out.append(
            {
                "op": "replace",
                "account": self._house,
                "client_order_id": client_id,
                "price": f"{px * self._tick:f}",
                "quantity": total,
            }
        )
        return None

    def clear(self) -> None:
        """Cancel every order of the house account in this book."""
        self._out.append({"op": "mass_cancel", "account": self._house, "symbol": self._symbol})

    def refusals(self) -> list[str]:
        """Return none: the door counts what the instance refuses, whose answers come later than this."""
        return []

    def _order(self, account: int, side: int, px: int, size: int) -> Fields:
        return {
            "op": "new",
            "account": account,
            "symbol": self._symbol,
            "side": SIDE_NAMES[side],
            "price": f"{px * self._tick:f}",
            "quantity": size,
            "self_trade_prevention": "none",
        }
