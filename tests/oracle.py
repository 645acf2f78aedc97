"""A naive exchange, written from docs/exchange-rules.md for clarity: the oracle of the differential tests.

It takes commands as the JSON lines' dicts, with decimal strings, and returns events
as the JSON lines' dicts. It imports nothing of the engine; whatever the engine keeps
as a counter or an index is here a search or a sum over plain lists.

    oracle.py           the exchange: orders in, events out, matching
    oracle_checks.py    every check of a new or replaced order, in the order of exchange rule S3
    oracle_funds.py     what an order may pay and bring in
    oracle_admin.py     instruments, accounts, limits, phases, time
    oracle_accounts.py  money, positions, rates
    oracle_rounds.py    equity, and who is to be valued next
    oracle_losses.py    limits of loss, latches
    oracle_groups.py    groups of accounts
    oracle_windows.py   exposure, messages, rate of changes and of fills
    oracle_reducing.py  reduce-only orders, accounts that may only reduce
    oracle_margin.py    accounts on margin
    oracle_money.py     money in and out
    oracle_rules.py     rules that people write
    oracle_sizing.py    the quantity of an order that names a method in its place
    oracle_market.py    instruments and their queues; exact decimals
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests import (
    oracle_admin,
    oracle_checks,
    oracle_groups,
    oracle_losses,
    oracle_money,
    oracle_reducing,
    oracle_rounds,
    oracle_rules,
    oracle_windows,
)
from tests.oracle_accounts import Account, fee_of
from tests.oracle_market import AtDoor, Fields, Instrument, Order, Refused, is_uuid, written

Event = dict[str, Any]


class Exchange:
    """The whole exchange. `submit` is the only way in."""

    def __init__(self) -> None:
        self.seq = 0
        self.eng_ts = 0
        self.decimals: dict[str, int] = {}  # currency -> decimals, in order of definition
        self.fees: dict[str, int] = {}  # currency -> minor units the house has earned
        self.deposited: dict[str, int] = {}
        self.movements: list[tuple[Any, int]] = []  # (kind, account, id) and seq of what moved money
        self.instruments: dict[str, Instrument] = {}
        self.accounts: dict[int, Account] = {}
        self.groups: dict[int, oracle_groups.Group] = {}
        self.default_limits: dict[str, int | None] = {}
        self.killed: set[tuple[str, Any]] = set()  # ("account", 1), ("symbol", "XYZ"), ("venue", True)
        self.orders: dict[int, tuple[Instrument, Order]] = {}  # every order ever accepted
        self.rates: dict[tuple[str, str], Fraction] = {}  # minor units of the second for one of the first
        self.rounds: dict[oracle_rounds.Ring, oracle_rounds.Round] = {}
        self.visit_at, self.visit_left = (0, 0), 0  # where the sweep is
        self.to_judge: list[Account] = []
        self.traders: list[Account] = []  # who had a fill in this command, and their groups
        self.traded_in: Instrument | None = None
        self.filled_in: dict[int, Instrument] = {}  # where accounts with a limit of fills had some
        self.rules = oracle_rules.Rules()
        self.events: list[Event] = []

    def submit(self, fields: Fields) -> list[Event]:
        """Apply one command and return its events."""
        op = fields["op"]
        given = {name: value for name, value in fields.items() if value is not None}
        if is_uuid(given.get("client_order_id")):
            given["client_order_id"] = given["client_order_id"].lower()
        self.events = []
        try:
            request = oracle_checks.at_door(self, fields if op == "limits" else given)
        except AtDoor as refusal:
            more = {"id": oracle_money.spelt(given["id"])} if op in oracle_money.OPERATIONS else {}
            self.reject(op, given, str(refusal), None, **more)
            return self.events
        self.seq += 1
        if op == "time":
            oracle_admin.time(self, request)
        oracle_losses.sweep(self)
        swept = len(self.events)
        try:
            self.perform(op)(request)
        except Refused as refusal:
            assert len(self.events) == swept, "a refused command must not have done anything"
            self.reject(op, given, refusal.reason, self.seq, **refusal.more)
        oracle_losses.judge_noted(self)
        return self.events

    def perform(self, op: str) -> Callable[[Fields], None]:
        own: dict[str, Callable[[Fields], None]] = {
            "new": self.new,
            "cancel": self.cancel,
            "replace": self.replace,
            "mass_cancel": self.mass_cancel,
        }
        return own[op] if op in own else lambda request: oracle_admin.OPERATIONS[op](self, request)

    # Events

    def emit(self, event: str, **more: Any) -> None:
        self.events.append({"seq": self.seq, "event": event, "eng_ts": self.eng_ts, **more})

    def reject(self, op: str, given: Fields, reason: str, seq: int | None, **more: Any) -> None:
        of: Fields = {
            "client_order_id": given.get("client_order_id") or None,
            "account": given.get("account") or None,
        }
        if given.get("group"):
            of |= {"account": None, "group": given["group"]}
        self.emit("rejected", **of | {"op": op, "reason": reason} | more)
        self.events[-1]["seq"] = seq

    def emit_cancelled(self, instrument: Instrument, order: Order, quantity: int, reason: str) -> None:
        self.emit(
            "cancelled",
            order_id=order.order_id,
            client_order_id=order.client_id,
            account=order.account,
            leaves_quantity=instrument.quantity_text(quantity),
            reason=reason,
        )

    def emit_replaced(
        self, instrument: Instrument, order: Order, priority_kept: bool, reason: str | None = None
    ) -> None:
        self.emit(
            "replaced",
            order_id=order.order_id,
            client_order_id=order.client_id,
            account=order.account,
            price=instrument.price_text(order.price),
            quantity=instrument.quantity_text(order.quantity),
            leaves_quantity=instrument.quantity_text(order.leaves),
            priority_kept=priority_kept,
            **({"reason": reason} if reason else {}),
        )

    # Commands

    def new(self, request: Fields) -> None:
        account, instrument, order, limit = oracle_checks.new_order(self, request)
        order.order_id = self.seq
        self.orders[order.order_id] = (instrument, order)
        if order.client_id is not None:
            account.orders[order.client_id] = order
        is_shaped = "size_by" in request or order.reduce_only
        self.emit(
            "accepted",
            order_id=order.order_id,
            client_order_id=order.client_id,
            account=order.account,
            symbol=instrument.symbol,
            **({"quantity": instrument.quantity_text(order.quantity)} if is_shaped else {}),
        )
        oracle_rounds.dealt(self, account, instrument.symbol)
        oracle_rules.ordered(self, instrument, order, order.quantity)
        self.execute(instrument, order, limit)

    def cancel(self, request: Fields) -> None:
        oracle_windows.count_message(self, oracle_checks.known_account(self, request))
        _account, instrument, order = oracle_checks.own_order(self, request)
        self.take_off(instrument, order, "user")

    def mass_cancel(self, request: Fields) -> None:
        account = oracle_checks.known_account(self, request)
        for instrument in self.instruments.values():
            if request.get("symbol") in (None, instrument.symbol):
                for order in instrument.resting():
                    if order.account == account.account and request.get("side") in (None, order.side):
                        self.take_off(instrument, order, "mass")

    def replace(self, request: Fields) -> None:
        instrument, order, price, quantity = oracle_checks.replaced_order(self, request)
        if quantity <= order.cum:
            self.take_off(instrument, order, "amend_below_filled")
            return
        priority_kept = price == order.price and quantity <= order.quantity
        oracle_rules.ordered(self, instrument, order, quantity - order.quantity)
        order.price, order.quantity = price, quantity
        order.revision += 1
        self.emit_replaced(instrument, order, priority_kept)
        if not priority_kept:
            instrument.unrest(order)
            del self.accounts[order.account].open[order.order_id]
            self.execute(instrument, order, price)

    # Matching

    def execute(self, instrument: Instrument, taker: Order, limit: int) -> None:
        """Trade what can be traded up to `limit`, then rest or cancel the remainder."""
        if instrument.phase == "continuous":
            self.sweep(instrument, taker, limit)
        if taker.status != "open":
            return
        if taker.kind == "market":
            self.finish(instrument, taker, "market_remainder")
        elif taker.time_in_force == "ioc":
            self.finish(instrument, taker, "ioc_remainder")
        elif instrument.phase == "continuous" and instrument.meets_band(taker.side, taker.price):
            self.finish(instrument, taker, "band")
        else:
            instrument.rest(taker)
            self.accounts[taker.account].open[taker.order_id] = (instrument, taker)

    def sweep(self, instrument: Instrument, taker: Order, limit: int) -> None:
        while taker.status == "open":
            makers = [
                maker
                for maker in instrument.reachable(taker.side, limit)
                if self.is_prevented(taker, maker) or oracle_reducing.tradable(self, instrument, maker)
            ]
            if not makers:
                return
            if self.is_prevented(taker, makers[0]):
                self.prevent(instrument, taker, makers[0])
            else:
                self.trade(instrument, taker, makers[0])

    def is_prevented(self, taker: Order, maker: Order) -> bool:
        is_own = oracle_groups.is_one(self, maker.account, taker.account)
        return is_own and taker.prevention != "none"

    def trade(self, instrument: Instrument, taker: Order, maker: Order) -> None:
        quantity = min(taker.leaves, oracle_reducing.tradable(self, instrument, maker))
        notional = instrument.notional(maker.price, quantity)
        maker_fee, taker_fee = fee_of(notional, maker.maker_ppm), fee_of(notional, taker.taker_ppm)
        mark = oracle_rounds.mark_of(instrument)
        traders = {each.account for each in (taker, maker)}
        realised = {each: self.accounts[each].position(instrument).realised for each in traders}
        instrument.last = maker.price
        # Taker first: it shows only in the realised profit of an account that trades with itself.
        for order, fee in ((taker, taker_fee), (maker, maker_fee)):
            account = self.accounts[order.account]
            paid = notional if order.side == "buy" else -notional
            account.money[instrument.quote] = account.money.get(instrument.quote, 0) - paid - fee
            account.position(instrument).fill(order.side, maker.price, quantity, instrument.scale)
            self.fees[instrument.quote] += fee
            order.cum += quantity
        if oracle_rounds.mark_of(instrument) != mark:
            oracle_rounds.mark_changed(self, instrument)
        for order in (taker, maker):
            for holder in oracle_groups.with_group(self.accounts[order.account]):
                oracle_windows.count_fill(self, holder, instrument, quantity)
            oracle_rounds.filled(self, self.accounts[order.account], instrument)
            oracle_windows.note(self, self.accounts[order.account])
            self.traders += oracle_groups.with_group(self.accounts[order.account])
            self.traded_in = instrument
        oracle_rules.traded(self, instrument, quantity, [taker, maker], realised)
        self.emit(
            "trade",
            symbol=instrument.symbol,
            price=instrument.price_text(maker.price),
            quantity=instrument.quantity_text(quantity),
            maker_order_id=maker.order_id,
            taker_order_id=taker.order_id,
            maker_client_order_id=maker.client_id,
            taker_client_order_id=taker.client_id,
            maker_account=maker.account,
            taker_account=taker.account,
            aggressor_side=taker.side,
            maker_fee=self.money_text(instrument.quote, maker_fee),
            taker_fee=self.money_text(instrument.quote, taker_fee),
        )
        for order in (maker, taker):
            if order.leaves == 0:
                self.end(instrument, order, "filled")

    def prevent(self, instrument: Instrument, taker: Order, maker: Order) -> None:
        """Keep an account from trading with itself, as the taker's mode says (exchange rule S9)."""
        quantity = min(taker.leaves, maker.leaves)
        self.emit(
            "prevented",
            maker_order_id=maker.order_id,
            taker_order_id=taker.order_id,
            maker_client_order_id=maker.client_id,
            taker_client_order_id=taker.client_id,
            maker_account=maker.account,
            taker_account=taker.account,
            prevented_quantity=instrument.quantity_text(quantity),
        )
        if taker.prevention == "decrement":
            maker.quantity -= quantity
            taker.quantity -= quantity
            going = [order for order in (maker, taker) if order.leaves == 0]
        else:
            going = {"cancel_newest": [taker], "cancel_oldest": [maker], "cancel_both": [maker, taker]}[
                taker.prevention
            ]
        for order in going:
            self.finish(instrument, order, "stp")

    # Ends of orders

    def finish(self, instrument: Instrument, order: Order, reason: str) -> None:
        """Cancel what is left of an order, resting or not."""
        self.emit_cancelled(instrument, order, order.leaves, reason)
        self.end(instrument, order, "cancelled")

    take_off = finish

    def end(self, instrument: Instrument, order: Order, status: str) -> None:
        order.status = status
        if self.accounts[order.account].open.pop(order.order_id, None):
            instrument.unrest(order)

    def rates_into(self, account: Account) -> dict[str, Fraction]:
        """Return what one minor unit of each currency that has a rate is in the account's own."""
        own = oracle_rounds.reporting(self, account)
        return {own: Fraction(1)} | {code: rate for (code, into), rate in self.rates.items() if into == own}

    # What can be compared at the end

    def money_text(self, currency: str, amount: int) -> str:
        return written(Fraction(amount, 10 ** self.decimals[currency]))

    def books(self) -> dict[str, Any]:
        """Return the final books as `--book` writes them."""
        return {
            symbol: {
                "bids": book_side(instrument, "buy"),
                "asks": book_side(instrument, "sell"),
                "stops": [],
                "last": None if instrument.last is None else instrument.price_text(instrument.last),
            }
            for symbol, instrument in self.instruments.items()
        }


def book_side(instrument: Instrument, side: str) -> list[list[Any]]:
    """Return one half of a book: price, total quantity, number of orders, their client ids."""
    levels: dict[int, list[Order]] = {}
    for order in instrument.queue(side):
        levels.setdefault(order.price, []).append(order)
    return [
        [
            instrument.price_text(price),
            instrument.quantity_text(sum(order.leaves for order in orders)),
            len(orders),
            [order.client_id for order in orders],
        ]
        for price, orders in levels.items()
    ]
