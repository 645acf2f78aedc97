"""Rules of the scenarios: a clip, a limit of orders in a minute, one that divides by the bid."""

from pinion import BUY, rule


@rule("max_clip", reason="MAX_CLIP", params={"max": 5})
def max_clip(order, ctx, params):
    return order.qty > params.max


@rule("order_pace", reason="TOO_MANY_ORDERS", params={"most": 3})
def order_pace(order, ctx, params):
    return ctx.orders_1s >= params.most


@rule("far_above_bid", reason="FAR_ABOVE_BID")
def far_above_bid(order, ctx, params):
    return order.side == BUY and order.px * 10 // ctx.bid >= 20
