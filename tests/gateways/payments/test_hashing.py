"""Hashes of cards, devices and addresses, and the file of their key."""

import os
import stat
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from gateways.payments.hashing import KEY_BYTES, Hasher, HashKeyError, HashKind, hash_words, load_key

KEY = bytes(range(KEY_BYTES))
HASHER = Hasher(KEY)
PAN = "4111111111111111"


def test_a_hash_is_keyed_blake2b_with_the_kind_in_front() -> None:
    expected = blake2b(bytes((HashKind.PAN,)) + PAN.encode(), digest_size=16, key=KEY).digest()

    assert HASHER.pan(PAN) == expected
    assert Hasher(bytes(KEY_BYTES)).pan(PAN) != expected


def test_the_same_text_hashes_differently_as_each_kind() -> None:
    text = "1234567890123"
    hashes = [
        *(HASHER.pan(text), HASHER.token(text), HASHER.device(text), HASHER.email(text)),
        *(HASHER.operation(text), HASHER.request("m", text), HASHER.reversal("m", text)),
        *(HASHER.deposit(1, text), HASHER.body(b"pay", text.encode()), HASHER.fingerprint()),
    ]

    assert len(set(hashes)) == len(hashes)


def test_ids_of_two_parts_cannot_be_confused() -> None:
    assert HASHER.request("ab", "c") != HASHER.request("a", "bc")
    assert HASHER.deposit(1, "1x") != HASHER.deposit(11, "x")
    assert HASHER.body(b"void", b"{}") != HASHER.body(b"refund", b"{}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.2.3.4", "::ffff:1.2.3.4"),
        ("1.2.3.4", "::FFFF:102:304"),
        ("2001:db8::1", "2001:0db8:0:0:ffff::"),
    ],
)
def test_addresses_that_count_as_one(one: str, other: str) -> None:
    assert HASHER.ip(one) == HASHER.ip(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.2.3.4", "1.2.3.5"), ("2001:db8::", "2001:db8:0:1::"), ("1.2.3.4", "::1.2.3.4")],
)
def test_addresses_that_count_as_two(one: str, other: str) -> None:
    assert HASHER.ip(one) != HASHER.ip(other)


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "01.2.3.4", "1.2.3.4 ", "1.2.3.4\0", "fe80::1%eth0", "::g", "é", "\ud800", "1.2.3.٤"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason
        HASHER.ip(text)


def test_capitals_of_an_email_count_as_small_ones_in_ascii_alone() -> None:
    assert HASHER.email("Ann@Example.com") == HASHER.email("ann@example.com")
    assert HASHER.email("É@x") != HASHER.email("é@x")


def test_a_hash_is_two_words_of_a_record() -> None:
    digest = HASHER.pan(PAN)

    assert np.array(hash_words(digest), "<i8").tobytes() == digest


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "hash.key"

    key = load_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert load_key(path) == key == path.read_bytes()
    assert load_key(tmp_path / "other") != key


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (KEY, 0o640, "mode 640"),
        (KEY, 0o604, "mode 604"),
        (KEY[1:], 0o600, "32 bytes"),
        (KEY + b"\n", 0o600, "32 bytes"),
        (b"", 0o600, "32 bytes"),
    ],
)
def test_a_file_that_is_no_key_of_its_owner_is_refused(
    tmp_path: Path, content: bytes, mode: int, said: str
) -> None:
    path = tmp_path / "hash.key"
    path.write_bytes(content)
    os.chmod(path, mode)

    with pytest.raises(HashKeyError, match=said):
        load_key(path)

    assert path.read_bytes() == content


def test_a_key_in_a_folder_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(HashKeyError, match="hash_key_file"):
        load_key(tmp_path / "none" / "hash.key")
