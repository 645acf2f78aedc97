"""The moment of arrival in a body."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinion.parity.asking.service import stamped

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4), st.integers(0, 2**45), st.sampled_from(["", " ", "\n"]))
def test_an_object_without_a_moment_gets_one_and_is_otherwise_the_same(
    fields: dict[str, object], at_ms: int, end: str
) -> None:
    body = json.dumps(fields) + end

    made = json.loads(stamped(body.encode(), at_ms))

    assert made == {"received_at": at_ms, **fields}


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"5", b'{"received_at":7}', b"\xff"])
def test_what_is_no_object_or_has_a_moment_stays_as_it_is(body: bytes) -> None:
    assert stamped(body, 5) == body


def test_a_field_that_stands_twice_still_does() -> None:
    assert stamped(b'{"a":1,"a":2}', 5) == b'{"a":1,"a":2,"received_at":5}'
