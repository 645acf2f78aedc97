"""The catalogue of a state: its instruments and currencies, by name and by index."""

from typing import Any

from engine.trading.instruments import Catalogue, Currency, Instrument
from engine.trading.records import words_text


def catalogue(state: Any) -> Catalogue:
    """Return the instruments and currencies that `state` (an array of one STATE record) knows."""
    found = Catalogue([], [])
    extend(found, state[0])
    return found


def extend(known: Catalogue, s: Any) -> None:
    """Add the currencies and instruments that were defined since; both only ever grow.

    s : the STATE record
    """
    # Read first: a live state may grow meanwhile, and an instrument comes after its currencies.
    instrument_count = int(s["books_used"])
    for idx in range(len(known.currencies), int(s["currencies_used"])):
        row = s["currencies"][idx]
        currency = Currency(idx, words_text(row["code"]).decode(), int(row["decimals"]))
        known.currencies.append(currency)
        known.currency_by_code[currency.code] = currency
    for idx in range(len(known.instruments), instrument_count):
        row, book = s["listings"][idx], s["books"][idx]
        instrument = Instrument(
            idx,
            words_text(row["symbol"]).decode(),
            known.currencies[row["base"]],
            known.currencies[book["quote"]],
            int(row["tick_mantissa"]),
            int(row["tick_decimals"]),
            int(row["lot_mantissa"]),
            int(row["lot_decimals"]),
            int(book["scale"]),
        )
        known.instruments.append(instrument)
        known.instrument_by_symbol[instrument.symbol] = instrument
