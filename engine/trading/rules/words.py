"""The words that a rule of trading imports from `pinion`, and the numbers that they stand for.

Nothing here loads numpy, so a file of rules is as quick to import as any other; vocabulary.py asserts that
records have the same numbers.
"""

BUY, SELL = 1, 2
LIMIT, MARKET = 1, 2
GTC, DAY, IOC, FOK = 1, 2, 4, 5
SYMBOL_CHARACTERS_MAX = 8


def symbol(text: str) -> int:
    """Return the number that `order.symbol` has for an instrument; text : eight characters at most."""
    if not text or len(text.encode()) > SYMBOL_CHARACTERS_MAX:
        raise ValueError(
            f'symbol("{text}"): order.symbol tells symbols of one to eight characters apart; for a longer '
            f"one compare order.instrument, its place in the order of definition"
        )
    return int.from_bytes(text.encode(), "little", signed=True)
