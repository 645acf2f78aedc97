"""An Idempotency-Key used twice."""

from typing import Any

from gateways.entry.outcome import OrderReply
from gateways.entry.refusals import Refusal
from gateways.http.idempotency import REUSED, KeyMemory
from gateways.http.problems import problem_of

ACCEPTED = OrderReply(1, "k", "open", "0", "5", [], None, 1)
DUPLICATE = Refusal("duplicate", "used before", order_id=1)


def order(client_order_id: Any, account: Any = 1) -> Any:
    return {"op": "new", "account": account, "client_order_id": client_order_id}


def test_repeat_with_another_body_says_so() -> None:
    memory = KeyMemory()
    memory.judge("ann", order("k"), b"one", ACCEPTED)

    same = memory.judge("ann", order("k"), b"one", DUPLICATE)
    other = memory.judge("ann", order("k"), b"two", DUPLICATE)

    assert same is DUPLICATE
    assert isinstance(other, Refusal)
    assert (problem_of(other).status, other.detail, other.order_id) == (409, REUSED, 1)


def test_uuid_is_one_key_in_either_case() -> None:
    memory = KeyMemory()
    memory.judge("ann", order("8E03978E-40D5-43DD-BC93-6894A57F9324"), b"one", ACCEPTED)

    other = memory.judge("ann", order("8e03978e-40d5-43dd-bc93-6894a57f9324"), b"two", DUPLICATE)

    assert other.detail == REUSED


def test_key_of_another_owner_is_another_key() -> None:
    memory = KeyMemory()
    memory.judge("ann", order("k"), b"one", ACCEPTED)

    assert memory.judge("bob", order("k"), b"two", DUPLICATE) is DUPLICATE


def test_key_of_another_account_is_another_key() -> None:
    memory = KeyMemory()
    memory.judge("ann", order("k", 1), b"one", ACCEPTED)
    memory.judge("ann", order("k", 2), b"two", ACCEPTED)

    assert memory.judge("ann", order("k", 1), b"one", DUPLICATE) is DUPLICATE
    assert memory.judge("ann", order("k", 2), b"one", DUPLICATE).detail == REUSED


def test_number_and_text_of_the_same_digits_are_two_keys() -> None:
    memory = KeyMemory()
    memory.judge("ann", order(7), b"one", ACCEPTED)
    memory.judge("ann", order("7"), b"two", ACCEPTED)

    assert memory.judge("ann", order(7), b"one", DUPLICATE) is DUPLICATE
    assert memory.judge("ann", order("7"), b"one", DUPLICATE).detail == REUSED
