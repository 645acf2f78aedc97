"""A query is taken as it is written, or refused with the parameter and the mend."""

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.process.query_string import QueryFault, parameters, refuse_unknown

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_what_is_encoded_is_read_back(pairs: dict[str, str]) -> None:
    query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs.items())

    assert parameters(query) == pairs


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        ("symbol=", "symbol", "is empty; give it a value, or leave it out"),
        ("symbol", "symbol", "is empty"),
        ("account=5&symbol=&side=buy", "symbol", "is empty"),
        ("account=5&account=5", "account", "given more than once; give it once"),
        ("account=5&acc%6funt=6", "account", "given more than once"),
        ("symbo%6c=", "symbol", "is empty"),
        ("side=&side=", "side", "is empty"),
        ("=5", "query", "a parameter without a name"),
        ("account=5&", "query", "a parameter without a name"),
        ("&account=5", "query", "a parameter without a name"),
        ("account=5&&side=buy", "query", "a parameter without a name"),
        ("&", "query", "a parameter without a name"),
        ("a=%", "a", "two hexadecimal digits"),
        ("a=%zz", "a", "two hexadecimal digits"),
        ("a%=5", "query", "two hexadecimal digits"),
        ("a=%ff", "a", "is not UTF-8"),
        ("a=%ed%a0%80", "a", "is not UTF-8"),
        ("a=\udcff", "a", "is not UTF-8"),
    ],
)
def test_query_that_says_something_else_than_it_seems_is_refused(
    query: str, parameter: str, detail: str
) -> None:
    with pytest.raises(QueryFault, match=detail) as refused:
        parameters(query)

    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=+", {"a": " "}),
        ("a=%2B1&b=%00", {"a": "+1", "b": "\0"}),
        ("A=1&a=2", {"A": "1", "a": "2"}),
    ],
)
def test_only_ampersands_part_and_only_the_first_equals_sign_counts(
    query: str, found: dict[str, str]
) -> None:
    assert parameters(query) == found


def test_unknown_parameter_is_named_with_those_that_are_known() -> None:
    refuse_unknown({"side": "buy"}, ("account", "side"))

    with pytest.raises(QueryFault, match="sid 'buy': unknown parameter; known here: account, side"):
        refuse_unknown({"account": "5", "sid": "buy"}, ("account", "side"))
