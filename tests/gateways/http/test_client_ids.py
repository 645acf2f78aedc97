"""Client ids at the desk: by every address, under every key of the account."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.client_ids import address_of, client_id
from engine.trading.records import Role
from gateways.entry.desk import Desk
from gateways.entry.dispatch import Dispatcher
from gateways.entry.principals import Principal
from gateways.http.problems import OrderProblem
from gateways.http.routes import ask
from tests.engine.trading.test_client_ids import NUMBERS, TEXTS, UUIDS
from tests.gateways.conftest import Door

ANN = Principal("ann", frozenset({1, 2}), int(Role.TRADER), 21)
BOB = Principal("bob", frozenset({1}), int(Role.TRADER), 22)
EVE = Principal("eve", frozenset({2}), int(Role.TRADER), 23)


@pytest.fixture
def shared() -> Door:
    """A desk that knows who else has keys."""
    door = Door()
    door.desk = Desk(
        door.gate.state(),
        lambda reports, settled: Dispatcher(door.gate, reports, lambda: None, settled),
        keys=(ANN, BOB, EVE),
    )
    return door


def by_address(method: Any, given: Any, body: Any = b"") -> Any:
    """Return the command that a request asks for."""
    [fields] = ask(method, f"/v1/orders/{address_of(given)}", {"account": "1"}, body, None).commands
    return fields


LEGAL = st.one_of(NUMBERS, TEXTS.filter(str.isprintable), UUIDS.map(str))


@settings(max_examples=60, deadline=None)
@given(st.lists(LEGAL, min_size=1, max_size=5, unique_by=lambda each: client_id(each, "tess")))
def test_every_legal_id_is_amended_and_cancelled_by_its_address(
    door_of_all: Any, order: Any, legal: Any
) -> None:
    for each in legal:
        entered = door_of_all.ask(order(client_order_id=each))
        if isinstance(entered, OrderProblem):
            assert entered.reason == "duplicate"  # of an earlier example
            continue
        amended = door_of_all.ask(by_address("PATCH", each, b'{"quantity":"50"}'))
        cancelled = door_of_all.ask(by_address("DELETE", each))

        for reply in (entered, amended, cancelled):
            assert (reply.order_id, reply.client_order_id) == (entered.order_id, each)
        assert (amended.leaves_quantity, cancelled.status) == ("50", "cancelled")


@pytest.fixture(scope="module")
def door_of_all() -> Any:
    return Door()


def test_text_of_another_key_of_the_account_is_cancelled_and_amended(shared: Any, order: Any) -> None:
    theirs = shared.ask(order(client_order_id="abc"), BOB)

    amended = shared.ask({"op": "replace", "account": 1, "client_order_id": "abc", "quantity": "50"}, ANN)
    cancelled = shared.ask({"op": "cancel", "account": 1, "client_order_id": "abc"}, ANN)

    assert (amended.order_id, amended.leaves_quantity) == (theirs.order_id, "50")
    assert (cancelled.order_id, cancelled.status) == (theirs.order_id, "cancelled")


def test_own_text_goes_before_that_of_another_key_even_when_it_has_ended(shared: Any, order: Any) -> None:
    theirs = shared.ask(order(client_order_id="abc"), BOB)
    own = shared.ask(order(client_order_id="abc"), ANN)
    cancel = {"op": "cancel", "account": 1, "client_order_id": "abc"}

    first, second = shared.ask(dict(cancel), ANN), shared.ask(dict(cancel), ANN)

    assert (first.order_id, second.status) == (own.order_id, 404)
    assert shared.ask(dict(cancel), BOB).order_id == theirs.order_id


def test_text_on_its_way_is_the_own_one(shared: Any, order: Any) -> None:
    theirs = shared.ask(order(client_order_id="abc"), BOB)
    shared.start(order(client_order_id="abc", symbol="ABC", price="10.25"), ANN)

    reply = shared.ask({"op": "replace", "account": 1, "client_order_id": "abc", "price": "10.5"}, ANN)

    assert reply.status == "open"
    assert reply.order_id != theirs.order_id


def test_text_of_a_key_without_the_account_is_nobodys(shared: Any, order: Any) -> None:
    shared.ask(order(account=2, client_order_id="abc"), EVE)

    assert shared.ask({"op": "cancel", "account": 1, "client_order_id": "abc"}, ANN).status == 404
