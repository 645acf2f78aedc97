"""The running instance as this process reads it: live state, durable cursor, events.

Live state may be ahead of what is durable. An answer taken from it notes the seq of what it
shows and leaves only when the durable cursor has reached that seq, so nobody is shown what
can still be lost (design decision D14). Waiting is bounded; then the caller is told to ask again.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from api.problem import unavailable
from engine.trading.view.live_view import LiveView
from engine.trading.view.records import AccountView, BookView, EndedOrder, OrdersView, OrderView
from ringbuf.seqlock import TornReadError

DURABLE_WAIT_S = 0.5
READ_WAIT_S = 0.25
RETRY_PAUSE_S = 0.001
FOLLOW_WAIT_S = 0.25

Read = TypeVar("Read")
Found = TypeVar("Found", AccountView, OrdersView, OrderView)


class LiveSource:
    """A source of consistent reads of the live state, gated by the durable cursor."""

    def __init__(
        self,
        view: LiveView,
        durable_seq: Callable[[], int],
        epoch: int,
        has_news: Callable[[], bool] = lambda: False,
    ) -> None:
        self.view = view
        self.durable_seq = durable_seq
        self.epoch = epoch
        self._has_news = has_news
        self.hurry: Callable[[], None] = lambda: None
        """Called when somebody waits for events to be taken."""

    async def until_followed(self, followed_seq: Callable[[], int]) -> None:
        """Wait until the events that are durable by now were taken: who was answered finds its trade.

        Bounded: where following takes longer, the answer's complete_after_seq still holds.
        """
        wanted, give_up = self.durable_seq(), time.monotonic() + FOLLOW_WAIT_S
        self.hurry()
        while self._has_news() and followed_seq() < wanted:
            if time.monotonic() > give_up:
                return
            await asyncio.sleep(RETRY_PAUSE_S)

    async def read(self, copy: Callable[[], Read]) -> Read:
        """Return `copy()` of a moment when nobody wrote to it; an ApiProblem where there was none."""
        give_up = time.monotonic() + READ_WAIT_S
        while True:
            try:
                return copy()
            except TornReadError as torn:
                if time.monotonic() > give_up:
                    raise unavailable("busy", f"{torn}; ask again, or for fewer levels") from None
            await asyncio.sleep(RETRY_PAUSE_S)

    async def until_durable(self, seq: int) -> None:
        """Wait until everything up to `seq` is durable; an ApiProblem where it takes too long."""
        give_up = time.monotonic() + DURABLE_WAIT_S
        while self.durable_seq() < seq:
            if time.monotonic() > give_up:
                raise unavailable("not_durable", f"the state at seq {seq} is not durable yet; ask again")
            await asyncio.sleep(RETRY_PAUSE_S)

    async def book(self, instrument_idx: int, depth: int) -> BookView:
        """Return a durable copy of a book."""
        book = await self.read(lambda: self.view.book_at(instrument_idx, depth))
        await self.until_durable(book.seq)
        return book

    async def account(self, account: int) -> AccountView | None:
        """Return a durable copy of an account, None where there is none."""
        return await self._durable(lambda: self.view.account(account))

    async def orders(self, account: int) -> OrdersView | None:
        """Return durable copies of an account's live orders, None where there is no such account."""
        return await self._durable(lambda: self.view.orders(account))

    async def order(self, order_id: int) -> OrderView | None:
        """Return a durable copy of a live order, None where there is none."""
        return await self._durable(lambda: self.view.order(order_id))

    async def client_order(self, account: int, client_order_id: int) -> OrderView | EndedOrder | None:
        """Return a durable copy of what is known of a client's order, None where nothing is."""
        found = await self.read(partial(self.view.client_order, account, client_order_id))
        await self.until_durable(self.view.seq if found is None else found.seq)
        return found

    async def _durable(self, copy: Callable[[], Found | None]) -> Found | None:
        found = await self.read(copy)
        # That something is *not* there must be durable, too.
        await self.until_durable(self.view.seq if found is None else found.seq)
        return found
