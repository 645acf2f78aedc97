"""Read-only views of groups of accounts, beside LiveView and by the same rules."""

from dataclasses import dataclass

import numpy as np

from engine.contract.state_turn import whole
from engine.trading.instruments import Currency, Instrument
from engine.trading.view.book_kernels import TORN
from engine.trading.view.group_kernels import GROUP_COUNTS, GROUP_POSITION_COLUMNS, copy_group
from engine.trading.view.limits import (
    LatchView,
    LimitView,
    LossesView,
    counted_latches,
    latches_of,
    limits_of,
    losses_of,
    read_heads,
)
from engine.trading.view.live_view import LiveView
from engine.trading.view.watch_kernels import room_for_watch
from ringbuf.seqlock import TornReadError


@dataclass(frozen=True, slots=True)
class GroupPositionView:
    """What the accounts of a group hold of an instrument, lots: net, and long and short added up."""

    instrument: Instrument
    qty: int
    gross_qty: int
    open_buy_qty: int
    open_sell_qty: int

    @property
    def reach(self) -> int:
        """The largest net position that the open orders of one side would make."""
        return max(self.qty + self.open_buy_qty, self.open_sell_qty - self.qty)


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group at one moment; `losses` where its equity is kept; accounts in the order of joining."""

    seq: int
    group: int
    accounts: tuple[int, ...]
    is_killed: bool
    open_order_count: int
    positions: tuple[GroupPositionView, ...]
    reporting: Currency | None
    latches: tuple[LatchView, ...]
    losses: LossesView | None
    limits: tuple[LimitView, ...]


class GroupViews:
    """Copies of groups out of the state of a LiveView. Not for use from several threads at once."""

    def __init__(self, view: LiveView) -> None:
        self.turn = view.turn
        self._view = view
        self._state = view.state
        self._s = view.state[0]
        self._indices: dict[int, int] = {}

    def warm_up(self) -> None:
        """Load the kernel, so that no later call waits for a compiler."""
        none = np.zeros((0, GROUP_POSITION_COLUMNS), np.int64), np.zeros(0, np.int64)
        copy_group(self._state, 0, *none, np.zeros(GROUP_COUNTS, np.int64), *room_for_watch())

    def group_idx(self, number: int) -> int | None:
        """Return the index of a group among the accounts, or None; groups are never removed."""
        used = int(self._s["groups_used"])
        if len(self._indices) != used:
            places = self._s["groups"][:used].tolist()
            self._indices = {-int(self._s["accounts"][place]["account"]): place for place in places}
        return self._indices.get(number)

    def latch_counts(self) -> dict[str, int]:
        """Return how many groups each limit has blocked, or lets only reduce what their accounts hold."""
        groups = self._s["groups"][: int(self._s["groups_used"])]
        return counted_latches(self._s["watches"]["level"][groups])

    @whole
    def group(self, number: int) -> GroupView | None:
        """Return a group, None where there is none; raise TornReadError."""
        idx = self.group_idx(number)
        if idx is None:
            return None
        known = self._view.catalogue
        positions = np.zeros((len(known.instruments), GROUP_POSITION_COLUMNS), np.int64)
        members = np.zeros(self._view.account_count, np.int64)
        counts, room = np.zeros(GROUP_COUNTS, np.int64), room_for_watch()
        version = copy_group(self._state, idx, positions, members, counts, *room)
        held, joined, open_orders, killed = counts.tolist()
        if version == TORN or held > len(positions) or joined > len(members):
            raise TornReadError(f"group {number} changed during every attempt to copy it")
        views = tuple(
            GroupPositionView(known.instruments[instrument], *lots)
            for instrument, *lots in positions[:held].tolist()
        )
        watched, latches = read_heads(room[0].tolist()), room[1].tolist()
        return GroupView(
            seq=version // 2,
            group=number,
            accounts=tuple(members[:joined].tolist()),
            is_killed=bool(killed),
            open_order_count=open_orders,
            positions=views,
            reporting=known.currencies[watched["reporting"]] if known.currencies else None,
            latches=latches_of(latches),
            losses=losses_of(known, watched),
            limits=tuple(limits_of(known, watched, latches, open_orders, _reach(views))),
        )


def _reach(positions: tuple[GroupPositionView, ...]) -> tuple[int, str | None]:
    """Return the largest position that open orders would make, in 1e-9 of a unit, and in which instrument."""
    reached = [(each.reach * each.instrument.lot_nano, each.instrument.symbol) for each in positions]
    most, symbol = max(reached, default=(0, None), key=lambda each: each[0])
    return (most, symbol) if most > 0 else (0, None)
