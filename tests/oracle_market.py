"""What the oracle knows of an instrument: its rules, and its two queues of orders as plain sorted lists.

Part of the naive exchange of oracle.py: written from docs/exchange-rules.md for clarity,
with nothing imported from the engine. Prices are whole ticks, quantities whole lots,
money whole minor units, all as unbounded Python integers.
"""

from bisect import insort
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

LIMIT_OF_NUMBERS = 2**62
HIGHEST_TICK = 2**40
INT64_LAST = 2**63 - 1

Fields = dict[str, Any]
ClientId = int | str | None


class AtDoor(Exception):  # noqa: N818 - a refusal, not a fault
    """The line cannot become a record: refused without a sequence number."""


class Refused(Exception):  # noqa: N818 - a refusal, not a fault
    """The engine refuses the command; nothing has changed."""

    def __init__(self, reason: str, **more: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.more = more


def is_uuid(client_id: ClientId) -> bool:
    """Tell whether an id is a UUID in its usual form: 36 characters in five groups."""
    if not isinstance(client_id, str) or [len(group) for group in client_id.split("-")] != [8, 4, 4, 4, 12]:
        return False
    return set(client_id) <= set("0123456789abcdefABCDEF-")


@lru_cache(maxsize=2**14)
def exact(value: object) -> Fraction:
    """Read a decimal string or a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AtDoor("invalid_field")
    try:
        return Fraction(value)
    except ValueError:
        raise AtDoor("invalid_field") from None


@lru_cache(maxsize=2**14)
def decimals_of(step: Fraction) -> int:
    """Count the decimals needed to write `step`."""
    count = 0
    while (step * 10**count).denominator != 1:
        count += 1
    return count


@lru_cache(maxsize=2**14)
def written(amount: Fraction) -> str:
    """Write an exact decimal without trailing zeros."""
    decimals = decimals_of(amount)
    digits = str(abs(amount.numerator) * 10**decimals // amount.denominator).rjust(decimals + 1, "0")
    text = digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}"
    return f"-{text}" if amount < 0 else text


@lru_cache(maxsize=2**14)
def in_steps(value: object, step: Fraction, off_step: str) -> int:
    """Express `value` as a whole number of steps that fits a record."""
    steps = exact(value) / step
    if steps.denominator != 1:
        raise AtDoor(off_step)
    # The two lowest numbers of 64 bits are marks, not values.
    if not -INT64_LAST < steps <= INT64_LAST:
        raise AtDoor("out_of_range")
    return int(steps)


@dataclass(eq=False)
class Order:
    """One accepted order. `quantity` is its total: leaves = quantity - cum."""

    order_id: int
    client_id: ClientId
    account: int
    side: str
    kind: str
    price: int
    quantity: int
    time_in_force: str
    prevention: str
    post_only: bool
    reduce_only: bool
    maker_ppm: int
    taker_ppm: int
    cum: int = 0
    status: str = "open"
    priority: int = 0
    revision: int = 0

    @property
    def leaves(self) -> int:
        return self.quantity - self.cum if self.status == "open" else 0


@dataclass(eq=False)
class Instrument:
    """An instrument with its rules and its book; queues are best first, then first come."""

    symbol: str
    quote: str
    tick: Fraction
    lot: Fraction
    scale: int  # minor units of one tick times one lot
    max_price: int
    max_quantity: int
    max_notional: int | None
    max_orders: int | None = field(default=None, kw_only=True)
    band_low: int | None
    band_high: int | None
    collar_bps: int
    protect_ticks: int | None
    maker_ppm: int
    taker_ppm: int
    initial_ppm: int = 10**6
    maintenance_ppm: int = 10**6
    phase: str = "continuous"
    halt_beneath: bool = False
    last: int | None = None
    mark: int | None = None
    arrivals: int = 0
    buy: list[Order] = field(default_factory=list)
    sell: list[Order] = field(default_factory=list)

    def queue(self, side: str) -> list[Order]:
        return self.buy if side == "buy" else self.sell

    def against(self, side: str) -> list[Order]:
        """Return the queue that an order of `side` trades with."""
        return self.sell if side == "buy" else self.buy

    def rest(self, order: Order) -> None:
        """Put an order at the tail of its price."""
        self.arrivals += 1
        order.priority = self.arrivals
        towards = -1 if order.side == "buy" else 1
        insort(self.queue(order.side), order, key=lambda each: (towards * each.price, each.priority))

    def unrest(self, order: Order) -> None:
        self.queue(order.side).remove(order)

    def crosses(self, side: str, price: int) -> bool:
        """Tell whether an order at `price` would meet the best of the other side."""
        makers = self.against(side)
        if not makers:
            return False
        return price >= makers[0].price if side == "buy" else price <= makers[0].price

    def distance_from_band(self, price: int) -> int:
        """Return by how many ticks `price` lies outside the static band."""
        below = 0 if self.band_low is None else self.band_low - price
        above = 0 if self.band_high is None else price - self.band_high
        return max(below, above, 0)

    def reachable(self, side: str, limit: int) -> list[Order]:
        """Return the makers a sweep may trade with: within the limit, up to the first outside the band."""
        makers = []
        for maker in self.against(side):
            beyond = maker.price > limit if side == "buy" else maker.price < limit
            if beyond or self.distance_from_band(maker.price) > 0:
                break
            makers.append(maker)
        return makers

    def meets_band(self, side: str, limit: int) -> bool:
        """Tell whether an order at `limit` would meet one that lies outside the band."""
        return any(
            self.distance_from_band(maker.price) > 0
            for maker in self.against(side)
            if (maker.price <= limit if side == "buy" else maker.price >= limit)
        )

    def is_crossed(self) -> bool:
        return bool(self.buy and self.sell) and self.buy[0].price >= self.sell[0].price

    def resting(self) -> list[Order]:
        """Return all orders in the order of cancels: bids best to worst, then asks."""
        return [*self.buy, *self.sell]

    def notional(self, price: int, quantity: int) -> int:
        return price * quantity * self.scale

    def price_text(self, ticks: int) -> str:
        return written(ticks * self.tick)

    def quantity_text(self, lots: int) -> str:
        return written(lots * self.lot)


def default_maximum(scale: int) -> int:
    return isqrt((LIMIT_OF_NUMBERS - 1) // scale)


def numbers_fit(max_price: int, max_quantity: int, scale: int) -> bool:
    """Tell whether every product of the instrument stays below 2**62."""
    return (
        1 <= max_price <= HIGHEST_TICK
        and max_quantity >= 1
        and max_price * max_quantity * scale < LIMIT_OF_NUMBERS
    )
