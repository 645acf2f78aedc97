"""Read-only views of the payments state for doors, notebooks and reports.

    view = LiveView(state)              # an array of one STATE record, shared or private
    view.payment(17).held               # minor units
    view.account(1).balances            # one row a currency

The state may be written by another process meanwhile. Each answer is one consistent copy, taken under the
version words of its payment or account and of everything (kernels/holds.py); where a copy does not succeed
in bounded time, `TornReadError` says so and the caller may ask again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from engine.contract.state_turn import whole
from engine.payments.codes import CODES_MAX
from engine.payments.forwarding import Forwarding
from engine.payments.kernels.tables import mixed
from engine.payments.records import AccountStatus
from engine.payments.texts import words_text
from engine.payments.view.rules_view import FIELDS, RulesView, TrialView, rules_of, trial_of
from ringbuf.seqlock import TornReadError, snapshot

CHAIN_MAX = 64
"""Rows of one bucket that are looked at; more would be a chain that is being relinked."""
LOOKS_MAX = 100
EVERYTHING = 0
"""The version word that an expiry opens."""
BYTE, BITS_OF_BYTE = 0xFF, 8

Copied = TypeVar("Copied")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """One payment as it stands; amounts in minor units, `currency` an ISO 4217 number."""

    payment: int
    request_id: str
    merchant: str
    account: int
    amount: int
    approved_amount: int
    currency: int
    exponent: int
    code: int
    rule: int
    field: int
    decision: int
    state: int
    matched: int
    user_matched: int
    ruleset: int
    cohort: int
    captured: int
    refunded: int
    held: int
    disclosed: int
    """What an acquirer reads instead of `code`: its place in ISO_CODES from 1, 0 for the code itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """What an account has in one currency."""

    currency: int
    exponent: int
    total: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account."""

    account: int
    status: AccountStatus
    balances: tuple[BalanceView, ...]


class LiveView:
    """Consistent copies out of one state. Not for use from several threads at once.

    Parameters
    ----------
    state : array of one STATE record, shared or private
    turn : gives the state epoch, odd while the state is being rebuilt; left out for one that never is
    """

    def __init__(self, state: Any, turn: Callable[[], int] = lambda: 0) -> None:
        self.turn = turn
        self._state = state
        self._versions = state["version"][0]
        self._payment_bucket, self._payments = state["payment_bucket"][0], state["payments"][0]
        self._account_bucket, self._accounts = state["account_bucket"][0], state["accounts"][0]
        self._balances, self._merchants = state["balances"][0], state["merchants"][0]
        self._seq = state["seq"]

    @property
    def seq(self) -> int:
        """The last command applied, or being applied."""
        return int(self._seq[0])

    def warm_up(self) -> None:
        """Load every kernel of the view, so that no later call waits for a compiler."""
        mixed(1)
        versions = np.zeros(1, np.int64)
        versions.flags.writeable = self._versions.flags.writeable
        snapshot(versions, 0, lambda: None)

    @whole
    def payment(self, payment: int) -> PaymentView | None:
        """Return the payment that this command decided, None where there is none, or none any more."""
        if not 0 < payment < 2**63:
            return None
        bucket = payment & (len(self._payment_bucket) - 1)
        at = self._found(self._payment_bucket, bucket, self._payments, "payment", payment)
        if at is None:
            return None
        row = self._row_at(at)
        return self._payment_of(row) if row["payment"] == payment else None

    @whole
    def account(self, number: int) -> AccountView | None:
        """Return an account, None where there is none."""
        if not 0 < number < 2**63:
            return None
        bucket = int(mixed(number)) & (len(self._account_bucket) - 1)
        at = self._found(self._account_bucket, bucket, self._accounts, "account", number)
        if at is None:
            return None
        row, balances = self._whole(1 + len(self._payments) + at, lambda: self._account_at(at))
        if not row["status"]:
            return None
        return AccountView(account=number, status=AccountStatus(int(row["status"])), balances=balances)

    @whole
    def disclosures(self) -> dict[tuple[str, int], int]:
        """Return what merchants disclose instead of a code, by merchant and code: places in ISO_CODES."""
        merchants = self._merchants[: int(self._state["merchants_used"][0])]
        disclosed = (
            np.ascontiguousarray(merchants["disclose"]).view(np.uint8).reshape(len(merchants), CODES_MAX)
        )
        return {
            (words_text(merchants[at]["name"]), code): int(disclosed[at, code])
            for at, code in np.argwhere(disclosed).tolist()
        }

    @whole
    def owed(self, seq: int, limit: int) -> tuple[int, ...]:
        """Return payments whose reversal is owed since a command up to seq, the eldest debts first."""
        found: list[int] = []
        at = int(self._state["owed"]["oldest"][0]) - 1
        for _ in range(limit):
            if not 0 <= at < len(self._payments):
                break
            row = self._row_at(at)
            if row["forwarding"] != Forwarding.OWED or row["changed_seq"] > seq:
                break  # those behind it are no older, or it has left the order just now
            found.append(int(row["payment"]))
            at = int(row["newer"]) - 1
        return tuple(found)

    @whole
    def rules(self) -> RulesView:
        """Return the sets of rules and the trial."""
        fields = [self._state[name] for name in FIELDS]
        return rules_of(self._whole(len(self._versions) - 1, lambda: [each[0].copy() for each in fields]))

    @whole
    def trial(self) -> TrialView:
        """Return the trial alone."""
        return trial_of(self._whole(len(self._versions) - 1, self._state["trial"][0, 0].copy))

    def _row_at(self, at: int) -> Any:
        """Copy the row of a payment."""
        return self._whole(1 + at, lambda: self._payments[at].copy())

    def _account_at(self, at: int) -> tuple[Any, tuple[BalanceView, ...]]:
        """Copy an account and its balances, in the order in which they were made."""
        row = self._accounts[at].copy()
        found: list[BalanceView] = []
        place = int(row["balances"]) - 1
        while 0 <= place < len(self._balances) and len(found) < len(self._balances):
            balance = self._balances[place]
            names = BalanceView.__dataclass_fields__
            found.append(BalanceView(**{name: int(balance[name]) for name in names}))
            place = int(balance["next"]) - 1
        return row, tuple(reversed(found))

    def _found(self, buckets: Any, bucket: int, rows: Any, name: str, value: int) -> int | None:
        """Return where a row lies; one that was passed while its chain changed is looked for again."""
        for _ in range(LOOKS_MAX):
            before = self.seq
            at = int(buckets[bucket]) - 1
            for _ in range(CHAIN_MAX):
                if not 0 <= at < len(rows):
                    break
                if rows[at][name] == value:
                    return at
                at = int(rows[at]["chain"]) - 1
            if at == -1 and self.seq == before:
                return None
        raise TornReadError(f"the rows beside {name} {value} were being written at each of {LOOKS_MAX} looks")

    def _whole(self, word: int, copy: Callable[[], Copied]) -> Copied:
        """Return copy() such that nothing was written while it ran."""
        versions = self._versions
        return snapshot(versions, EVERYTHING, lambda: snapshot(versions, word, copy)[1])[1]

    def _payment_of(self, row: Any) -> PaymentView:
        numbers = {
            name: int(row[name])
            for name in PaymentView.__dataclass_fields__
            if name not in ("request_id", "merchant", "account", "disclosed")
        }
        return PaymentView(
            **numbers,
            request_id=words_text(row["request_id"]),
            merchant=words_text(row["merchant_name"]),
            account=int(row["account_number"]),
            disclosed=self._disclosed(int(row["merchant"]), int(row["code"])),
        )

    def _disclosed(self, merchant: int, code: int) -> int:
        """Return what a merchant discloses instead of a code, 0 for the code itself."""
        if merchant < 0:
            return 0
        word = int(self._merchants[merchant]["disclose"][code // BITS_OF_BYTE])
        return word >> (code % BITS_OF_BYTE) * BITS_OF_BYTE & BYTE
