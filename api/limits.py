"""What an account or a group may do, and how near it is, as callers read it."""

from api.process.documents import Document
from engine.trading.records import Latch
from engine.trading.view.group_view import GroupView
from engine.trading.view.limits import LimitView
from engine.trading.view.records import AccountView

Holder = AccountView | GroupView
OF_DRAWDOWN = {Latch.MAX_DRAWDOWN.name.lower(), Latch.MAX_DRAWDOWN_BPS.name.lower()}
OF_DAILY_LOSS = Latch.MAX_DAILY_LOSS.name.lower()


KILLED = {"limit": "kill", "level": "cancel_and_block"}
"""A kill switch that holds, as latches are listed."""


def latches_document(account: Holder) -> list[Document]:
    """Return a kill that holds, what limits have latched, and what was warned of."""
    latches: list[Document] = [
        {"limit": each.latch.name.lower(), "level": each.level.name.lower()} for each in account.latches
    ]
    return [KILLED, *latches] if account.is_killed else latches


def risk_document(account: AccountView) -> Document:
    """Return how near an account is to what holds for it."""
    return {
        "account": account.account,
        "group": account.group,
        "seq": account.seq,
        "latches": latches_document(account),
        "losses": losses_document(account),
        "margin": margin_document(account),
        "limits": limits_document(account),
        "open_orders": account.open_order_count,
    }


def losses_document(account: Holder) -> Document | None:
    """Return equity and what losses are measured from, in the reporting currency; null if not kept."""
    losses = account.losses
    if losses is None:
        return None
    text = losses.currency.text
    limited = {each.name for each in account.limits}
    has_drawdown = bool(limited & OF_DRAWDOWN)
    return {
        "currency": losses.currency.code,
        "equity": text(losses.equity) if losses.is_bounded else None,
        "peak": text(losses.peak) if has_drawdown else None,
        "drawdown": text(max(losses.peak - losses.equity, 0)) if has_drawdown and losses.is_bounded else None,
        "day_start": text(losses.day_start) if OF_DAILY_LOSS in limited else None,
    }


def margin_document(account: AccountView) -> Document | None:
    """Return the margin in use and free, in the reporting currency; null for an account not on margin."""
    margin = account.margin
    if margin is None:
        return None
    amounts = {
        "equity": margin.equity,
        "initial": margin.initial,
        "maintenance": margin.maintenance,
        "free": margin.free,
    }
    text = margin.currency.text
    told = {name: None if amount is None else text(amount) for name, amount in amounts.items()}
    return {"currency": margin.currency.code, **told}


def limits_document(account: Holder) -> dict[str, Document]:
    """Return each limit that holds: what is measured, what is allowed, and how far that is away."""
    return {each.name: _limit_document(each, account) for each in account.limits}


def _limit_document(limit: LimitView, account: Holder) -> Document:
    def text(amount: int) -> str | int:
        return limit.unit.text(amount, account.reporting)

    is_ratio = limit.name.endswith("_bps") or limit.name == "max_order_trade_ratio"
    document: Document = {"limit": limit.limit if is_ratio else text(limit.limit)}
    if limit.measured is not None and limit.allowed is not None:
        document["measured"] = text(limit.measured)
        document["allowed"] = text(limit.allowed)
        document["distance"] = text(max(limit.allowed - limit.measured, 0))
    if limit.symbol is not None:
        document["symbol"] = limit.symbol
    if limit.window_ms is not None:
        document["window_ms"] = limit.window_ms
    if limit.on_breach is not None:
        document["on_breach"] = limit.on_breach.name.lower()
    return document
