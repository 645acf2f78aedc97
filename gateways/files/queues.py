"""Price-time queues of one side-pair, as a file describes them or as our engine should hold them.

Two of these stand side by side in a reproduction: what the venue says, and what our
commands and our own fills have made. Where they differ after a trade, the difference
is counted and mended (reproduction.py).
"""

from collections.abc import Iterator

import msgspec

from engine.trading.records import Side


class Resting(msgspec.Struct, gc=False):
    """One resting order."""

    order_id: int  # the venue's
    side: int
    px: int
    leaves: int
    client_id: int = 0  # ours
    cum: int = 0  # filled by our matching so far


class Queues:
    """Orders by id and, per side and price, in priority order."""

    def __init__(self) -> None:
        self.orders: dict[int, Resting] = {}
        # Insertion order of the inner dictionary is the queue; an order that loses priority is inserted anew.
        self._levels: dict[tuple[int, int], dict[int, Resting]] = {}

    def add(self, order: Resting) -> None:
        """Put an order at the tail of its level."""
        assert order.order_id not in self.orders
        self.orders[order.order_id] = order
        self._levels.setdefault((order.side, order.px), {})[order.order_id] = order

    def remove(self, order: Resting) -> None:
        """Take an order out."""
        del self.orders[order.order_id]
        level = self._levels[order.side, order.px]
        del level[order.order_id]
        if not level:
            del self._levels[order.side, order.px]

    def reduce(self, order: Resting, size: int) -> None:
        """Lower an order in place, or take it out when nothing is left."""
        order.leaves -= size
        if order.leaves <= 0:
            self.remove(order)

    def move(self, order: Resting, px: int, leaves: int) -> None:
        """Put an order at the tail of another level, or of its own."""
        self.remove(order)
        order.px, order.leaves = px, leaves
        self.add(order)

    def clear(self) -> None:
        """Forget everything."""
        self.orders.clear()
        self._levels.clear()

    def queue(self, side: int, px: int) -> list[Resting]:
        """Return a level, first to trade first."""
        return list(self._levels.get((side, px), {}).values())

    def best(self, side: int) -> int | None:
        """Return the best price of a side: a scan, for the rare moments that ask."""
        prices = [px for level_side, px in self._levels if level_side == side]
        if not prices:
            return None
        return max(prices) if side == Side.BUY else min(prices)

    def is_crossed(self) -> bool:
        """Tell whether the best bid reaches the best ask."""
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid >= ask

    def in_priority_order(self) -> Iterator[Resting]:
        """Return every order, best level first on each side, each level in queue order."""
        for side in (Side.BUY, Side.SELL):
            levels = sorted((px for level_side, px in self._levels if level_side == side))
            for px in reversed(levels) if side == Side.BUY else levels:
                yield from self.queue(side, px)
