"""Tick sizes as the caller gives them: none may be missing, none may name a symbol that the file lacks."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from difflib import get_close_matches

from engine.contract.errors import UsageError

SYMBOLS_SHOWN = 8


class TickError(UsageError):
    """The tick sizes given do not fit the file; the text names the mend."""


class MissingTick(TickError):  # noqa: N818 - says what it is
    """A symbol whose tick size the caller did not give."""

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"DBN carries no tick size: give --tick {symbol}=SIZE, for example --tick {symbol}=0.25"
        )
        self.symbol = symbol


class UnknownSymbol(TickError):  # noqa: N818 - says what it is
    """A tick size for a symbol that the file does not hold."""

    def __init__(self, symbol: str, held: Collection[str]) -> None:
        names = get_close_matches(symbol, held, SYMBOLS_SHOWN) or sorted(held)[:SYMBOLS_SHOWN]
        more = f" and {len(held) - len(names):,} more" if len(held) > len(names) else ""
        super().__init__(f"--tick {symbol}: the file has no such symbol; it has {', '.join(names)}{more}")
        self.symbol = symbol


def ticks_of(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return the tick size of each symbol; refuse a symbol that is given two."""
    found: dict[str, Decimal] = {}
    for symbol, tick in pairs:
        if symbol in found:
            raise TickError(f"--tick {symbol}: given twice, as {found[symbol]} and {tick}; give it once")
        found[symbol] = tick
    return found


def refuse_unknown(given: Collection[str], held: Collection[str]) -> None:
    """Refuse the first tick size for a symbol that is not in the file."""
    for symbol in given:
        if symbol not in held:
            raise UnknownSymbol(symbol, held)


def refuse_any(given: Collection[str]) -> None:
    """Refuse every tick size: JSON lines define their own instruments."""
    for symbol in given:
        raise TickError(f"--tick {symbol}: the file holds JSON lines, whose instruments name their tick_size")
