"""Parts of a capture that may suffice for a difference."""

from pinion.parity.minimise.related import parts
from pinion.parity.pairs import Pair
from tests.pinion.parity.pairs import PAYMENTS, paid, pair, pay

CARD, OTHER = {"token": "t-1", "expiry": "4912"}, {"token": "t-2", "expiry": "4912"}


def line(n: int, body: bytes) -> Pair:
    return pair(n, body, None, path=f"{PAYMENTS}/admin")


def numbers(pairs: list[Pair]) -> list[list[int]]:
    """Return the numbers of the pairs of each part."""
    return [[each.n for each in part] for part in parts(pairs)]


def test_parts_grow_from_the_last_request_alone_to_everything() -> None:
    pairs = [pair(n, pay(f"r{n}", account=n, merchant=f"m{n}", card=OTHER), None) for n in range(1, 20)]
    pairs.append(pair(20, pay("r20", account=20, merchant="m20", card=CARD), None))

    found = numbers(pairs)

    assert found[0] == [20]
    assert found[-1] == list(range(1, 21))
    assert [len(part) for part in found] == sorted(len(part) for part in found)
    assert all(part[-1] == 20 and part == sorted(part) for part in found)


def test_what_shares_a_card_an_account_or_a_device_is_a_part() -> None:
    pairs = [
        pair(1, pay("r1", card=CARD, account=1, merchant="a"), None),
        pair(2, pay("r2", card=OTHER, account=2, merchant="b", device="d"), None),
        pair(3, pay("r3", card=OTHER, account=9, merchant="c"), None),
        pair(4, pay("r4", card=CARD, account=9, merchant="d", device="d"), None),
    ]

    found = numbers(pairs)

    assert [4] in found
    assert [1, 4] in found  # the card
    assert [2, 4] in found  # the device
    assert [3, 4] in found  # the account
    assert [1, 3, 4] in found  # card and account


def test_an_operation_has_to_do_with_its_payment_and_with_what_that_has_to_do_with() -> None:
    pairs = [
        pair(1, pay("r1", card=CARD, account=5, merchant="a"), None),
        pair(2, pay("r2", card=CARD, account=6, merchant="b"), paid("x-2", "r2")),
        pair(3, pay("r3", card=OTHER, account=7, merchant="c"), paid("x-3", "r3")),
        pair(4, {"request_id": "c"}, None, path=f"{PAYMENTS}/x-2/capture"),
    ]

    found = numbers(pairs)

    assert [2, 4] in found
    assert [1, 2, 4] in found


def test_set_up_comes_with_what_it_names_and_nothing_else_does() -> None:
    pairs = [
        line(1, b'{"op":"merchant","merchant":"m1"}'),
        line(2, b'{"op":"merchant","merchant":"m2"}'),
        line(3, b'{"op":"account","account":1}'),
        line(4, b'{"op":"list","list":"lost","add":["t-1"]}'),
        line(5, b'{"op":"list","list":"block_bin","add":["411111"]}'),
        line(6, b"not JSON"),
        pair(7, pay("r", card=CARD), None),
    ]

    assert numbers(pairs)[0] == [1, 3, 4, 7]
    by_bin = [*pairs[:-1], pair(7, pay("r"), None)]
    assert numbers(by_bin)[0] == [1, 3, 5, 7]
