"""Plays a venue's events into an engine and compares what both matched (interface R4).

Per event, in the order of its records: what the venue added, cancelled or changed
becomes a command of the house account; a TRADE becomes one IOC order of the aggressor
account, built from that record alone. Only then are its FILL records read and compared
with our own fills: same resting orders, same sizes, same order. CANCEL and MODIFY
records of an order that the event filled restate the fill: the venue's book takes them
in, the engine does not hear of them. After an event that traded, the price levels it
touched are compared; where ours differ they are mended and the mending is counted.

`Engine` is whoever takes the commands: an offline kernel answers with its fills, a live
door answers None and the file's own fills are assumed.
"""

from collections.abc import Callable
from typing import Protocol

from engine.trading.records import Side
from gateways.files.client_ids import ClientIds
from gateways.files.comparison import Comparison, Example, Fill
from gateways.files.market import Action, Event, MarketRecord
from gateways.files.queues import Queues, Resting
from gateways.files.venue import VenueBook

SIDE_NAMES = {0: "no side", int(Side.BUY): "buy", int(Side.SELL): "sell"}


class Engine(Protocol):
    """Takes the commands of one symbol; px in ticks, sizes in lots."""

    def clock(self, ts: int) -> None:
        """Move the engine clock."""

    def new(self, client_id: int, side: int, px: int, size: int) -> list[Fill] | None:
        """Enter a limit order of the house account; return its fills as (client id, size)."""

    def trade(self, side: int, px: int, size: int) -> list[Fill] | None:
        """Enter an IOC order of the aggressor account; return its fills as (client id, size)."""

    def cancel(self, client_id: int) -> None:
        """Cancel an order of the house account."""

    def replace(self, client_id: int, px: int, total: int) -> list[Fill] | None:
        """Change price and total size of an order of the house account; return its fills."""

    def clear(self) -> None:
        """Cancel every order of the house account in this book."""

    def refusals(self) -> list[str]:
        """Return what was refused since the last call, each as operation and reason."""


