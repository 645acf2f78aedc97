"""Read-only views of the trading state for doors, notebooks and reports (L4 may import this)."""

from typing import Any

from engine.instruments import Catalogue, Currency, Instrument
from engine.records import words_text


def catalogue(state: Any) -> Catalogue:
    """Return the instruments and currencies that `state` (an array of one STATE record) knows."""
    s = state[0]
    currencies = [
        Currency(idx, words_text(row["code"]).decode(), int(row["decimals"]))
        for idx, row in enumerate(s["currencies"][: s["currencies_used"]])
    ]
    instruments = []
    for idx in range(int(s["books_used"])):
        row, book = s["listings"][idx], s["books"][idx]
        instruments.append(
            Instrument(
                idx,
                words_text(row["symbol"]).decode(),
                currencies[row["base"]],
                currencies[book["quote"]],
                int(row["tick_mantissa"]),
                int(row["tick_decimals"]),
                int(row["lot_mantissa"]),
                int(row["lot_decimals"]),
                int(book["scale"]),
            )
        )
    return Catalogue(currencies, instruments)
