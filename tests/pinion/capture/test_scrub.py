"""What is kept of bodies, paths and headers."""

import gzip
import json
import zlib
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinion.capture.records import Body
from pinion.capture.scrub import NOT_KEPT, SECRET, UNPACKED_MAX, Scrub, without_secrets
from pinion.capture.surrogates import Surrogates

SURROGATES = Surrogates(bytes(range(32)))
SCRUB = Scrub(SURROGATES)
PAN = "4111111111111111"
MADE = SURROGATES.of(PAN)


def kept_of(body: bytes, coding: str) -> Body:
    """Return what is kept of a body, of a request as of a reply."""
    kept, _ = SCRUB.request(body, coding)
    assert SCRUB.reply(body, coding) == kept
    return kept


scalars = st.none() | st.booleans() | st.integers(0, 10**9) | st.text('ab"\\{}[],: é', max_size=8)
names = st.sampled_from(["a", "b", "cvv_result", "pinned"]) | st.text('xy"\\', max_size=4)
secrets = st.sampled_from([*SECRET, "CVV", "Pin_Block", "TRACK2"])
clean = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def with_secrets(value: Any, draw: Any) -> Any:
    """Return a value with secret members put in anywhere."""
    if isinstance(value, list):
        return [with_secrets(each, draw) for each in value]
    if isinstance(value, dict):
        members = [(name, with_secrets(each, draw)) for name, each in value.items()]
        for name in draw(st.lists(secrets, max_size=3, unique_by=str)):
            members.insert(draw(st.integers(0, len(members))), (name, draw(clean)))
        return dict(members)
    return value


@settings(max_examples=60)
@given(clean, st.data(), st.sampled_from([None, 1]), st.booleans())
def test_secret_members_go_at_any_depth_and_nothing_else_does(
    value: Any, data: st.DataObject, indent: int | None, is_ascii: bool
) -> None:
    text = json.dumps(with_secrets(value, data.draw), indent=indent, ensure_ascii=is_ascii)

    assert json.loads(without_secrets(text)) == value


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"a": 1,  "b":2.50}', '{"a": 1,  "b":2.50}'),
        ('{"a":1,"a":2}', '{"a":1,"a":2}'),
        ('{"cvv":"123"}', "{}"),
        ('{"CVV2":"1","b":1}', '{"b":1}'),
        ('{"b":1 , "cvc":{"x":[1,"}"]}}', '{"b":1 }'),
        ('{"cvv":1,"pin":2,"track":3}', "{}"),
        ('{"a":1,"cvv":1,"pin":2}', '{"a":1}'),
        ('{"c\\u0076v":"123"}', "{}"),
        ('{"x":"\\\\u0063vv"}', '{"x":"\\\\u0063vv"}'),
        ('{"x":"a \\"cvv\\" b"}', '{"x":"a \\"cvv\\" b"}'),
        ('{"x":"{\\"cvv\\": \\"123\\", \\"a\\":1}"}', '{"x":"{ \\"a\\":1}"}'),
        ('{"x":"{\\"PIN\\":1234}"}', '{"x":"{}"}'),
        ('{"x":"\\"{\\\\\\"cvv\\\\\\":1}\\""}', '{"x":"\\"{}\\""}'),
        ('{"cvv":"12', "{"),
        ('{"cvv":12,"a":', '{"a":'),
        ("cvv=123&a=1", "a=1"),
        ("a=1&PIN=1234", "a=1&"),
        (f"%63vv=1&pan=%34{PAN[1:]}&b=%20%2f%41", f"pan={MADE}&b=%20%2fA"),
        ('{"a":"%34"}', '{"a":"%34"}'),
        ('{"note":"a&pin=1"}', '{"note":"a&pin=1"}'),
        ('{"cvv_result":"match"}', '{"cvv_result":"match"}'),
        (f'{{"pan":"{PAN}"}}', f'{{"pan":"{MADE}"}}'),
        (f'{{"pan":{PAN}}}', f'{{"pan":{MADE}}}'),
        ('{"pan":"\\u0034111111111111111"}', f'{{"pan":"{MADE}"}}'),
        (f'{{"{PAN}":1}}', f'{{"{MADE}":1}}'),
        ("", ""),
        ("\ufeff{}", "\ufeff{}"),
        ('\ufeff {"c\\u0076v":1}', "\ufeff {}"),
    ],
)
def test_a_body_stays_as_it_was_written_but_for_what_nobody_may_keep(body: str, kept: str) -> None:
    assert kept_of(body.encode(), "") == kept


def test_a_body_that_nests_too_deep_to_be_read_loses_its_secrets_all_the_same() -> None:
    deep = "[" * 100_000

    kept = kept_of(f'{{"track":{deep},"cvv":"123"'.encode(), "")

    assert "123" not in str(kept)


def test_a_body_that_is_no_text_is_kept_as_bytes_without_card_numbers() -> None:
    kept = kept_of(b"\xff\x00" + PAN.encode(), "")

    assert isinstance(kept, dict)
    assert b64decode(kept["base64"]) == b"\xff\x00" + MADE.encode()


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le"])
def test_a_body_in_another_encoding_of_json_is_kept_as_text(coding: str) -> None:
    kept = kept_of(f'{{"pan":"{PAN}","cvv":"1"}}'.encode(coding), "")

    assert kept == f'{{"pan":"{MADE}"}}'


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_body_is_kept_unpacked(coding: str, pack: Any) -> None:
    body = f'{{"pan":"{PAN}","cvv":"1"}}'.encode()

    assert kept_of(pack(body), coding) == f'{{"pan":"{MADE}"}}'


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"whatever", "br"),
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}")[:-9], "gzip"),
        (gzip.compress(bytes(UNPACKED_MAX + 1)), "gzip"),
    ],
    ids=["unknown", "wrong", "torn", "too large"],
)
def test_a_packed_body_into_which_nobody_can_look_is_not_kept(body: bytes, coding: str) -> None:
    assert kept_of(body, coding) == NOT_KEPT


def test_a_reply_says_the_surrogate_of_what_its_request_said() -> None:
    wrong = "4111111111111112"
    _, pans = SCRUB.request(f'{{"card":{{"pan":"{wrong}"}}}}'.encode(), "")

    kept = SCRUB.reply(f'{{"detail":"card {wrong}"}}'.encode(), "", pans)

    assert kept == f'{{"detail":"card {SURROGATES.of(wrong)}"}}'


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/payments", "/v1/payments"),
        (f"/cards/{PAN}", f"/cards/{MADE}"),
        (f"/cards/%34{PAN[1:]}", f"/cards/{MADE}"),
        ("/a%2Fb?%63VV=1&x=%25", "/a%2Fb?x=%25"),
        ("/v1/payments?from=1764443594000&cvv=123&limit=1", "/v1/payments?from=1764443594000&limit=1"),
    ],
)
def test_a_path_is_kept_without_card_numbers_and_secrets(path: str, kept: str) -> None:
    assert SCRUB.path(path) == kept