class Reproduction:
    """One symbol of one file against one engine."""

    def __init__(
        self,
        engine: Engine,
        comparison: Comparison,
        client_ids: ClientIds,
        price_text: Callable[[int], str] = str,
    ) -> None:
        self.engine = engine
        self.comparison = comparison
        self.venue = VenueBook()
        self.ours = Queues()
        self._by_client_id: dict[int, Resting] = {}
        self._client_ids = client_ids  # of the file: its other symbols live in the same account
        self._price_text = price_text
        self._ts = 0

    def enter_book(self, ts: int) -> None:
        """Enter what is alive at the venue, in priority order."""
        self._move_clock(ts)
        for order in self.venue.queues.in_priority_order():
            self._enter(order.order_id, order.side, order.px, order.leaves, -1)
        self._count_refusals("in the starting book")

    def play(self, event: Event) -> None:
        """Play one event."""
        self._move_clock(event[0].ts)
        filled: dict[int, int] = {}  # venue's fills of the event so far, by resting order
        touched: set[tuple[int, int]] = set()
        aggressors = {record.order_id for record in event if record.action == Action.TRADE}
        withdrawn = self._withdrawn(event, aggressors)
        exact_before = self.comparison.exact
        for record in withdrawn:
            self.venue.apply(record)
            self._command(record, touched)
        for position, record in enumerate(event):
            if record in withdrawn:
                continue
            if record.action == Action.TRADE:
                self._trade(event, position, filled, touched)
            elif record.action != Action.FILL:
                before = self.venue.queues.orders.get(record.order_id)
                level = (before.side, before.px) if before else (record.side, record.px)
                restates = record.order_id in filled and record.order_id not in aggressors
                self.venue.apply(record, filled.get(record.order_id, 0))
                if restates:
                    touched.add(level)
                    touched.add((record.side, record.px))
                else:
                    self._command(record, touched)
        if withdrawn:
            self.comparison.exact_after_withdrawal += self.comparison.exact - exact_before
        for side, px in touched:
            self._mend(side, px)
        self._count_refusals(_place(event))

    def _withdrawn(self, event: Event, aggressors: set[int]) -> list[MarketRecord]:
        """Return the cancels of resting orders that the event made before it matched.

        Self-match prevention takes resting orders out before the aggressor meets the next; the file
        lists these cancels last. Told from TRADE, CANCEL and MODIFY records alone: once the restated orders
        account for everything that traded, a further cancel on the resting side restates nothing.
        """
        if len(event) == 1:
            return []
        traded: dict[int, int] = {}  # per price: what the orders still to be seen restate
        arriving = 0
        for record in event:
            if record.action == Action.TRADE:
                traded[record.px] = traded.get(record.px, 0) + record.size
            if record.action in (Action.TRADE, Action.ADD):
                arriving = arriving or record.side
        resting = []
        for record in event:
            order = self.venue.queues.orders.get(record.order_id)
            if order is None or record.order_id in aggressors or order.side in (0, arriving):
                continue
            # What is left of a partly filled order is restated last, and is certainly a fill.
            if record.action == Action.MODIFY and order.px in traded:
                traded[order.px] -= max(order.leaves - record.size, 0)
            elif record.action == Action.CANCEL:
                resting.append((record, order))
        # A venue may print a trade at another price than its order's: then any order may be the one restated.
        prices = {order.px for _, order in resting}
        elsewhere = sum(size for px, size in traded.items() if px not in prices)
        withdrawn = []
        for record, order in resting:
            if traded.get(order.px, 0) > 0:
                traded[order.px] -= order.leaves
            elif elsewhere > 0:
                elsewhere -= order.leaves
            else:
                withdrawn.append(record)
        return withdrawn

    def _trade(
        self, event: Event, position: int, filled: dict[int, int], touched: set[tuple[int, int]]
    ) -> None:
        """Enter the aggressor, then read what the venue filled, and compare."""
        record = event[position]
        self.comparison.trades_in_file += 1
        self._count_refusals(_place(event))  # of what came before: what follows is the aggressor's
        answer = self.engine.trade(record.side, record.px, record.size) if record.side else []
        venue: list[Fill] = []
        for follower in event[position + 1 :]:
            if follower.action != Action.FILL:
                break
            if follower.order_id != record.order_id:
                venue.append((follower.order_id, follower.size))
        ours = self._venue_ids(answer, venue)
        refusals = self.engine.refusals()
        if refusals:
            kind: str | None = f"our engine refused the aggressor: {refusals[0]}"
        elif ours == venue and record.side:
            kind = None
        else:
            kind = self._kind(event, position, venue, ours, filled)
        touched.update(self._take(ours))
        maker_side = Side.SELL if record.side == Side.BUY else Side.BUY
        touched.add((maker_side, record.px))
        for order_id, size in venue:
            filled[order_id] = filled.get(order_id, 0) + size
            order = self.venue.queues.orders.get(order_id)
            if order is not None:
                touched.add((order.side, order.px))
        self.comparison.fills_in_file += len(venue)
        self.comparison.fills_exact += sum(mine == theirs for mine, theirs in zip(ours, venue, strict=False))
        if kind is None:
            self.comparison.exact += 1
        else:
            side = SIDE_NAMES[record.side]
            self.comparison.differ(
                kind,
                Example(
                    record.offset, record.ts, side, self._price_text(record.px), record.size, venue, ours
                ),
            )

    def _kind(
        self, event: Event, position: int, venue: list[Fill], ours: list[Fill], filled: dict[int, int]
    ) -> str:
        """Name why a trade cannot, or did not, come out as at the venue."""
        record = event[position]
        if not record.side:
            return "auction: the venue names no aggressor"
        if not venue:
            return "implied or spread: no resting order of this book was filled"
        if sum(size for _, size in venue) < record.size:
            return "partly implied or spread: the resting fills are less than the trade"
        orders = self.venue.queues.orders
        sums: dict[int, int] = dict(filled)
        for order_id, size in venue:
            sums[order_id] = sums.get(order_id, 0) + size
            order = orders.get(order_id)
            if order is None:
                return "the venue filled an order that the file never gave"
            if sums[order_id] > order.leaves:
                return "iceberg: an order was filled beyond its shown size"
        if sorted(venue) == sorted(ours):
            refreshed = {r.order_id for r in event if r.action == Action.MODIFY}
            if any(order_id in refreshed and size >= orders[order_id].leaves for order_id, size in venue):
                return "iceberg: the same fills, but the refreshed order is listed after the others"
            if [fill for fill in ours if fill != venue[-1]] == venue[:-1]:
                return "the same fills, but one order is listed last, out of its place in the queue"
            return "the same fills, listed in another order"
        for follower in event:
            if follower.action == Action.CANCEL and follower.order_id not in sums:
                order = orders.get(follower.order_id)
                if order is not None and order.side != record.side and _reaches(record, order):
                    return "self-match prevention: a resting order was cancelled inside the trade"
        return "other: different orders, sizes or order"

    def _command(self, record: MarketRecord, touched: set[tuple[int, int]]) -> None:
        """Tell the engine what the venue did outside matching."""
        action = record.action
        if action == Action.CLEAR:
            self.engine.clear()
            self.ours.clear()
            self._by_client_id.clear()
            return
        order = self.ours.orders.get(record.order_id)
        if action == Action.ADD:
            if order is not None:
                self._cancel(order)
            self._enter(record.order_id, record.side, record.px, record.size, record.offset, touched)
        elif action == Action.MODIFY:
            self._modify(record, order, touched)
        elif order is None:
            return
        elif action == Action.RENAME:
            side = order.side
            self._cancel(order)
            named_so = self.ours.orders.get(record.new_order_id)
            if named_so is not None:
                self._cancel(named_so)
            self._enter(record.new_order_id, side, record.px, record.size, record.offset, touched)
        elif record.size >= order.leaves:
            self._cancel(order)
        else:
            self.engine.replace(order.client_id, order.px, order.cum + order.leaves - record.size)
            self.ours.reduce(order, record.size)

    def _modify(self, record: MarketRecord, order: Resting | None, touched: set[tuple[int, int]]) -> None:
        if order is None or order.side != record.side:
            if order is not None:
                self._cancel(order)
            self._enter(record.order_id, record.side, record.px, record.size, record.offset, touched)
            return
        fills = self.engine.replace(order.client_id, record.px, order.cum + record.size)
        if record.px == order.px and record.size <= order.leaves:
            order.leaves = record.size
        else:
            self.ours.move(order, record.px, record.size)
        self._crossed(order, fills, record.offset, touched)

    def _enter(
        self,
        order_id: int,
        side: int,
        px: int,
        size: int,
        offset: int,
        touched: set[tuple[int, int]] | None = None,
    ) -> None:
        client_id = self._client_ids.take(order_id)
        order = Resting(order_id, side, px, size, client_id)
        fills = self.engine.new(client_id, side, px, size)
        self.ours.add(order)
        self._by_client_id[client_id] = order
        self._crossed(order, fills, offset, set() if touched is None else touched)

    def _crossed(
        self, order: Resting, fills: list[Fill] | None, offset: int, touched: set[tuple[int, int]]
    ) -> None:
        """Account for a resting order that traded on arrival: the venue's did not."""
        if not fills:
            return
        where = "in the starting book" if offset < 0 else f"byte {offset}"
        self.comparison.unexpected_crosses.append(
            f"{where}: order {order.order_id} at {self._price_text(order.px)} met {fills}"
        )
        touched.update(self._take(self._venue_ids(fills, [])))
        touched.add((order.side, order.px))
        traded = sum(size for _, size in fills)
        order.cum += traded
        self.ours.reduce(order, traded)

    def _cancel(self, order: Resting) -> None:
        self.engine.cancel(order.client_id)
        self.ours.remove(order)
        del self._by_client_id[order.client_id]

    def _venue_ids(self, fills: list[Fill] | None, assumed: list[Fill]) -> list[Fill]:
        """Return our fills with the venue's ids; without an answer, the venue's own fills."""
        if fills is None:
            return assumed
        return [(self._by_client_id[client_id].order_id, size) for client_id, size in fills]

    def _take(self, fills: list[Fill]) -> set[tuple[int, int]]:
        """Take our fills out of our queues; return the levels they touched."""
        levels: set[tuple[int, int]] = set()
        for order_id, size in fills:
            order = self.ours.orders.get(order_id)
            if order is None:
                continue
            levels.add((order.side, order.px))
            taken = min(size, order.leaves)
            order.cum += taken
            self.ours.reduce(order, taken)
            if order.leaves <= 0:
                del self._by_client_id[order.client_id]
        return levels

    def _mend(self, side: int, px: int) -> None:
        """Make our level what the venue's is: from the first difference on, enter it anew."""
        venue, ours = self.venue.queues.queue(side, px), self.ours.queue(side, px)
        same = 0
        for theirs, mine in zip(venue, ours, strict=False):
            if theirs.order_id != mine.order_id or mine.leaves < theirs.leaves:
                break
            if mine.leaves > theirs.leaves:
                self.engine.replace(mine.client_id, mine.px, mine.cum + theirs.leaves)
                mine.leaves = theirs.leaves
                self.comparison.mending_commands += 1
            same += 1
        for mine in ours[same:]:
            self._cancel(mine)
            self.comparison.mending_commands += 1
        for theirs in venue[same:]:
            mine_elsewhere = self.ours.orders.get(theirs.order_id)
            if mine_elsewhere is not None:
                self._cancel(mine_elsewhere)
                self.comparison.mending_commands += 1
            self._enter(theirs.order_id, side, px, theirs.leaves, -1)
            self.comparison.mending_commands += 1

    def _count_refusals(self, place: str) -> None:
        """Count what our engine refused as differences: the book lacks it from here on."""
        for refusal in self.engine.refusals():
            self.comparison.refuse(refusal, place)

    def _move_clock(self, ts: int) -> None:
        if ts > self._ts:
            self._ts = ts
            self.engine.clock(ts)


def _place(event: Event) -> str:
    return f"byte {event[0].offset}, ts {event[0].ts}"


def _reaches(aggressor: MarketRecord, order: Resting) -> bool:
    return order.px <= aggressor.px if aggressor.side == Side.BUY else order.px >= aggressor.px
