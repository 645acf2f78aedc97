"""An Idempotency-Key used twice."""

from gateways.http.idempotency import REUSED, KeyMemory
from gateways.http.problems import HttpStatus, problem
from gateways.http.replies import OrderReply

ACCEPTED = OrderReply(1, "k", "open", "0", "5", [], None, 1)
DUPLICATE = problem(HttpStatus.CONFLICT, "duplicate", "used before", order_id=1)


def test_repeat_with_another_body_says_so():
    memory = KeyMemory()
    memory.judge("ann", "k", b"one", ACCEPTED)

    same = memory.judge("ann", "k", b"one", DUPLICATE)
    other = memory.judge("ann", "k", b"two", DUPLICATE)

    assert same is DUPLICATE
    assert (other.status, other.detail, other.order_id) == (409, REUSED, 1)


def test_key_of_another_owner_is_another_key():
    memory = KeyMemory()
    memory.judge("ann", "k", b"one", ACCEPTED)

    assert memory.judge("bob", "k", b"two", DUPLICATE) is DUPLICATE
