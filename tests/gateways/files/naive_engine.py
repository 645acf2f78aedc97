"""A price-time engine in forty lines, for tests of the reproduction alone: no kernel, no accounts."""

from engine.trading.records import Side
from gateways.files.comparison import Fill
from gateways.files.queues import Queues, Resting


class NaiveEngine:
    """Answers as the offline kernel does; `log` holds what it was told."""

    def __init__(self) -> None:
        self.queues = Queues()
        self.log: list[tuple[object, ...]] = []

    def clock(self, ts: int) -> None:
        """Time is not needed here."""

    def new(self, client_id: int, side: int, px: int, size: int) -> list[Fill]:
        """Enter a limit order."""
        self.log.append(("new", client_id, side, px, size))
        fills, left = self._match(side, px, size)
        if left:
            self.queues.add(Resting(client_id, side, px, left, client_id, size - left))
        return fills

    def trade(self, side: int, px: int, size: int) -> list[Fill]:
        """Enter an IOC order."""
        self.log.append(("trade", side, px, size))
        return self._match(side, px, size)[0]

    def cancel(self, client_id: int) -> None:
        """Cancel an order."""
        self.log.append(("cancel", client_id))
        self.queues.remove(self.queues.orders[client_id])

    def replace(self, client_id: int, px: int, total: int) -> list[Fill]:
        """Change price and total size."""
        self.log.append(("replace", client_id, px, total))
        order = self.queues.orders[client_id]
        leaves = total - order.cum
        if px == order.px and leaves <= order.leaves:
            order.leaves = leaves
            return []
        fills, left = self._match(order.side, px, leaves)
        order.cum += leaves - left
        self.queues.move(order, px, left) if left else self.queues.remove(order)
        return fills

    def clear(self) -> None:
        """Cancel everything."""
        self.log.append(("clear",))
        self.queues.clear()

    def refusals(self) -> list[str]:
        """Nothing is refused here."""
        return []

    def _match(self, side: int, px: int, size: int) -> tuple[list[Fill], int]:
        fills: list[Fill] = []
        other = Side.SELL if side == Side.BUY else Side.BUY
        while size and (best := self.queues.best(other)) is not None:
            if best > px if side == Side.BUY else best < px:
                break
            order = self.queues.queue(other, best)[0]
            traded = min(size, order.leaves)
            fills.append((order.order_id, traded))
            order.cum += traded
            size -= traded
            self.queues.reduce(order, traded)
        return fills, size
