"""What LiveView answers with: books, orders, accounts at one moment, in ticks, lots and minor units."""

from dataclasses import dataclass, replace

from engine.trading.instruments import Currency, Instrument
from engine.trading.records import Phase, Reason, Side
from engine.trading.view.book_kernels import Ints
from engine.trading.view.limits import LatchView, LimitView, LossesView, MarginView


@dataclass(frozen=True, slots=True)
class BookView:
    """One book at one moment.

    bids, asks : int64[levels, 3], best first; columns px (ticks), open qty (lots), orders
    seq        : the last command that touched the book; md_seq counts its own changes
    volume     : lots traded since the start; last_px and mark_px are 0 where there is none
    """

    instrument: Instrument
    seq: int
    md_seq: int
    phase: Phase
    last_px: int
    mark_px: int
    order_count: int
    trade_count: int
    volume: int
    bids: Ints
    asks: Ints

    def best(self, depth: int) -> "BookView":
        """Return the same book with at most `depth` levels of a side."""
        return replace(self, bids=self.bids[:depth], asks=self.asks[:depth])

    def __str__(self) -> str:
        lines = [f"{self.instrument.symbol} {self.phase.name} seq {self.seq}"]
        for name, levels in (("ask", self.asks[::-1]), ("bid", self.bids)):
            for px, qty, orders in levels.tolist():
                price, quantity = self.instrument.price_text(px), self.instrument.quantity_text(qty)
                lines.append(f"{name} {price:>16} {quantity:>16} {orders:>6}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class OrderView:
    """One live order. px in ticks, quantities in lots, notional the sum of px * qty over its fills.

    text is its textual client id as UTF-8, a UUID in lower case; empty where its id is a number.
    """

    seq: int  # the last command that touched its account
    order_id: int
    account: int
    instrument: Instrument
    side: Side
    px: int
    qty: int
    leaves_qty: int
    cum_qty: int
    notional: int
    client_order_id: int
    text: bytes
    time_in_force: int
    stp_mode: int
    is_post_only: bool
    is_reduce_only: bool
    rev: int
    entry_ts: int


@dataclass(frozen=True, slots=True)
class OrdersView:
    """The live orders of one account at one moment, oldest first."""

    seq: int
    account: int
    orders: tuple[OrderView, ...]


@dataclass(frozen=True, slots=True)
class EndedOrder:
    """An order that ended, as far as the window of client ids remembers it."""

    seq: int
    order_id: int
    client_order_id: int
    account: int
    status: int
    cum_qty: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position: signed lots; cost and realised profit in minor units of the quote currency.

    exposure is |qty| at the mark (last trade if there is none) plus the notional of what is
    open; unrealised is the gain at the mark. Both are 0 before a first price.
    """

    instrument: Instrument
    qty: int
    cost: int
    realised: int
    unrealised: int
    open_buy_qty: int
    open_sell_qty: int
    mark_px: int


@dataclass(frozen=True, slots=True)
class BalanceView:
    """Money of one currency, minor units; equity is total plus the positions at their marks."""

    currency: Currency
    total: int
    reserved: int
    selling: int
    equity: int
    exposure: int

    @property
    def available(self) -> int:
        """What new orders may still reserve."""
        return self.total - self.reserved


@dataclass(frozen=True, slots=True)
class SizeView:
    """The quantity that an order would be given, and what decided it (exchange rule S21).

    px is the price it is sized at, limit_px the worst that it may trade at; equity is in minor units of
    `currency`, None of a method that needs none. wanted is what the method says, the rooms are what
    max_position and buying power leave, None for no limit. A reason says why there is none, and then
    nothing else counts.
    """

    seq: int
    instrument: Instrument
    currency: Currency
    reason: Reason
    px: int
    limit_px: int
    equity: int | None
    wanted: int
    position_room: int | None
    funds_room: int | None

    @property
    def qty(self) -> int:
        """The lots of the order; with none it would be refused."""
        rooms = (room for room in (self.position_room, self.funds_room) if room is not None)
        return min((self.wanted, *rooms))


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account at one moment; `losses` where its equity is kept, `margin` where it is on margin."""

    seq: int
    account: int
    is_enabled: bool
    is_unlimited: bool
    is_killed: bool
    open_order_count: int
    balances: tuple[BalanceView, ...]
    positions: tuple[PositionView, ...]
    reporting: Currency | None
    latches: tuple[LatchView, ...] = ()
    losses: LossesView | None = None
    limits: tuple[LimitView, ...] = ()
    group: int | None = None
    margin: MarginView | None = None


def reach_of(positions: tuple[PositionView, ...]) -> tuple[int, str | None]:
    """Return the largest position that open orders would make, in 1e-9 of a unit, and in which instrument."""
    reached = [
        (max(each.qty + each.open_buy_qty, each.open_sell_qty - each.qty) * each.instrument.lot_nano, each)
        for each in positions
    ]
    most, position = max(reached, key=lambda each: each[0], default=(0, None))
    return (most, position.instrument.symbol) if position is not None and most > 0 else (0, None)
