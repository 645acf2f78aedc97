"""What the oracle knows of an account: money, positions, limits and rates; everything derived is recomputed.

Part of the naive exchange of oracle.py. What is reserved and what is open are sums
over the live orders, never counters, so they cannot drift.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.oracle_market import ClientId, Instrument, Order

NANOSECONDS = 10**9


def fee_of(notional: int, ppm: int) -> int:
    """Return the fee of one fill: charges are rounded up and rebates down, both for the house."""
    return -(-notional * ppm // 10**6)


@dataclass
class Position:
    """Signed lots, what the open ones cost, and the profit already made."""

    quantity: int = 0
    cost: int = 0  # paid for a long, received for a short; never negative
    realised: int = 0

    def fill(self, side: str, price: int, lots: int, scale: int) -> None:
        signed = lots if side == "buy" else -lots
        closing = min(lots, abs(self.quantity)) if self.quantity * signed < 0 else 0
        if closing:
            cost = self.cost * closing // abs(self.quantity)
            gained = price * closing * scale - cost
            self.realised += gained if self.quantity > 0 else -gained
            self.cost -= cost
        self.cost += price * (lots - closing) * scale
        self.quantity += signed


@dataclass
class Bucket:
    """Parts of 1e-9 token that were taken and have not come back yet."""

    taken: int = 0
    reckoned_at: int = 0

    def take(self, now: int, rate: int, burst: int) -> bool:
        """Let come back what did until now, then take one token if that leaves no more than `burst` out."""
        self.taken = max(0, self.taken - rate * (now - self.reckoned_at))
        self.reckoned_at = now
        if self.taken + NANOSECONDS > burst * NANOSECONDS:
            return False
        self.taken += NANOSECONDS
        return True


@dataclass
class Past:
    """What an account did, with the engine's time of it."""

    messages: list[int] = field(default_factory=list)
    trades: list[int] = field(default_factory=list)
    fills: list[tuple[int, str, int]] = field(default_factory=list)  # with symbol and lots


@dataclass(eq=False)
class Account:
    account: int
    unlimited: bool = False
    on_margin: bool = False
    money: dict[str, int] = field(default_factory=dict)  # currency -> minor units
    limits: dict[str, int | None] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[ClientId, Order] = field(default_factory=dict)  # every id ever used
    open: dict[int, tuple[Instrument, Order]] = field(default_factory=dict)
    new_bucket: Bucket = field(default_factory=Bucket)
    replace_bucket: Bucket = field(default_factory=Bucket)
    # What oracle_losses.py keeps: limits by name, what has latched, positions as they were valued last.
    reporting: str | None = None
    loss_limits: dict[str, int] = field(default_factory=dict)
    on_breach: dict[str, str] = field(default_factory=dict)
    latched: dict[str, str] = field(default_factory=dict)  # limit -> level that holds
    warned: set[str] = field(default_factory=set)
    peak: int = 0
    day_start: int = 0
    worth: dict[tuple[str, str], int] = field(default_factory=dict)  # by oracle_losses.Ring
    valued: dict[str, int] = field(default_factory=dict)  # positions in their quote currency, likewise
    dealt_in: list[str] = field(default_factory=list)  # instruments in which an order of it was accepted
    is_in_rounds: bool = False
    group: Any = None  # oracle_groups.Group
    # What oracle_windows.py keeps.
    own: dict[str, int] = field(default_factory=dict)  # limits that no other account's default has
    fill_limit: int | None = None  # 1e-9 of a unit
    warned_of: set[str] = field(default_factory=set)  # instruments in which it was filled nearly too fast
    past: Past = field(default_factory=Past)
    modify_bucket: Bucket = field(default_factory=Bucket)

    def position(self, instrument: Instrument) -> Position:
        return self.positions.setdefault(instrument.symbol, Position())

    def parts(self) -> "list[Account]":
        """Return the accounts of which this is made: itself; a group is made of others."""
        return [self]

    def held_lots(self, instrument: Instrument) -> int:
        """Return what is held of an instrument, long or short."""
        return abs(self.position(instrument).quantity)

    def open_orders(self) -> int:
        return len(self.open)

    def live(self, instrument: Instrument, side: str) -> Iterator[Order]:
        for where, order in self.open.values():
            if where is instrument and order.side == side:
                yield order

    def open_quantity(self, instrument: Instrument, side: str) -> int:
        return sum(order.leaves for order in self.live(instrument, side))

    def reserved(self, currency: str) -> int:
        """Return the money that the open buys of one currency hold."""
        return sum(
            reserve_of(instrument, order, order.price, order.leaves)
            for instrument, order in self.open.values()
            if order.side == "buy" and instrument.quote == currency
        )

    def selling(self, currency: str) -> int:
        """Return what the open sells of one currency would bring in at their prices."""
        return sum(
            instrument.notional(order.price, order.leaves)
            for instrument, order in self.open.values()
            if order.side == "sell" and instrument.quote == currency
        )

    def available(self, currency: str) -> int:
        return self.money.get(currency, 0) - self.reserved(currency)


def reserve_of(instrument: Instrument, order: Order, price: int, quantity: int) -> int:
    """Return what a buy of `quantity` at `price` holds: its cost and its highest fee."""
    notional = instrument.notional(price, quantity)
    return notional + fee_of(notional, max(order.taker_ppm, order.maker_ppm, 0))
