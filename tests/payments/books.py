"""What both sides know of payments and accounts, as they are asked for; and that its money adds up."""

from collections import Counter
from typing import Any

from engine.payments.currencies import LETTERS
from engine.payments.kernels.digest import used_of
from engine.payments.view.live_view import LiveView
from gateways.payments.replies import Replies
from tests.payments.engine_side import document
from tests.payments.legacy.service import Legacy

EVERY = 5
"""Of so many payments one is looked at."""


def unlike(state: Any, legacy: Legacy, replies: Replies) -> list[str]:
    """Return what the engine and the plain service know otherwise of payments and accounts."""
    view, found = LiveView(state), []
    for row in state[0]["payments"][: used_of(state[0], "payments") : EVERY]:
        payment = view.payment(int(row["payment"]))
        assert payment is not None
        mine = document(replies.of_view(payment))
        if mine != legacy.payment(mine["payment"]):
            found.append(f"{mine} and {legacy.payment(mine['payment'])}")
    for row in state[0]["accounts"][: used_of(state[0], "accounts")]:
        number = int(row["account"])
        account = view.account(number)
        balances = {
            LETTERS[each.currency]: {
                "total": each.total,
                "held": each.held,
                "available": each.total - each.held,
            }
            for each in account.balances
        }
        shown = {"account": number, "status": account.status.name.lower(), "balances": balances}
        if _with_money(shown) != _with_money(legacy.account(number) or {}):
            found.append(f"{shown} and {legacy.account(number)}")
    return found


def _with_money(account: dict[str, Any]) -> dict[str, Any]:
    """Return an account without balances of nothing: a limit of a currency makes one here, and none there."""
    balances = {of: each for of, each in account.get("balances", {}).items() if each["total"] or each["held"]}
    return {**account, "balances": balances}


def money_lost(state: Any) -> dict[str, int]:
    """Return by currency what the engine has lost, or made, of what was deposited."""
    lost: Counter[str] = Counter()
    for balance in state[0]["balances"][: used_of(state[0], "balances")]:
        lost[LETTERS[int(balance["currency"])]] += int(balance["deposited"]) - int(balance["total"])
    for row in state[0]["payments"][: used_of(state[0], "payments")]:
        if row["captured"]:
            lost[LETTERS[int(row["currency"])]] -= int(row["captured"]) - int(row["refunded"])
    return {currency: amount for currency, amount in lost.items() if amount}
