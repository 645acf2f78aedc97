"""What the service knows: merchants, accounts with their balances, and payments."""

from dataclasses import dataclass, field
from typing import Any

from tests.payments.legacy.codes import Reply, again

Limits = dict[str, dict[str, int]]
"""Currency -> name of a limit -> minor units."""


@dataclass(slots=True, kw_only=True)
class Merchant:
    """A merchant as the last line for it says; None lists nothing."""

    merchant: str
    active: bool = True
    currencies: list[str] | None = None
    channels: list[str] | None = None
    card_types: list[str] | None = None
    issuer_countries: list[str] | None = None
    limits: Limits = field(default_factory=dict)
    sca_above: dict[str, int] = field(default_factory=dict)
    geo_above: dict[str, int] = field(default_factory=dict)
    hold_days: int = 7
    mcc: str | None = None
    params: dict[str, dict[str, int]] = field(default_factory=dict)
    disclose: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Balance:
    """Money of an account in one currency, in minor units; what is held is part of the total.

    `deposited` is what the account began with and all deposits since, less what was taken out.
    """

    total: int = 0
    held: int = 0
    deposited: int = 0


@dataclass(slots=True, kw_only=True)
class Account:
    """An account as the last line for it says, with its money."""

    account: int
    status: str = "open"
    balances: dict[str, Balance] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    count_24h: int | None = None

    def available(self, currency: str) -> int:
        """Return what is there and not held; a currency without a balance has nothing."""
        balance = self.balances.get(currency)
        return balance.total - balance.held if balance else 0


@dataclass(slots=True, kw_only=True)
class Payment:
    """A payment that was decided, declined ones too."""

    payment: str
    merchant: str
    account: int
    card: str
    currency: str
    amount: int
    sale: bool
    state: str
    values: tuple[Any, ...] = ()  # of the reply that decided it
    approved: int = 0
    approved_ms: int = 0
    approval: str | None = None
    captured: int = 0
    refunded: int = 0
    held: int = 0
    due_ms: int = 0  # when it expires, while it is open or in review
    operations: dict[str | None, tuple[bytes, tuple[Any, ...]]] | None = None
    """By request_id what was done before: a digest of what was asked, and the answer."""

    def shown(self) -> Reply:
        """Return the reply that decided the payment, with what has become of it."""
        return {
            **again(self.values),
            "approved_amount": self.approved,
            "state": self.state,
            "approval": self.approval,
            "captured": self.captured,
            "refunded": self.refunded,
            "held": self.held,
        }
