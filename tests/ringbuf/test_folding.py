"""Sixteen words in one: every bit counts, and no word stands for another."""

from types import FunctionType
from typing import Any

import numpy as np
import pytest

from ringbuf.atomics import COMPILED
from ringbuf.folding import COLUMNS, FOLDED_WORDS, TURNS, fold_words

ALL_BITS = 2**64 - 1


def folded(words: np.ndarray) -> int:
    """Return the same by the words of the docstring, in whole numbers."""
    total = 0
    for column, turn in enumerate(TURNS):
        value = 0
        for word in words[column::COLUMNS].tolist():
            value ^= word & ALL_BITS
        total ^= (value << turn | value >> (64 - turn)) & ALL_BITS
    return total


def random_words(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-(2**63), 2**63, (3, FOLDED_WORDS), np.int64)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("row", range(3))
def test_a_row_folds_as_it_is_written_down(seed: int, row: int) -> None:
    words = random_words(seed)

    assert int(fold_words(words, row)) & ALL_BITS == folded(words[row])


@pytest.mark.parametrize("seed", range(20))
def test_compiled_and_plain_are_one(seed: int) -> None:
    words = random_words(seed)
    compiled: Any = fold_words
    function = compiled.py_func if COMPILED else compiled
    plain = FunctionType(function.__code__, function.__globals__ | {"COMPILED": False})

    assert plain(words, 1) == compiled(words, 1)


def test_every_bit_counts() -> None:
    words = random_words(1)
    before = fold_words(words, 0)

    for word in range(FOLDED_WORDS):
        for bit in (0, 1, 31, 62):
            words[0, word] ^= np.int64(1 << bit)
            assert fold_words(words, 0) != before
            words[0, word] ^= np.int64(1 << bit)


def test_two_words_of_two_columns_are_not_mistaken_for_each_other() -> None:
    words = np.zeros((1, FOLDED_WORDS), np.int64)
    words[0, 0] = 5
    one = fold_words(words, 0)
    words[0, 0], words[0, 1] = 0, 5

    assert fold_words(words, 0) != one
