"""Rules that read every window, so that a small difference in one of them shows."""

from pinion import rule


@rule("of_counts", reason="COUNTS", params={"part": 7})
def of_counts(order, ctx, params):
    mixed = ctx.orders_1s * 3 + ctx.orders_1m * 5 + ctx.trades_1s * 11 + ctx.trades_1m * 13
    mixed += ctx.loss_age_ms % 1009 * 17 + ctx.orders_at_px * 19
    return mixed % params.part == 1


@rule("of_lots", reason="LOTS", params={"part": 7})
def of_lots(order, ctx, params):
    mixed = ctx.ordered_1s % 1009 * 3 + ctx.ordered_1m % 1009 * 5 + ctx.filled_1s % 1009 * 11
    mixed += ctx.filled_1m % 1009 * 13 + ctx.volume_1s % 1009 * 17 + ctx.volume_1m % 1009 * 19
    return mixed % params.part == 1
