"""Who gives way when too many have shown no key."""

from typing import Any

import pytest

from gateways.process.keyless import Keyless, quota_address


def test_oldest_gives_way_when_all_places_are_taken() -> None:
    keyless: Keyless[str] = Keyless(3, 9)
    assert [keyless.enter(each, None) for each in "abcde"] == [None, None, None, "a", "b"]
    assert len(keyless) == 3


def test_oldest_of_an_address_gives_way_to_its_next_and_nobody_else() -> None:
    keyless: Keyless[str] = Keyless(100, 2)
    keyless.enter("other", "192.0.2.9")
    assert [keyless.enter(each, "192.0.2.1") for each in "abcd"] == [None, None, "a", "b"]
    assert [keyless.enter(each, None) for each in "efgh"] == [None] * 4  # loopback is apart


def test_who_has_shown_a_key_gives_way_to_nobody() -> None:
    keyless: Keyless[str] = Keyless(2, 2)
    keyless.enter("keyed", "192.0.2.1")
    keyless.leave("keyed")
    keyless.leave("keyed")

    assert [keyless.enter(each, "192.0.2.1") for each in "abc"] == [None, None, "a"]


def test_newcomer_is_served_however_many_sit_there() -> None:
    keyless: Keyless[int | str] = Keyless(64, 8)
    for number in range(10_000):
        keyless.enter(number, None)

    assert keyless.enter("newcomer", None) == 10_000 - 64
    assert len(keyless) == 64


def test_nothing_of_those_who_left_is_kept() -> None:
    keyless: Keyless[int] = Keyless(4, 4)
    for number in range(1000):
        keyless.enter(number, f"192.0.2.{number % 250}")
        keyless.leave(number)

    assert (len(keyless), keyless._of_address) == (0, {})


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (("127.0.0.1", 5), None),
        (("127.9.9.9", 5), None),
        (("::1", 5, 0, 0), None),
        (("::ffff:127.0.0.1", 5, 0, 0), None),
        (("192.0.2.7", 5), "192.0.2.7"),
        (("::ffff:192.0.2.7", 5, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:9::", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        (None, None),
        ("", None),
    ],
)
def test_address_that_a_peer_is_counted_under(peer: Any, counted: Any) -> None:
    assert quota_address(peer) == counted
