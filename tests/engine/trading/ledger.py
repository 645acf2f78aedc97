"""A ledger of orders kept from the event records alone; it asserts what events must agree on.

It knows nothing of the engine's state: quantity is conserved, makers trade in order of
price and arrival, a reduce-only order never opens, and numbers in the events follow from the events before.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from engine.trading.fields import MEMBER_FIELDS, Membership
from engine.trading.records import CommandFlag, EventFlag, EventKind, Op, Reason, SelfTradePrevention


@dataclass
class Entry:
    """An order as the events tell it."""

    instrument: int
    is_sell: bool
    px: int
    qty: int
    cum: int
    arrival: int
    decrements: bool
    account: int
    is_reduce_only: bool

    @property
    def leaves(self) -> int:
        return self.qty - self.cum


class Ledger:
    """Feed it every command with its events, in order."""

    def __init__(self) -> None:
        self.live: dict[int, Entry] = {}
        self.positions: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.group_of: dict[int, int] = {}
        self.md_seq: defaultdict[int, int] = defaultdict(int)
        self.arrivals = 0
        self.event_idx = 0

    def command(self, command: Any, events: Any) -> None:
        """Post the events of one command."""
        if command["op"] not in (Op.TICK, Op.TIME):
            assert len(events) > 0, "every command is answered"
        if command["op"] == Op.GROUP and events[-1]["kind"] != EventKind.REJECTED:
            self.grouped(command)
        for position, event in enumerate(events):
            is_last = position == len(events) - 1
            assert bool(event["flags"] & EventFlag.LAST) == is_last
            assert event["event_idx"] == self.event_idx
            self.event_idx += 1
            if event["md_seq"]:
                self.md_seq[int(event["instrument"])] += 1
                assert event["md_seq"] == self.md_seq[int(event["instrument"])]
            self.post(command, event)

    def grouped(self, command: Any) -> None:
        """Note which accounts are in a group now."""
        group, how = int(command["account"]), command["side"]
        named = {int(command[field]) for field in MEMBER_FIELDS} | set(command["text"].tolist())
        if how == Membership.WHOLE:
            self.group_of = {each: of for each, of in self.group_of.items() if of != group}
        for account in named - {0}:
            if how == Membership.REMOVED:
                del self.group_of[account]
            else:
                self.group_of[account] = group

    def are_one(self, one: int, other: int) -> bool:
        """Tell whether two accounts do not trade with each other where an order asks for that."""
        return one == other or (one in self.group_of and self.group_of[one] == self.group_of.get(other))

    def post(self, command: Any, event: Any) -> None:
        kind = event["kind"]
        if kind == EventKind.ACCEPTED:
            self.accepted(command, event)
        elif kind == EventKind.TRADE:
            self.traded(event)
        elif kind == EventKind.PREVENTED:
            self.prevented(event)
        elif kind == EventKind.REPLACED:
            self.replaced(event)
        elif kind == EventKind.CANCELLED:
            gone = self.live.pop(int(event["order_id"]))
            assert event["leaves_qty"] == gone.leaves
            assert event["reason"] >= Reason.USER

    def accepted(self, command: Any, event: Any) -> None:
        assert event["cum_qty"] == 0
        assert event["leaves_qty"] == event["qty"] > 0
        is_sized = bool(command["flags"] & CommandFlag.SIZED)
        is_reduce_only = bool(command["flags"] & CommandFlag.REDUCE_ONLY)
        assert bool(event["flags"] & EventFlag.SIZED) == (is_sized or is_reduce_only)
        assert (
            is_sized or event["qty"] == command["qty"] or (is_reduce_only and event["qty"] < command["qty"])
        )
        assert event["order_id"] == event["seq"]
        self.arrivals += 1
        self.live[int(event["order_id"])] = Entry(
            instrument=int(event["instrument"]),
            is_sell=bool(event["flags"] & EventFlag.SELL),
            px=int(event["px"]),
            qty=int(event["qty"]),
            cum=0,
            arrival=self.arrivals,
            decrements=command["stp_mode"] == SelfTradePrevention.DECREMENT,
            account=int(event["account"]),
            is_reduce_only=is_reduce_only,
        )

    def traded(self, event: Any) -> None:
        taker, maker = self.live[int(event["order_id"])], self.live[int(event["maker_order_id"])]
        self.assert_first(maker, taker)
        assert event["px"] == maker.px
        for entry, prefix in ((taker, ""), (maker, "maker_")):
            entry.cum += int(event["qty"])
            assert event[f"{prefix}cum_qty"] == entry.cum
            assert event[f"{prefix}leaves_qty"] == entry.leaves >= 0
            held = self.positions[entry.account, entry.instrument]
            change = -int(event["qty"]) if entry.is_sell else int(event["qty"])
            if entry.is_reduce_only:
                assert held * change < 0, "it closes"
                assert abs(change) <= abs(held), "and never more than there is"
            self.positions[entry.account, entry.instrument] = held + change
        self.forget_filled(event)

    def assert_first(self, maker: Entry, taker: Entry) -> None:
        """The maker is the best price on its side, and of those the first that came."""
        towards = 1 if maker.is_sell else -1
        rivals = (
            each
            for each in self.live.values()
            if each.instrument == maker.instrument and each.is_sell == maker.is_sell and each is not taker
            if self.can_trade(each) or self.are_one(each.account, taker.account)
        )
        first = min(rivals, key=lambda each: (towards * each.px, each.arrival))
        assert first is maker
        assert maker.px <= taker.px if maker.is_sell else maker.px >= taker.px

    def can_trade(self, entry: Entry) -> bool:
        """A reduce-only order whose account has nothing more to close is passed over."""
        held = self.positions[entry.account, entry.instrument]
        return not entry.is_reduce_only or ((held > 0) == entry.is_sell and held != 0)

    def prevented(self, event: Any) -> None:
        taker, maker = self.live[int(event["order_id"])], self.live[int(event["maker_order_id"])]
        self.assert_first(maker, taker)
        assert self.are_one(int(event["account"]), int(event["maker_account"]))
        assert event["qty"] == min(taker.leaves, maker.leaves)
        if taker.decrements:
            taker.qty -= int(event["qty"])
            maker.qty -= int(event["qty"])

    def replaced(self, event: Any) -> None:
        entry = self.live[int(event["order_id"])]
        assert event["prev_px"] == entry.px
        assert event["prev_qty"] == entry.qty
        kept = event["px"] == entry.px and event["qty"] <= entry.qty
        assert bool(event["flags"] & EventFlag.PRIORITY_KEPT) == kept
        entry.px, entry.qty = int(event["px"]), int(event["qty"])
        assert event["leaves_qty"] == entry.leaves > 0
        if not kept:
            self.arrivals += 1
            entry.arrival = self.arrivals

    def forget_filled(self, event: Any) -> None:
        for name in ("order_id", "maker_order_id"):
            order_id = int(event[name])
            if self.live[order_id].leaves == 0:
                del self.live[order_id]
