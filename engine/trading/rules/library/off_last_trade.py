"""A price that lies too far from the last trade, to either side."""

from pinion import LIMIT, rule


@rule("off_last_trade", reason="FAR_FROM_LAST_TRADE", params={"bps": 1000})
def off_last_trade(order, ctx, params):
    """Refuse a limit order whose price is more than `bps` (1e-4) off the last trade, once there is one."""
    bps = max(0, min(params.bps, 1_000_000))
    return order.type == LIMIT and ctx.last > 0 and abs(order.px - ctx.last) * 10_000 > ctx.last * bps
