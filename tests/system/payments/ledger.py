"""What a client knows of its payments and accounts by the replies alone that it got."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.system.payments.running import Body


@dataclass(slots=True)
class Payment:
    """A payment as the last reply about it left it; amounts in minor units."""

    name: str
    request_id: str
    account: int
    currency: str
    approved: int
    state: str
    captured: int = 0
    refunded: int = 0
    held: int = 0
    is_reversed: bool = False
    """Whether its reversal was asked for: a second one would be the same request."""

    def shown(self) -> Body:
        """Return what the door must show of it."""
        return {
            "payment": self.name, "request_id": self.request_id, "currency": self.currency,
            "approved_amount": self.approved, "state": self.state, "captured": self.captured,
            "refunded": self.refunded, "held": self.held,
        }  # fmt: skip


class Ledger:
    """The payments and accounts of one client; balance : what each account begins with in each currency."""

    def __init__(self, accounts: Sequence[int], currencies: Sequence[str], balance: int) -> None:
        self.accounts = accounts
        self.payments: dict[str, Payment] = {}
        self.changed: dict[str, Payment] = {}
        self._currencies = currencies
        self._deposited = Counter({(account, of): balance for account in accounts for of in currencies})

    def paid(self, reply: Body, body: Body) -> None:
        """Enter the reply to a payment."""
        name, approved = reply["payment"], reply["approved_amount"]
        assert name not in self.payments, f"{name} is told of {self.payments[name]} and {body}"
        payment = Payment(
            name, body["request_id"], body["account"], body["currency"], approved, reply["state"]
        )
        if payment.state == "open":
            payment.held = approved
        elif payment.state == "captured":
            payment.captured = approved
        self.payments[name] = self.changed[name] = payment

    def moved(self, payment: Payment, reply: Body) -> None:
        """Enter the reply to something that was done to a payment."""
        payment.approved, payment.state = reply["approved_amount"], reply["state"]
        payment.captured, payment.refunded = reply["captured"], reply["refunded"]
        payment.held = reply["held"]
        self.changed[payment.name] = payment

    def deposited(self, account: int, currency: str, amount: int) -> None:
        """Enter a deposit."""
        self._deposited[account, currency] += amount

    def account(self, number: int) -> Body:
        """Return what the door must show of an account."""
        own = [each for each in self.payments.values() if each.account == number]
        balances = {}
        for currency in self._currencies:
            of = [each for each in own if each.currency == currency]
            held = sum(each.held for each in of)
            total = self._deposited[number, currency] - sum(each.captured - each.refunded for each in of)
            balances[currency] = {"total": total, "held": held, "available": total - held}
        return {"account": number, "status": "open", "balances": balances}
