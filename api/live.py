"""Trading's live state as this process reads it: books, accounts and orders, each once it is durable."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from api.process.live import DurableSource
from engine.trading.instruments import Currency
from engine.trading.records import Side
from engine.trading.view.group_view import GroupView, GroupViews
from engine.trading.view.live_view import LiveView
from engine.trading.view.records import AccountView, BookView, EndedOrder, OrdersView, OrderView, SizeView

Found = TypeVar("Found", AccountView, GroupView, OrdersView, OrderView)


class LiveSource(DurableSource[LiveView]):
    """A source of consistent reads of the live state, gated by the durable cursor."""

    async def book(self, instrument_idx: int, depth: int) -> BookView:
        """Return a durable copy of a book."""
        book = await self.read(lambda: self.view.book_at(instrument_idx, depth))
        await self.until_durable(book.seq)
        return book

    async def account(self, account: int) -> AccountView | None:
        """Return a durable copy of an account, None where there is none."""
        return await self._durable(lambda: self.view.account(account))

    @cached_property
    def groups(self) -> GroupViews:
        """The groups of the same state."""
        return GroupViews(self.view)

    async def group(self, number: int) -> GroupView | None:
        """Return a durable copy of a group, None where there is none."""
        return await self._durable(lambda: self.groups.group(number))

    async def fees(self) -> tuple[tuple[tuple[Currency, int], ...], int]:
        """Return what the fee account has in each currency, durable as of a seq."""
        fees = await self.read(self.view.fees)
        seq = self.view.seq  # read behind them: no later command wrote what was read
        await self.until_durable(seq)
        return fees, seq

    async def size(
        self, account: int, instrument_idx: int, side: Side, px: int, words: tuple[int, int]
    ) -> SizeView:
        """Return the durable size of an order of a known account."""
        found = await self.read(lambda: self.view.size(account, instrument_idx, side, px, words))
        await self.until_durable(found.seq)
        return found

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
