"""What the door reads of the live state: payments and accounts, shown once they are durable."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from engine.payments.currencies import LETTERS
from engine.payments.view.live_view import AccountView, PaymentView
from engine.payments.view.rules_view import RulesView
from ringbuf.seqlock import TornReadError

Found = TypeVar("Found", PaymentView | None, AccountView | None, RulesView)
READ_WAIT_S = 0.5
PAUSE_S = 0.001


class PaymentsView(Protocol):
    """The part of a live view (engine/payments/view) that the door uses."""

    @property
    def seq(self) -> int: ...
    def payment(self, payment: int) -> PaymentView | None: ...
    def account(self, number: int) -> AccountView | None: ...
    def rules(self) -> RulesView: ...


class NotNowError(Exception):
    """What was asked for is changing, or not durable yet: the same question may be asked again."""


async def nothing_past(seq: int) -> PaymentView | None:
    """Return the payment that gave way, where there is no history."""
    return None


class DurableReads:
    """Reads of a view that wait until what they show can no longer be lost.

    past : returns a payment that the view does not have any more, out of history
    wait_s : for each, at most
    """

    def __init__(
        self,
        view: PaymentsView,
        durable_seq: Callable[[], int],
        past: Callable[[int], Awaitable[PaymentView | None]] = nothing_past,
        wait_s: float = READ_WAIT_S,
    ) -> None:
        self._view = view
        self._durable_seq = durable_seq
        self._past = past
        self._wait_s = wait_s

    async def payment(self, seq: int) -> PaymentView | None:
        """Return the view of a payment, None where there is none; raise NotNowError."""
        found = await self._read(lambda: self._view.payment(seq))
        return await self._past(seq) if found is None else found

    async def account(self, number: int) -> dict[str, Any] | None:
        """Return an account as it is shown, None where there is none; raise NotNowError."""
        found = await self._read(lambda: self._view.account(number))
        return None if found is None else account_document(found)

    async def rules(self) -> RulesView:
        """Return the sets of rules and the trial; raise NotNowError."""
        return await self._read(self._view.rules)

    async def _read(self, copy: Callable[[], Found]) -> Found:
        give_up = time.monotonic() + self._wait_s
        while True:
            try:
                found = copy()
                break
            except TornReadError as torn:
                if time.monotonic() > give_up:
                    raise NotNowError(str(torn)) from None
            await asyncio.sleep(PAUSE_S)
        seq = self._view.seq
        while self._durable_seq() < seq:
            if time.monotonic() > give_up:
                raise NotNowError(f"the state at seq {seq} is not durable yet")
            await asyncio.sleep(PAUSE_S)
        return found


def account_document(view: AccountView) -> dict[str, Any]:
    """Return an account as it is shown."""
    balances = {
        LETTERS[each.currency]: {
            "total": each.total,
            "held": each.held,
            "available": each.total - each.held,
        }
        for each in view.balances
    }
    return {"account": view.account, "status": view.status.name.lower(), "balances": balances}
