"""A rule of the scenarios that waits after a loss, and one of how many orders stand at a price."""

from pinion import rule


@rule("cool_off", reason="COOLING_OFF", params={"ms": 1000})
def cool_off(order, ctx, params):
    return 0 <= ctx.loss_age_ms < params.ms


@rule("one_price", reason="TOO_MANY_AT_PRICE", params={"most": 2})
def one_price(order, ctx, params):
    return ctx.orders_at_px >= params.most
