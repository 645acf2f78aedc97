"""Arguments that several commands take: numbers by the grammar of all doors, with a range and a mend."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

from engine.text import numbers

DEFAULT_DATA = Path("var/data")


def whole_argument(low: int, high: int, example: int) -> Callable[[str], int]:
    """Return the reader of a whole number within [low, high]."""

    def read(text: str) -> int:
        number = numbers.whole(text)
        if number is None or not low <= number <= high:
            raise ArgumentTypeError(
                f"{text!r}: give a whole number from {low} to {high} in plain digits, such as {example}"
            )
        return number

    return read


def decimal_argument(low: float, high: float, what: str, example: str) -> Callable[[str], float]:
    """Return the reader of a number above `low` and up to `high`."""

    def read(text: str) -> float:
        number = float(text) if numbers.is_decimal(text) else low
        if not low < number <= high:
            bounds = f"above {low:g}, at most {high:.0f}"
            raise ArgumentTypeError(f"{text!r}: give {what} {bounds}, in plain digits, such as {example}")
        return number

    return read
