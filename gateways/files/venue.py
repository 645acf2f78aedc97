"""The venue's own book, built from ADD, CANCEL, MODIFY, CLEAR and RENAME records alone."""

from collections import Counter

from gateways.files.market import Action, MarketRecord
from gateways.files.queues import Queues, Resting


class VenueBook:
    """The venue's book of one symbol; `oddities` counts what the file says of orders it never gave."""

    def __init__(self) -> None:
        self.queues = Queues()
        self.oddities: Counter[str] = Counter()

    def apply(self, record: MarketRecord, filled: int = 0) -> None:
        """Take one record in; `filled` is what the event's FILL records said of this order."""
        action = record.action
        order = self.queues.orders.get(record.order_id)
        if action == Action.CLEAR:
            self.queues.clear()
        elif action == Action.ADD:
            self._make_room(order, "added while alive")
            self.queues.add(Resting(record.order_id, record.side, record.px, record.size))
        elif action == Action.MODIFY:
            self._modify(record, order, filled)
        elif order is None:
            self.oddities[f"{Action(action).name.lower()} of an unknown order"] += 1
        elif action == Action.CANCEL:
            self.queues.reduce(order, record.size)
        elif action == Action.RENAME:
            self.queues.remove(order)
            self._make_room(self.queues.orders.get(record.new_order_id), "renamed to one that is alive")
            self.queues.add(Resting(record.new_order_id, order.side, record.px, record.size))

    def _make_room(self, order: Resting | None, oddity: str) -> None:
        """Forget an order whose id the venue gives to another: no two live orders have one id."""
        if order is not None:
            self.oddities[oddity] += 1
            self.queues.remove(order)

    def _modify(self, record: MarketRecord, order: Resting | None, filled: int) -> None:
        if order is None:
            self.oddities["modify of an unknown order"] += 1
            self.queues.add(Resting(record.order_id, record.side, record.px, record.size))
            return
        # A fill beyond the shown size means a refreshed peak, and that goes to the tail.
        is_refreshed = filled > 0 and order.leaves - filled != record.size
        if (
            record.px == order.px
            and record.side == order.side
            and record.size <= order.leaves
            and not is_refreshed
        ):
            order.leaves = record.size
        else:
            self.queues.remove(order)
            self.queues.add(Resting(record.order_id, record.side, record.px, record.size))
