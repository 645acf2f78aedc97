"""A set of rules as the words of a command: its base parameters, its order and its hash.

The hash says what a set decides: it covers the parameters, the order, the user rules and the table of reply
codes, so sets that decide alike have one id wherever they come from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import blake3
import numpy as np
import numpy.typing as npt

from engine.payments.codes import TABLE
from engine.payments.command_words import (
    HASH_WORDS,
    ORDER_WORDS,
    SETTINGS_HASH,
    SETTINGS_LIMITS,
    SETTINGS_ORDER,
    SETTINGS_SOURCE,
    SOURCE_WORDS,
)
from engine.payments.records import LIMITS, RULES, TEXT_WORD_BYTES

LIMIT_WORDS = slice(SETTINGS_LIMITS, SETTINGS_LIMITS + len(LIMITS))
ORDER = slice(SETTINGS_ORDER, SETTINGS_ORDER + ORDER_WORDS)
HASH = slice(SETTINGS_HASH, SETTINGS_HASH + HASH_WORDS)
SOURCE = slice(SETTINGS_SOURCE, SETTINGS_SOURCE + SOURCE_WORDS)
NO_SOURCE = bytes(SOURCE_WORDS * TEXT_WORD_BYTES)
WORD_BYTES = TEXT_WORD_BYTES


def put_rules(
    words: npt.NDArray[np.int64],
    limits: Mapping[str, int],
    order: Sequence[str],
    source: bytes = NO_SOURCE,
) -> None:
    """Write a set into the words of a SETTINGS or a RULESET.

    limits : by the names of LIMITS, -1 for off
    source : the hash of its user rules (engine/rules/store.py)
    """
    words[LIMIT_WORDS] = [limits[name] for name in LIMITS]
    words[ORDER] = _bytes_words(bytes(1 + RULES.index(name) for name in order), ORDER_WORDS)
    words[HASH] = _bytes_words(hash_of(limits, order, source), HASH_WORDS)
    words[SOURCE] = _bytes_words(source, SOURCE_WORDS)


def hash_of(limits: Mapping[str, int], order: Sequence[str], source: bytes) -> bytes:
    """Return the hash of a set."""
    codes = [tuple(map(str, row)) for row in TABLE]
    said = [(name, limits[name]) for name in LIMITS], list(order), source.hex(), codes
    return blake3.blake3(repr(said).encode()).digest(length=HASH_WORDS * WORD_BYTES)


def order_of(place: Sequence[int]) -> tuple[str, ...]:
    """Return the rules that are on in their order, of the places of a RULESET."""
    on = [rule for rule in range(1, len(place)) if place[rule] < len(place)]
    return tuple(RULES[rule - 1] for rule in sorted(on, key=place.__getitem__))


def limits_of(values: Any) -> dict[str, int]:
    """Return the base parameters of a RULESET by their names."""
    return dict(zip(LIMITS, map(int, values), strict=True))


def _bytes_words(raw: bytes, count: int) -> npt.NDArray[np.int64]:
    return np.frombuffer(raw.ljust(count * WORD_BYTES, b"\0"), "<i8")
