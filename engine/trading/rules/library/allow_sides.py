"""Accounts or instruments that may only buy, or only sell; nothing is refused until one of them is set."""

from pinion import BUY, SELL, rule


@rule("allow_sides", reason="SIDE_NOT_ALLOWED", params={"buy": 1, "sell": 1})
def allow_sides(order, ctx, params):
    """Refuse buys where `buy` is 0, and sells where `sell` is 0."""
    if order.side == BUY:
        return params.buy == 0
    return order.side == SELL and params.sell == 0
