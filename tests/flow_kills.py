"""Kills of a seeded flow, and their ends (tests/flows.py)."""

from typing import TYPE_CHECKING, Any

from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]


def kill(flow: "Flow", exchange: Exchange) -> Command:
    """Kill an order, an account, an instrument or everything; now and then what there is not."""
    found, roll = flow.live(exchange), flow.random.random()
    if found is not None and roll < 0.4:
        return {"op": "kill", "order_id": found[1].order_id}
    known = ({"account": flow.account()}, {"symbol": flow.symbol()}, {"venue": True})
    return {"op": "kill", **flow.random.choice((*known, {"account": 999}, {"order_id": 1}))}


def lift_kill(flow: "Flow", exchange: Exchange) -> Command:
    """Lift a kill; now and then one that there is not."""
    killed = sorted(exchange.killed, key=str)
    if killed and flow.chance(0.95):
        scope, of_what = flow.random.choice(killed)
        return {"op": "reset_latch", scope: of_what}
    if flow.chance(0.05):
        return {"op": "reset_latch", "account": flow.account(), "venue": False}
    return flow.new(exchange)
