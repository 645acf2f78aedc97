"""A key that stands twice is found in every text, however it is spelt, and in no other text."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault, TooMany

NAMES = st.sampled_from(("side", "price", "a", "b", ":", "a:b", "", "é", "😀", '"', "\\", "\x00"))
SCALARS = st.sampled_from(
    ("1", "-0", "1.5", "1e3", "true", "null", '""', '":"', '"a:{b:[c,"', '"\\u003a"', '"\\""')
)
SPACE = st.sampled_from(("", "", " ", "\n", "\r\n", "\t"))


@st.composite
def spelt(draw: st.DrawFn, name: str) -> str:
    """Draw one of the ways in which JSON can write a text: each character plain or escaped."""
    plain = json.dumps(name, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        return plain
    units = name.encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return '"' + "".join(f"\\u{code:04{draw(st.sampled_from('xX'))}}" for code in codes) + '"'


@st.composite
def texts(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a JSON text; a few names only, so that many objects have one of them twice."""
    shape = draw(st.integers(0, 5)) if depth else 5
    left, right = draw(SPACE), draw(SPACE)
    inner = texts(depth=depth - 1)
    if shape <= 2:
        names = draw(st.lists(NAMES, max_size=4))
        pairs = (f"{draw(spelt(name))}{left}:{right}{draw(inner)}" for name in names)
        return f"{left}{{{left}{(',' + right).join(pairs)}}}{right}"
    if shape <= 4:
        return f"[{left}{','.join(draw(inner) for _ in range(draw(st.integers(0, 3))))}{right}]"
    return f"{left}{draw(SCALARS)}{right}"


def has_doubled_key(text: str) -> bool:
    """Tell whether a key stands twice, by a parser of every pair."""
    found: list[bool] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        found.append(any(names.count(name) > 1 for name in names))
        return dict(pairs)

    json.loads(text, object_pairs_hook=look)
    return any(found)


@settings(max_examples=500, deadline=None)
@given(text=texts())
def test_doubled_key_is_found_in_every_text_and_in_no_other(text: str) -> None:
    for raw in (text, text.encode()):
        if has_doubled_key(text):
            with pytest.raises(DoubledKey):
                exact_json.decode(raw)
        else:
            assert exact_json.decode(raw) == json.loads(text)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(texts(), max_size=4))
def test_elements_of_an_array_are_judged_one_by_one(parts: list[str]) -> None:
    found = exact_json.elements(f"[{','.join(parts)}]", 4)

    assert [isinstance(each, DoubledKey) for each in found] == [has_doubled_key(part) for part in parts]


@settings(max_examples=200, deadline=None)
@given(pairs=st.lists(st.tuples(NAMES, texts()), max_size=4))
def test_members_of_an_object_are_found_doubled_or_left_as_texts(pairs: list[tuple[str, str]]) -> None:
    text = "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"
    names = [name for name, _ in pairs]

    if len(set(names)) < len(names):
        with pytest.raises(DoubledKey):
            exact_json.members(text.encode())
    elif not any(has_doubled_key(value) for _, value in pairs):
        found = exact_json.members(text.encode())
        assert {name: json.loads(value) for name, value in found.items()} == {
            name: json.loads(value) for name, value in pairs
        }


@pytest.mark.parametrize(
    ("text", "key", "given"),
    [
        ('{"side":"buy","side":"sell"}', "side", ["buy", "sell"]),
        ('{"side":"buy","si\\u0064e":"sell"}', "side", ["buy", "sell"]),
        ('{"a":1,"b":{"c":1,"c":[2]}}', "c", ["1", ["2"]]),
        ('[{"a":1},{"a":{"x":1},"a":null}]', "a", [{}, None]),
        ('{"":1,"":2}', "", ["1", "2"]),
    ],
)
def test_doubled_key_is_named_with_what_stands_under_it(text: str, key: str, given: list[Any]) -> None:
    with pytest.raises(DoubledKey, match="given twice in one object; give it once") as fault:
        exact_json.decode(text)

    assert (fault.value.key, fault.value.given) == (key, given)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "truncated"),
        (b"\x00{}", "invalid character"),
        (b"{}\x00", "trailing"),
        (b'{"a":1}{"a":2}', "trailing"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark; save it as UTF-8 without one"),
        ('\ufeff{"a":1}', "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "malformed"),
        (b'{"\xff":1}', "utf-8"),
        (b'{"a":"\xed\xa0\x80"}', "utf-8"),
        (b'{"\\ud800":1}', "truncated|surrogate"),
        ('{"a":"\ud800"}', "surrogates not allowed"),
        (b'{"a":NaN}', "malformed"),
        (b'{"a":Infinity}', "malformed"),
        (b'{"a":01}', "malformed"),
        (b'{"a":+1}', "malformed"),
        (b'{"a":1,}', "trailing comma"),
        (b"{'a':1}", "malformed"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"a":' * 990 + b"1" + b"}" * 990, "nested too deep"),
        (b'{"a":":","b":' + b"[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_json_is_told_and_nothing_else_is_raised(raw: bytes | str, told: str) -> None:
    with pytest.raises(JsonFault, match=f"(?i){told}"):
        exact_json.decode(raw)


def test_numbers_of_any_length_are_looked_past() -> None:
    raw = b'{"a":":","b":' + b"1" * 600 + b"." + b"2" * 20_000 + b"}"

    assert set(exact_json.decode(raw)) == {"a", "b"}


def test_fraction_beyond_the_range_of_a_float_is_left_to_whoever_knows_its_field() -> None:
    assert isinstance(exact_json.decode('{"price":1e400}')["price"], float)


BYTES = st.sampled_from(
    (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\x01", b"\xef\xbb\xbf", b'"', b"[", b"{", b":", b",")
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Draw a JSON text into which something was put that does not belong there."""
    raw = draw(texts()).encode()
    at = draw(st.integers(0, len(raw)))
    return raw[:at] + draw(BYTES) + raw[at:]


@settings(max_examples=1000, deadline=None)
@given(raw=st.one_of(spoilt(), st.binary()))
@example(raw=b'{"orders":[],"orders":"\xff"}')
@example(raw=b'{"orders":["\xff"],"a:b":1}')
@example(raw=b'{"orders":"\xed\xa0\x80"}')
@example(raw=b'{"a:b":"\x01"}')
def test_bytes_are_read_or_refused_and_never_fail(raw: bytes) -> None:
    for read in (exact_json.decode, lambda text: exact_json.elements(text, 1000), exact_json.members):
        try:
            read(raw)
        except JsonFault:
            continue
        raw.decode()  # what is read is UTF-8, whatever was left as its text


def test_elements_are_counted_before_any_is_read() -> None:
    assert exact_json.elements("[1,2,3]", 3) == [1, 2, 3]
    with pytest.raises(TooMany, match="4 elements; at most 3 are read") as fault:
        exact_json.elements('[1,{"a":1,"a":2},3,4]', 3)

    assert fault.value.count == 4
