"""Currencies, countries and texts as records have them."""

from itertools import product
from string import ascii_uppercase

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.payments.command_words import REQUEST_ID_WORDS
from engine.payments.countries import COUNTRIES_MAX, country_capitals, country_number
from engine.payments.currencies import CURRENCIES, LETTERS
from engine.payments.texts import text_words, words_text


@pytest.mark.parametrize(
    ("letters", "number", "exponent"), [("EUR", 978, 2), ("JPY", 392, 0), ("BHD", 48, 3), ("CLF", 990, 4)]
)
def test_a_currency_has_its_number_and_its_exponent(letters: str, number: int, exponent: int) -> None:
    assert CURRENCIES[letters] == (number, exponent)
    assert LETTERS[number] == letters


@pytest.mark.parametrize("letters", ["XAU", "XXX", "XTS", "eur", "EU", ""])
def test_what_has_no_exponent_is_no_currency(letters: str) -> None:
    assert letters not in CURRENCIES


def test_every_pair_of_capitals_has_a_number_of_its_own() -> None:
    pairs = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]

    numbers = [country_number(pair) for pair in pairs]

    assert numbers == list(range(COUNTRIES_MAX))
    assert [country_capitals(number) for number in numbers] == pairs


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=64))
def test_a_text_comes_back_from_its_words(text: str) -> None:
    words = text_words(text, REQUEST_ID_WORDS)

    assert words_text(words) == text
    assert np.array(words, "<i8").tobytes() == text.encode().ljust(64, b"\0")
