r"""How a number is written: one grammar for every door, file and command line (interface R2).

    -?[0-9]+(\.[0-9]+)?    ASCII, at most 40 characters, leading zeros allowed

Python's own readers take far more, and each of them something else: "1_000", " 5", "+5", "1e3",
"NaN", digits of every script. So no text of others reaches int(), float() or Decimal() but through here.
"""

import re

NUMBER_CHARS_MAX = 40
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")


def is_decimal(text: str) -> bool:
    """Tell whether a text is a number, with or without a fraction."""
    return len(text) <= NUMBER_CHARS_MAX and _DECIMAL.fullmatch(text) is not None


def whole(text: str) -> int | None:
    """Return the whole number that a text is, None where it is none."""
    if len(text) > NUMBER_CHARS_MAX or _WHOLE.fullmatch(text) is None:
        return None
    return int(text)
