"""Commands of a seeded flow about groups of accounts (tests/flows.py)."""

from typing import TYPE_CHECKING, Any

from tests import flow_losses
from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]

GROUPS = {7: (1, 2, 3, 4, 5), 8: (6, 8), 9: (7,)}
"""The accounts that a group has now and then. Those of 8 have money of one currency, so what they are worth
can mostly be measured; account 7 reports in another one than the others."""


def membership(flow: "Flow", exchange: Exchange) -> Command:
    """Which accounts a group has; now and then such as it cannot have."""
    number = flow.random.choice(tuple(GROUPS))
    wanted = flow.random.sample(GROUPS[number], flow.random.randint(0, min(3, len(GROUPS[number]))))
    if flow.chance(0.75):  # mostly such as are in no other
        wanted = [each for each in wanted if _is_free(exchange, each, number)]
    known = exchange.groups.get(number)
    if known is not None and known.members and flow.chance(0.15):
        leaving = flow.random.choice(known.members).account
        return {"op": "group", "group": number, "accounts": [leaving], "remove": True}
    fault = flow.random.choice(
        (
            {"accounts": [1, 7]},
            {"group": 9, "accounts": [7, 5], "add": True},
            {"group": 9, "accounts": [7, 2], "add": True},
            {"accounts": [1, 1]},
            {"accounts": [6]},
            {"accounts": [6]},
            {"accounts": [77]},
            {"accounts": [1], "remove": True},
            {"group": 0},
            {"accounts": list(range(1, 13))},
        )
    )
    command: Command = {"op": "group", "group": number, "accounts": wanted}
    if flow.chance(0.12):
        return command | fault
    return command | ({"add": True} if flow.chance(0.5) else {})


def _is_free(exchange: Exchange, account: int, number: int) -> bool:
    own = exchange.accounts[account].group
    return own is None or own.number == number


def group_limits(flow: "Flow", exchange: Exchange) -> Command:
    """Limits of a group close to where it stands."""
    makes = (flow_losses.loss_limits, flow_losses.own_limits, _plain_limits, _limit_of_fills)
    make = flow.random.choice(makes)
    command = make(flow, exchange)
    command.pop("account", None)
    return command | {"group": flow.random.choice((*GROUPS, 7, 8, 8, 8)) if flow.chance(0.97) else 99}


def _plain_limits(flow: "Flow", exchange: Exchange) -> Command:
    del exchange
    draw = flow.random.randint
    values = {
        "max_open_orders": draw(0, 5),
        "max_position": draw(0, 40),
        "order_rate": draw(0, 4),
        "order_burst": draw(0, 5),
    }
    names = flow.random.sample(tuple(values), draw(1, 2))
    return {"op": "limits", **{name: None if flow.chance(0.5) else values[name] for name in names}}


def _limit_of_fills(flow: "Flow", exchange: Exchange) -> Command:
    del exchange
    command = {"op": "limits", "max_fill_rate": f"{flow.random.randint(4, 20)}", "fill_window_ms": 60_000}
    return command if flow.chance(0.7) else {"op": "limits", "max_fill_rate": None}


def lift_limits(flow: "Flow", exchange: Exchange) -> Command:
    """Lift what mostly stands in the way of orders."""
    del exchange
    names = ("max_position", "order_rate", "max_order_trade_ratio", "modify_rate", "max_gross_exposure")
    lifted = dict.fromkeys((*names, "max_concentration_ppm", "max_open_orders"))
    return {"op": "limits", "group": flow.random.choice(tuple(GROUPS)), **lifted}


def lift_latch(flow: "Flow", exchange: Exchange) -> Command:
    """Lift a group's latch, or its kill."""
    blocked = [group for group in exchange.groups.values() if group.latched]
    killed = [number for scope, number in exchange.killed if scope == "group"]
    if killed and flow.chance(0.5):
        return {"op": "reset_latch", "group": min(killed)}
    if not blocked or flow.chance(0.05):
        return flow.new(exchange)
    group = flow.random.choice(blocked)
    chosen = {"limit": flow.random.choice(list(group.latched))} if flow.chance(0.4) else {}
    rebase = {"rebase": True} if flow.chance(0.8) else {}
    return {"op": "reset_latch", "group": group.number, **chosen, **rebase}


def kill(flow: "Flow", exchange: Exchange) -> Command:
    del exchange
    return {"op": "kill", "group": flow.random.choice((7, 8, 9)) if flow.chance(0.9) else 99}


DISTURBING = (flow_losses.own_limits, group_limits, kill)
