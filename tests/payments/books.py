"""What the engine's state says of payments and accounts, as documents; and that its money adds up."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from engine.payments.currencies import LETTERS
from engine.payments.digest import used_of
from engine.payments.records import AccountStatus
from tests.payments.legacy.codes import Reply
from tests.payments.legacy.service import Legacy


def accounts(state: Any) -> Iterator[dict[str, Any]]:
    """Yield every account as `GET /v1/payments/accounts/{n}` shows it."""
    rows, balances = state[0]["accounts"], state[0]["balances"]
    for row in rows[: used_of(state[0], "accounts")]:
        shown = {}
        place = int(row["balances"])
        while place:
            balance = balances[place - 1]
            total, held = int(balance["total"]), int(balance["held"])
            shown[LETTERS[int(balance["currency"])]] = {
                "total": total,
                "held": held,
                "available": total - held,
            }
            place = int(balance["next"])
        status = AccountStatus(int(row["status"])).name.lower()
        yield {"account": int(row["account"]), "status": status, "balances": shown}


def payments(state: Any, instance: str) -> Iterator[Reply]:
    """Yield of every payment what becomes of it."""
    for row in state[0]["payments"][: used_of(state[0], "payments")]:
        yield {
            "payment": f"{instance}-{int(row['payment'])}",
            "amount": int(row["amount"]),
            "approved_amount": int(row["approved_amount"]),
            "captured": int(row["captured"]),
            "refunded": int(row["refunded"]),
            "held": int(row["held"]),
        }


def unlike(state: Any, legacy: Legacy, instance: str) -> list[str]:
    """Return what the engine's state and the plain service know otherwise of payments and accounts."""
    found = []
    for payment in payments(state, instance):
        shown = legacy.payment(payment["payment"]) or {}
        if any(shown.get(name) != value for name, value in payment.items()):
            found.append(f"{payment} and {shown}")
    for account in accounts(state):
        shown = legacy.account(account["account"]) or {}
        if _with_money(account) != _with_money(shown):
            found.append(f"{account} and {shown}")
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
