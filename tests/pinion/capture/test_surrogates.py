"""Surrogates of card numbers: one to one, fit as before, never the number itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.payments.values import passes_luhn
from pinion.capture.surrogates import Surrogates

KEY = bytes(range(32))
SURROGATES = Surrogates(KEY)

digits = st.text("0123456789", min_size=12, max_size=19)


def kept_of(pan: str) -> tuple[int, str, str, bool]:
    """Return what a surrogate shares with its number."""
    return len(pan), pan[: 8 if len(pan) >= 16 else 6], pan[-4:], passes_luhn(pan)


def valid(pan: str) -> str:
    """Return a number with the last digit that fits."""
    return next(f"{pan[:-1]}{last}" for last in range(10) if passes_luhn(f"{pan[:-1]}{last}"))


@given(digits)
def test_length_ends_and_fitness_stay_and_the_number_does_not(pan: str) -> None:
    for each in (pan, valid(pan)):
        surrogate = SURROGATES.of(each)

        assert kept_of(surrogate) == kept_of(each)
        assert surrogate != each
        assert SURROGATES.of(each) == surrogate


@given(digits, digits, st.integers(0, 2**256 - 1))
def test_two_numbers_have_two_surrogates_under_any_key(one: str, other: str, key: int) -> None:
    surrogates = Surrogates(key.to_bytes(32))
    near = one[:-5] + str((int(one[-5]) + 1) % 10) + one[-4:]

    made = {surrogates.of(each) for each in (one, other, near)}

    assert len(made) == len({one, other, near})


@pytest.mark.parametrize(
    ("begin", "width", "end"),
    [("501234", 2, "7890"), ("400000", 3, "0002"), ("360000", 4, "0000"), ("41111111", 4, "1111")],
)
def test_every_number_between_two_ends_has_a_surrogate_of_its_own(begin: str, width: int, end: str) -> None:
    pans = [f"{begin}{middle:0{width}}{end}" for middle in range(10**width)]

    made = [SURROGATES.of(pan) for pan in pans]

    assert sorted(made) == pans  # a permutation
    assert all(one != other for one, other in zip(made, pans, strict=True))
    assert [passes_luhn(each) for each in made] == [passes_luhn(each) for each in pans]


def test_a_number_of_twelve_digits_has_one_of_nine_others() -> None:
    pan = valid("501234567890")

    made = {Surrogates(bytes([key]) * 32).of(pan) for key in range(200)}

    assert len(made) == 9
    assert pan not in made


def test_keys_differ_in_surrogates_and_in_fingerprints() -> None:
    other = Surrogates(bytes(32))

    assert other.of("4111111111111111") != SURROGATES.of("4111111111111111")
    assert other.fingerprint != SURROGATES.fingerprint
    assert Surrogates(KEY).fingerprint == SURROGATES.fingerprint


@pytest.mark.parametrize(
    "pan", ["", "41111111111", "4" * 20, "41111111111x1111", "４１１１１１１１１１１１１１１１"]
)
def test_what_is_no_card_number_has_no_surrogate(pan: str) -> None:
    with pytest.raises(ValueError, match="give 12 to 19 digits"):
        SURROGATES.of(pan)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"a key of {length} bytes: give 32"):
        Surrogates(bytes(length))


@given(digits.map(valid), st.text('ab .,:"{}[]', max_size=9), st.text('ab .,:"{}[]', max_size=9))
def test_a_number_that_fits_is_replaced_wherever_it_stands(pan: str, before: str, behind: str) -> None:
    is_time = len(pan) == 13 and pan[0] == "1" and before.rstrip().endswith(":")

    text = SURROGATES.text(f"{before}{pan}{behind}")

    assert text == f"{before}{pan if is_time else SURROGATES.of(pan)}{behind}"


def test_what_is_no_card_number_stays() -> None:
    text = '{"amount":999999999999,"at":1764443594000,"from":"x1234","n":12345678901,"pan":"1234"}'

    assert SURROGATES.text(text) == text
    assert SURROGATES.text("?from=1764443594000&to=1764443595005") == "?from=1764443594000&to=1764443595005"
    assert SURROGATES.text("4111111111111112") == "4111111111111112"


def test_what_a_member_pan_says_is_replaced_fit_or_not_and_wherever_it_stands_again() -> None:
    wrong = "4111111111111112"

    text = SURROGATES.text(f'{{"card":{{"PAN" : "{wrong}"}},"device":"x{wrong}","other":"4111111111111113"}}')

    assert wrong not in text
    assert text.count(SURROGATES.of(wrong)) == 2
    assert "4111111111111113" in text
    assert SURROGATES.text(wrong, {wrong}) == SURROGATES.of(wrong)


def test_a_number_in_groups_keeps_what_stands_between_them() -> None:
    made = SURROGATES.of("4111111111111111")

    assert SURROGATES.text("4111 1111 1111 1111") == " ".join(made[at : at + 4] for at in range(0, 16, 4))
    assert SURROGATES.text("a 4111-1111-1111-1111.").replace("-", "") == f"a {made}."
    assert SURROGATES.text("12 4111111111111111 34") == f"12 {made} 34"
    assert SURROGATES.text("3782 822463 10005").replace(" ", "") == SURROGATES.of("378282246310005")


def test_of_a_longer_run_only_the_first_digits_stay() -> None:
    run = "41111111111111112512345"

    text = SURROGATES.text(f"x{run}y")

    assert len(text) == len(run) + 2
    assert text[:7] == f"x{run[:6]}"
    assert run[6:16] not in text
    assert SURROGATES.text(f"x{run}y") == text
