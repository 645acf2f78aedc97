"""Payments by their requests: found as the engine finds them, and not while the state is being rebuilt."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.payments.records import Op
from engine.payments.view.remembered import RememberedRequests
from ringbuf.seqlock import TornReadError
from tests.engine.payments.building import DAY_MS, T0, Engine, deposit, operation, pay, reverse

KEYS = st.sampled_from((1, 2, 3, 65, 66, 129, -1, -64, 2**63 - 1, -(2**63)))


@pytest.fixture(scope="module")
def begun() -> tuple[Engine, Any]:
    """Return an engine, and the state in which it begins."""
    engine = Engine()
    return engine, engine.replica.state.copy()


@settings(deadline=None)
@given(keys=st.lists(KEYS, max_size=8), asked=KEYS)
def test_a_request_is_the_payment_that_was_decided_under_its_key(
    begun: tuple[Engine, Any], keys: list[int], asked: int
) -> None:
    engine, fresh = begun
    engine.replica.state[:] = fresh
    decided: dict[int, int] = {}
    for number, key in enumerate(keys):
        event = engine.one(pay(number, key=key, body=number))
        decided.setdefault(key, int(event["payment"]))

    found = RememberedRequests(engine.replica.state).request(asked, 1)
    assert (found and found.payment) == decided.get(asked)


def test_neither_a_deposit_nor_a_reversal_that_came_first_is_a_payment() -> None:
    engine = Engine()
    engine.tell(deposit(5, 100), reverse(7))
    requests = RememberedRequests(engine.replica.state)

    assert requests.request(90_005, 3) is None
    assert requests.request(1007, 1) is None


def test_the_payment_of_a_request_stays_the_same_whatever_is_done_to_it() -> None:
    engine = Engine()
    payment = int(engine.one(pay(7))["payment"])
    engine.tell(operation(Op.VOID, payment, 1))

    assert RememberedRequests(engine.replica.state).request(1007, 1) == (payment, False)
    assert RememberedRequests(engine.replica.state).request(1007, 2) is None


def test_a_request_is_old_once_the_engine_does_not_find_it_any_more() -> None:
    engine = Engine()
    payment = int(engine.one(pay(7, T0))["payment"])
    requests = RememberedRequests(engine.replica.state)

    engine.tell(pay(8, T0 + DAY_MS - 1))
    assert requests.request(1007, 1) == (payment, False)
    engine.tell(pay(9, T0 + DAY_MS))
    assert requests.request(1007, 1) == (payment, True)
    assert int(engine.one(reverse(7))["payment"]) == 0
    assert requests.request(1007, 1) is None


@pytest.mark.parametrize("turns", [[3, 3], [4, 5], [4, 6]])
def test_a_state_that_is_rebuilt_tells_no_payment(turns: list[int]) -> None:
    told = iter(turns)

    with pytest.raises(TornReadError, match="rebuilding"):
        RememberedRequests(Engine().replica.state, lambda: next(told)).request(1, 1)
