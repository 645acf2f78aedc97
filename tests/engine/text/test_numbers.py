"""One grammar of numbers, and that every number of a command line has it."""

from argparse import ArgumentTypeError
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import numbers
from engine.trading.instruments import RefusedAtDoor, decimal_from
from pinion.cli.arguments import decimal_argument, whole_argument
from pinion.cli.main import main

NO_WHOLES = (
    *(
        "",
        "-",
        "+5",
        "--5",
        "5_0",
        "1_000",
        " 5",
        "5 ",
        "5\n",
        "\t5",
        "5\u00a0",
        "\ufeff5",
        "5\0",
        "0x5",
        "5e0",
    ),
    *(
        "1e3",
        "1E3",
        "٣",
        "１２",
        "²",
        "½",
        "Ⅳ",
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "true",
        "five",
        "5,0",
        "5;5",
    ),
    *("\u22125", "0" * 41, "5" * 500),
)
"""What Python, or a hasty reader, takes for a whole number, and a few that nobody does."""
NO_DECIMALS = (
    *NO_WHOLES,
    "10.",
    ".5",
    "-.5",
    "1.2.3",
    "1.-2",
    "1. 5",
    "1.5e1",
    "1,5",
    "1_0.5",
    "1.5_0",
    "１.5",
)
"""The same for numbers with a fraction."""


@pytest.mark.parametrize("text", NO_WHOLES)
def test_other_spellings_are_no_whole_number(text: str) -> None:
    assert numbers.whole(text) is None


@pytest.mark.parametrize("text", NO_DECIMALS)
def test_other_spellings_are_no_decimal_number(text: str) -> None:
    assert not numbers.is_decimal(text)
    with pytest.raises(
        RefusedAtDoor, match=r'price .*: not a decimal number: write it like "10.05", in plain'
    ):
        decimal_from(text, "price")


@pytest.mark.parametrize("value", [True, False, None, 1.5, 1e3, float("nan"), [], {}, b"5", Decimal(5)])
def test_other_types_are_no_decimal_number(value: object) -> None:
    with pytest.raises(RefusedAtDoor, match=r'give a decimal string such as "10.05" or a whole JSON number'):
        decimal_from(value, "price")


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("-0", 0), ("007", 7), ("-12", -12), ("9" * 40, 10**40 - 1)]
)
def test_whole_number_may_have_a_minus_and_leading_zeros(text: str, number: int) -> None:
    assert numbers.whole(text) == number
    assert decimal_from(text, "price") == decimal_from(number, "price") == number


@given(st.from_regex(r"\A-?[0-9]{1,20}(\.[0-9]{1,18})?\Z", alphabet=st.characters(max_codepoint=127)))
def test_every_number_of_the_grammar_is_read_exactly(text: str) -> None:
    assert decimal_from(text, "price") == Decimal(text)
    assert numbers.whole(text) == (None if "." in text else int(text))


@given(st.text(max_size=12))
def test_no_other_text_is_a_number(text: str) -> None:
    is_plain = bool(text) and set(text.removeprefix("-")) <= set("0123456789") and text != "-"

    assert (numbers.whole(text) is not None) == is_plain


@pytest.mark.parametrize("text", [*NO_DECIMALS, "0", "-5", "1000000001"])
def test_rate_of_the_command_line_is_a_plain_number_in_range(text: str) -> None:
    with pytest.raises(
        ArgumentTypeError, match="give commands a second above 0, at most 1000000000, in plain"
    ):
        decimal_argument(0, 1e9, "commands a second", "10000")(text)


@pytest.mark.parametrize("text", [*NO_WHOLES, "0", "-5", "1.5", "101"])
def test_whole_number_of_the_command_line_is_plain_and_in_range(text: str) -> None:
    with pytest.raises(
        ArgumentTypeError, match="give a whole number from 1 to 100 in plain digits, such as 7"
    ):
        whole_argument(1, 100, 7)(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--api-port", "{}"),
        ("up", "--order-port", "{}"),
        ("feed", "flow", "--to", "ring:nowhere", "--rate", "{}"),
        ("feed", "flow", "--to", "ring:nowhere", "--tick", "ESH4={}"),
        ("replay", "nothing", "--tick", "ESH4={}"),
        ("journal", "dump", "nothing", "--from", "{}"),
        ("journal", "dump", "nothing", "--to", "{}"),
        ("journal", "quarantine", "{}"),
        ("digest", "--wait", "{}"),
    ],
)
@pytest.mark.parametrize("text", ["1_000", "１２", " 5", "+5", "1e3", "nan", ""])
def test_every_number_of_the_command_line_has_the_one_grammar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], text: str
) -> None:
    *begin, last = arguments

    with pytest.raises(SystemExit) as ended:
        main([*begin, last.format(text)])

    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert repr(text) in told or f"ESH4={text}" in told
    assert "plain digits" in told or "ESH4=0.25" in told
