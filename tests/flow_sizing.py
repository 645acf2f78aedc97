"""Commands of a seeded flow whose quantity the engine chooses (tests/flows.py)."""

from typing import TYPE_CHECKING, Any

from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]


def sized_order(flow: "Flow", exchange: Exchange) -> Command:
    """A new order with a method in place of its quantity, mostly of an account that can be measured."""
    command = flow.new(exchange)
    if flow.chance(0.7):
        command["account"], command["symbol"] = flow.random.choice(
            ((6, "XYZ"), (7, "ABC"), (8, "XYZ"), (9, "ABC"))
        )
        if "price" in command:
            command["price"] = flow.price(exchange, command["symbol"])
    del command["quantity"]
    make = flow.random.choice((_fixed_risk, _fixed_notional, _vol_target, _kelly))
    return {**command, "size_by": make(flow, exchange, command["symbol"])}


def _fixed_risk(flow: "Flow", exchange: Exchange, symbol: str) -> Command:
    stop = "100000000" if flow.chance(0.02) else flow.price(exchange, symbol)
    return {"method": "fixed_risk", "risk_ppm": _share(flow, 2000), "stop": stop}


def _fixed_notional(flow: "Flow", _exchange: Exchange, symbol: str) -> Command:
    cents = flow.random.choice((0, 10**25, 1)) if flow.chance(0.05) else flow.random.randint(1, 12_000)
    amount = f"{cents // 100}.{cents % 100:02}" if symbol != "ONE" or flow.chance(0.2) else cents
    return {"method": "fixed_notional", "amount": amount}


def _vol_target(flow: "Flow", _exchange: Exchange, _symbol: str) -> Command:
    volatility = _share(flow, 10**6)
    return {"method": "vol_target", "target_ppm": _share(flow, volatility), "volatility_ppm": volatility}


def _kelly(flow: "Flow", _exchange: Exchange, _symbol: str) -> Command:
    win, payoff = flow.random.randint(300_000, 700_000), flow.random.randint(500_000, 2_500_000)
    shares = {"win_ppm": win, "payoff_ppm": 0 if flow.chance(0.02) else payoff}
    return {"method": "kelly", **shares, "cap_ppm": _share(flow, 400_000)}


def _share(flow: "Flow", highest: int) -> int:
    """Return a share up to `highest`, now and then none or more than there may be."""
    if flow.chance(0.04):
        return flow.random.choice((0, 1, 10**9, 10**9 + 1))
    return flow.random.randint(1, max(1, highest))
