"""Commands of a seeded flow that are about limits of loss (tests/flows.py)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]


def loss_limits(flow: "Flow", exchange: Exchange) -> Command:
    """Limits of loss close to where the account stands, mostly of one that can be measured."""
    account = flow.random.choice((6, 7)) if flow.chance(0.5) else flow.account()
    names = flow.random.sample(("max_daily_loss", "max_drawdown", "max_drawdown_bps"), 2)
    chosen: Command = {}
    for name in names[: flow.random.randint(1, 2)]:
        amount = f"{flow.random.randint(1, 400) / 100}"
        chosen[name] = flow.random.randint(1, 300) if name == "max_drawdown_bps" else amount
        if flow.chance(0.25):
            chosen[name] = None
    if flow.chance(0.4):
        chosen["on_breach"] = flow.random.choice(("warn", "cancel_and_block", "reduce_only"))
    fault = flow.random.choice(
        ({"max_drawdown": "0.00001"}, {"max_daily_loss": "0"}, {"max_drawdown": "ten"})
    )
    return {"op": "limits", "account": account, **(fault if flow.chance(0.03) else chosen)}


def own_limits(flow: "Flow", _exchange: Exchange) -> Command:
    """Limits of exposure, messages, changes and fills, some of them close to what accounts do."""
    draw = flow.random.randint
    values: Command = {
        "max_gross_exposure": f"{draw(1, 4000) / 10}",
        "max_concentration_ppm": draw(200_000, 1_000_000),
        "modify_rate": draw(0, 3),
        "modify_burst": draw(0, 4),
        "max_fill_rate": f"{draw(1, 40)}",
        "fill_window_ms": flow.random.choice((1, 100, 5000, 60_000)),
        "max_order_trade_ratio": draw(1, 8),
        "order_trade_window_ms": flow.random.choice((1, 1000, 30_000)),
    }
    chosen = {
        name: None if flow.chance(0.5) else values[name]
        for name in flow.random.sample(tuple(values), draw(1, 3))
    }
    if "max_fill_rate" in chosen and flow.chance(0.4):
        chosen["on_breach"] = flow.random.choice(("warn", "reduce_only", "cancel_and_block"))
    fault = flow.random.choice(
        ({"max_fill_rate": "0"}, {"max_concentration_ppm": 1_000_001}, {"max_gross_exposure": "0.00001"})
    )
    return {"op": "limits", "account": flow.account(), **(fault if flow.chance(0.03) else chosen)}


RATES = {
    ("EUR", "USD"): "1.0835",
    ("JPY", "USD"): "0.006667",
    ("USD", "EUR"): "0.92",
    ("JPY", "EUR"): "0.0061538461",
}


def rate(flow: "Flow", _exchange: Exchange) -> Command:
    """A rate of exchange near what it was at first; in calm streams JPY has none."""
    pairs = [(pair, price) for pair, price in RATES.items() if not flow.is_calm or "JPY" not in pair]
    (currency, into), price = flow.random.choice(pairs)
    moved = Decimal(price) * Decimal(flow.random.randint(950, 1050)) / 1000
    given = {"currency": currency, "in": into, "price": f"{moved.quantize(Decimal('1e-9')):f}"}
    fault = flow.random.choice(
        ({"price": "0"}, {"in": currency}, {"currency": "none"}, {"price": "ten"}, {"price": "4611686018"})
    )
    return {"op": "rate", **given, **(fault if flow.chance(0.05) else {})}


def session_start(flow: "Flow", _exchange: Exchange) -> Command:
    return {"op": "session_start"}


def lift_latch(flow: "Flow", exchange: Exchange) -> Command:
    """Lift what a limit of loss latched."""
    blocked = [account for account in exchange.accounts.values() if account.latched]
    if not blocked or flow.chance(0.1):
        return flow.new(exchange)
    account = flow.random.choice(blocked)
    chosen = {"limit": flow.random.choice((*account.latched, "kill"))} if flow.chance(0.5) else {}
    rebase = {"rebase": True} if flow.chance(0.7) else {}
    return {"op": "reset_latch", "account": account.account, **chosen, **rebase}
