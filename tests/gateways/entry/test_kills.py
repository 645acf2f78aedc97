"""The kill switch at a door (exchange rule S22): what may be stopped, by whom, and how it is told."""

import json
from typing import Any

import numpy as np
import pytest

from engine.trading.instruments import catalogue
from engine.trading.records import COMMAND, Role
from gateways.entry.principals import Principal
from gateways.entry.refusals import Refused
from gateways.http.problems import problem_of
from gateways.json_lines import CommandEncoder

VIEWER = Principal("vic", None, int(Role.VIEWER), 9)


def refusal(door: Any, fields: dict[str, Any], who: Any) -> tuple[int, str, str | None]:
    with pytest.raises(Refused) as refused:
        door.start(fields, who)
    problem = problem_of(refused.value.refusal)
    return problem.status, problem.reason, problem.field


def test_an_owner_kills_an_account_of_its_own_and_an_operator_lifts_it(door: Any, order: Any) -> None:
    door.ask(order(client_order_id=1))
    door.ask(order(client_order_id=2, symbol="ABC", price="10"))

    killed = door.ask({"op": "kill", "account": 1})

    assert (killed.op, killed.cancelled_count) == ("kill", 2)
    blocked = door.ask(order())
    assert (blocked.status, blocked.reason) == (422, "blocked")
    assert "an operator lifts it" in blocked.detail
    assert door.ask(order(account=2)).status == "open"
    assert refusal(door, {"op": "reset_latch", "account": 1}, door.trader)[0] == 403
    door.ask({"op": "reset_latch", "account": 1}, door.operator)
    assert door.ask(order()).status == "open"
    assert door.ask({"op": "reset_latch", "account": 1}, door.operator).reason == "not_latched"


def test_an_owner_kills_an_order_of_its_own_alone(door: Any, order: Any) -> None:
    own = door.ask(order()).order_id
    foreign = door.ask(order(account=2)).order_id
    only_one = Principal("tim", frozenset({1}), int(Role.TRADER), 3)

    assert refusal(door, {"op": "kill", "order_id": foreign}, only_one)[1] == "unknown_order"
    assert door.ask({"op": "kill", "order_id": own}, only_one).cancelled_count == 1
    assert door.ask({"op": "kill", "order_id": foreign}, door.operator).cancelled_count == 1
    assert door.ask({"op": "kill", "order_id": foreign}, door.operator).reason == "unknown_order"


@pytest.mark.parametrize(
    "fields", [{"symbol": "XYZ"}, {"venue": True}, {"account": 3}, {"account": 1, "venue": True}, {}]
)
def test_what_is_not_its_own_a_trader_does_not_kill(door: Any, fields: dict[str, Any]) -> None:
    for who in (door.trader, VIEWER):
        assert refusal(door, {"op": "kill", **fields}, who)[0] in (400, 403)


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({}, 400, "op"),
        ({"venue": False}, 400, "op"),
        ({"account": 1, "symbol": "XYZ"}, 400, "symbol"),
        ({"venue": "yes"}, 400, "venue"),
        ({"account": "1"}, 400, "account"),
        ({"order_id": 1.0}, 400, "order_id"),
        ({"side": "buy", "account": 1}, 400, "side"),
        ({"symbol": "NOPE"}, 422, "symbol"),
        ({"session": 4}, 422, "session"),
        ({"group": 0}, 422, "group"),
    ],
)
def test_a_kill_of_anything_else_is_refused_with_its_field(
    door: Any, fields: dict[str, Any], status: int, field: str
) -> None:
    assert refusal(door, {"op": "kill", **fields}, door.operator)[::2] == (status, field)


def test_instrument_and_venue_are_an_operators(door: Any, order: Any) -> None:
    door.ask(order())
    door.ask(order(account=2, symbol="ABC", price="10"))

    assert door.ask({"op": "kill", "symbol": "XYZ"}, door.operator).cancelled_count == 1
    assert door.ask(order()).reason == "blocked"
    assert door.ask(order(symbol="ABC", price="10")).status == "open"
    assert door.ask({"op": "kill", "venue": True}, door.operator).cancelled_count == 2
    assert door.ask(order(symbol="ABC", price="10")).reason == "blocked"
    door.ask({"op": "reset_latch", "venue": True}, door.operator)
    assert door.ask(order(symbol="ABC", price="10")).status == "open"
    assert door.ask(order()).reason == "blocked"


@pytest.mark.parametrize(
    "fields", [{"op": "kill", "venue": True}, {"op": "session_end"}, {"op": "mass_cancel", "account": 1}]
)
def test_what_another_door_has_defined_is_named_where_its_orders_go(
    door: Any, fields: dict[str, Any]
) -> None:
    listing = {"op": "instrument", "symbol": "NEW", "base": "USD", "quote": "USD"}
    entered = {"op": "new", "account": 1, "symbol": "NEW", "side": "buy", "price": "1", "quantity": "1"}
    for line in (
        {**listing, "tick_size": "0.1", "lot_size": "1"},
        {**entered, "time_in_force": "day"},
    ):
        elsewhere = CommandEncoder(catalogue(door.gate.state()), roles=Role.ALL)
        command = np.zeros(1, COMMAND)
        elsewhere.encode(line, command[0])
        door.gate.submit(command)
        door.gate.drain()

    told = door.ask(fields, door.operator)

    assert json.loads(bytes(told.events[0]))["event"] == "cancelled"
