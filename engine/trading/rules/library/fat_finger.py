"""A price that lies too far on the other side of the book: mostly a slip of the finger."""

from pinion import BUY, LIMIT, rule


@rule("fat_finger", reason="FAR_FROM_BOOK", params={"bps": 500})
def fat_finger(order, ctx, params):
    """Refuse a limit order that would pay more than `bps` (1e-4) beyond the best opposite price."""
    bps = max(0, min(params.bps, 1_000_000))
    if order.type != LIMIT:
        return False
    if order.side == BUY:
        return ctx.ask > 0 and (order.px - ctx.ask) * 10_000 > ctx.ask * bps
    return ctx.bid > 0 and (ctx.bid - order.px) * 10_000 > ctx.bid * bps
