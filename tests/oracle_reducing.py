"""The oracle's reduce-only orders, and accounts that a latch lets only reduce (exchange rule S21).

Part of the naive exchange of oracle.py. What an order may close is summed anew each time it is asked for.
"""

from typing import TYPE_CHECKING

from tests import oracle_groups
from tests.oracle_accounts import Account
from tests.oracle_market import Instrument, Order, Refused

if TYPE_CHECKING:
    from tests.oracle import Exchange


def held_against(account: Account, instrument: Instrument, side: str) -> int:
    """Return how much of the position a side would close."""
    position = account.position(instrument).quantity
    return max(0, -position if side == "buy" else position)


def is_reducing(holder: Account) -> bool:
    return "reduce_only" in holder.latched.values() and "cancel_and_block" not in holder.latched.values()


def room(account: Account, instrument: Instrument, side: str, but: Order | None = None) -> int:
    """Return what one more reduce-only order, or the order `but`, may close."""
    others = [order for order in account.live(instrument, side) if order is not but]
    if not any(is_reducing(holder) for holder in oracle_groups.with_group(account)):
        others = [order for order in others if order.reduce_only]
    return held_against(account, instrument, side) - sum(order.leaves for order in others)


def cut(account: Account, instrument: Instrument, order: Order) -> None:
    """Behind step 9: cut a new reduce-only order to what it may close."""
    most = room(account, instrument, order.side)
    if most <= 0 or (order.time_in_force == "fok" and order.quantity > most):
        raise Refused("reduce_only")
    order.quantity = min(order.quantity, most)


def cut_total(account: Account, instrument: Instrument, order: Order, quantity: int) -> int:
    """Return the total that a replacement may give an order."""
    if not order.reduce_only or quantity <= order.quantity:
        return quantity
    return min(quantity, order.cum + room(account, instrument, order.side, order))


def check_latched(account: Account, instrument: Instrument, side: str, more: int) -> None:
    """Step 16: what a latch of the account lets pass."""
    check_latch_of(account, account, instrument, side, more)


def check_group_latched(account: Account, instrument: Instrument, side: str, more: int) -> None:
    """Step 16: what a latch of its group lets pass."""
    if account.group is not None:
        check_latch_of(account.group, account, instrument, side, more)


def check_latch_of(holder: Account, account: Account, instrument: Instrument, side: str, more: int) -> None:
    if "cancel_and_block" in holder.latched.values():
        raise oracle_groups.refused(holder, "blocked")
    opened = account.open_quantity(instrument, side) + more
    if is_reducing(holder) and opened > held_against(account, instrument, side):
        raise oracle_groups.refused(holder, "reduce_only")


def tradable(exchange: "Exchange", instrument: Instrument, maker: Order) -> int:
    """Return how much a resting order can trade at this moment."""
    if not maker.reduce_only:
        return maker.leaves
    return min(maker.leaves, held_against(exchange.accounts[maker.account], instrument, maker.side))


def surely_tradable(exchange: "Exchange", instrument: Instrument, maker: Order) -> int:
    """Return how much a resting order can trade whatever else of its account trades first."""
    if not maker.reduce_only:
        return maker.leaves
    account = exchange.accounts[maker.account]
    others = sum(order.leaves for order in account.live(instrument, maker.side) if order is not maker)
    return max(0, min(maker.leaves, held_against(account, instrument, maker.side) - others))


def check_fillable(exchange: "Exchange", instrument: Instrument, order: Order, limit: int) -> None:
    """Step 19: all of a fill-or-kill order would trade (exchange rule S8)."""
    total = 0
    for maker in instrument.reachable(order.side, limit):
        if exchange.is_prevented(order, maker):
            if order.prevention == "cancel_oldest":
                continue
            break
        total += surely_tradable(exchange, instrument, maker)
    if total < order.quantity:
        raise Refused("fok_unfillable")


def fit(exchange: "Exchange", account: Account, instrument: Instrument) -> None:
    """Lower or cancel the newest reduce-only orders until they fit."""
    for side in ("buy", "sell"):
        orders = sorted(account.live(instrument, side), key=lambda order: order.order_id)
        orders = [order for order in orders if order.reduce_only]
        while (excess := sum(order.leaves for order in orders) - held_against(account, instrument, side)) > 0:
            if not orders:
                break
            take(exchange, instrument, orders[-1], excess, "reduce_only")
            if orders[-1].status != "open":
                orders.pop()


def cancel_opening(exchange: "Exchange", account: Account) -> None:
    """Take off what an account's orders could open; who trades first keeps what can be closed."""
    for instrument in exchange.instruments.values():
        for side in ("buy", "sell"):
            keeps = held_against(account, instrument, side)
            for order in [each for each in instrument.queue(side) if each.account == account.account]:
                kept = min(keeps, order.leaves)
                keeps -= kept
                if kept < order.leaves:
                    take(exchange, instrument, order, order.leaves - kept, "latch")


def take(exchange: "Exchange", instrument: Instrument, order: Order, lots: int, reason: str) -> None:
    """Take lots off an order, in its place."""
    if lots >= order.leaves:
        exchange.take_off(instrument, order, reason)
        return
    order.quantity -= lots
    order.revision += 1
    exchange.emit_replaced(instrument, order, True, reason)
