"""The books: everything that the service knows at a moment, and how money moves in it."""

import heapq
from collections.abc import Mapping
from typing import Any

from tests.payments.legacy.ask import Ask
from tests.payments.legacy.memory import Memory
from tests.payments.legacy.records import Account, Merchant, Payment
from tests.payments.legacy.windows import BUCKETS, DAY_MS, HOUR_MS, MINUTE_MS, DistinctCards, Window

SUM_MAX = 2**62
LISTS = (
    *("lost", "stolen", "allow_card", "block_card", "block_bin", "block_account"),
    *("block_device", "block_ip", "block_email"),
)


class Books:
    """The state of the service; `t` is the present moment in ms, `seq` the number of the last command."""

    def __init__(self, rules: Mapping[str, Any], faults: frozenset[str]) -> None:
        self.rules = rules
        self.faults = faults
        self.t = 0
        self.seq = 0
        self.merchants: dict[str, Merchant] = {}
        self.accounts: dict[int, Account] = {}
        self.lists: dict[str, set[str | int]] = {name: set() for name in LISTS}
        self.payments: dict[str, Payment] = {}
        self.last_approved: dict[str, Payment] = {}  # of a card
        age_ms = (25 if "idempotency_25h" in faults else 24) * HOUR_MS
        self.answers = Memory(age_ms)
        self.deposits = Memory(age_ms)
        buckets = BUCKETS + 1 if "bucket_off_by_one" in faults else BUCKETS
        self.card_1m = Window(MINUTE_MS, buckets)
        self.card_1h = Window(HOUR_MS, buckets)
        self.card_declines_1h = Window(HOUR_MS, buckets)
        self.bin_declines_1h = Window(HOUR_MS, buckets)
        self.retries_30d = Window(30 * DAY_MS, buckets)
        self.account_count_24h = Window(DAY_MS, buckets)
        self.account_sum_24h = Window(DAY_MS, buckets)
        self.device_cards_24h = DistinctCards(DAY_MS, buckets)
        self.ip_cards_1h = DistinctCards(HOUR_MS, buckets)
        self.email_cards_24h = DistinctCards(DAY_MS, buckets)
        self._daily: dict[tuple[str, str], tuple[int, int]] = {}  # merchant, currency -> day, sum
        self._due: list[tuple[int, str]] = []  # a heap: when a payment expires

    def begin(self, at_ms: int | None) -> int:
        """Take the next seq for a command of this moment, and end what is due by then."""
        self.seq += 1
        if at_ms is not None:
            self.t = max(self.t, at_ms)
        while self._due and self._due[0][0] <= self.t:
            due_ms, number = heapq.heappop(self._due)
            payment = self.payments[number]
            if payment.state in ("open", "review") and payment.due_ms == due_ms:
                self.release(payment, payment.held)
                payment.state = "expired"
        return self.seq

    def daily(self, merchant: str, currency: str) -> int:
        """Return what a merchant was approved today in a currency."""
        day, total = self._daily.get((merchant, currency), (-1, 0))
        return total if day == self.t // DAY_MS else 0

    def has_room(self, merchant: str, account: int, currency: str, amount: int) -> bool:
        """Tell whether the sums can take an amount."""
        total = max(self.daily(merchant, currency), self.account_sum_24h.total((account, currency), self.t))
        return total + amount <= SUM_MAX

    def add_to_sums(self, merchant: str, account: int, currency: str, amount: int) -> None:
        """Count an amount in the day of the merchant and the 24 h of the account."""
        self._daily[merchant, currency] = self.t // DAY_MS, self.daily(merchant, currency) + amount
        self.account_sum_24h.enter((account, currency), self.t, amount)

    def enter_attempt(self, ask: Ask, *, declined: bool) -> None:
        """Count a payment that was decided, whatever the decision."""
        t, card = self.t, ask.card
        self.card_1m.enter(card, t)
        self.card_1h.enter(card, t)
        if declined or "retry_counts_approvals" in self.faults:
            self.retries_30d.enter((card, ask.merchant_name), t)
        if declined:
            self.card_declines_1h.enter(card, t)
            if ask.bin_counted is not None:
                self.bin_declines_1h.enter(ask.bin_counted, t)
            if "declined_counts" in self.faults and ask.merchant and ask.account:
                self.add_to_sums(ask.merchant_name, ask.account_number, ask.currency, ask.amount)
        if ask.account is not None:
            self.account_count_24h.enter(ask.account_number, t)
        if ask.device is not None:
            self.device_cards_24h.enter(ask.device, card, t)
        if ask.ip is not None:
            self.ip_cards_1h.enter(ask.ip, card, t)
        if ask.email is not None:
            self.email_cards_24h.enter(ask.email, card, t)

    def approve(self, payment: Payment, amount: int, approval: str) -> None:
        """Hold an amount for a payment, or take it at once where that is a sale."""
        payment.approved, payment.approved_ms, payment.approval = amount, self.t, approval
        payment.held, payment.state = amount, "open"
        self.accounts[payment.account].balances[payment.currency].held += amount
        if payment.sale:
            self.capture(payment, amount)
            payment.state = "captured"
        else:
            self.expire_later(payment)
        self.add_to_sums(payment.merchant, payment.account, payment.currency, amount)
        self.last_approved[payment.card] = payment

    def expire_later(self, payment: Payment) -> None:
        """Let a payment expire after the days for which its merchant holds money."""
        payment.due_ms = self.t + self.merchants[payment.merchant].hold_days * DAY_MS
        heapq.heappush(self._due, (payment.due_ms, payment.payment))

    def capture(self, payment: Payment, amount: int) -> None:
        """Take an amount that is held out of the account."""
        self.release(payment, amount)
        self.accounts[payment.account].balances[payment.currency].total -= amount
        payment.captured += amount

    def release(self, payment: Payment, amount: int) -> None:
        """Make an amount that is held available again."""
        if amount:
            payment.held -= amount
            self.accounts[payment.account].balances[payment.currency].held -= amount
