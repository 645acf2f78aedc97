"""Commands of a seeded flow that are about limits of loss (tests/flows.py)."""

from typing import TYPE_CHECKING, Any

from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]


def loss_limits(flow: "Flow", exchange: Exchange) -> Command:
    """Limits of loss close to where the account stands, mostly of one that can be measured."""
    account = flow.random.choice((6, 7)) if flow.chance(0.9) else flow.account()
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


def session_start(flow: "Flow", _exchange: Exchange) -> Command:
    return {"op": "session_start"}


def lift_latch(flow: "Flow", exchange: Exchange) -> Command:
    """Lift what a limit of loss latched."""
    blocked = [account for account in exchange.accounts.values() if account.blocked_by]
    if not blocked or flow.chance(0.1):
        return flow.new(exchange)
    account = flow.random.choice(blocked)
    chosen = {"limit": flow.random.choice((*account.blocked_by, "kill"))} if flow.chance(0.5) else {}
    rebase = {"rebase": True} if flow.chance(0.7) else {}
    return {"op": "reset_latch", "account": account.account, **chosen, **rebase}
