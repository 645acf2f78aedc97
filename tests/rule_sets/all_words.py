"""Rules that read every word there is, each so that a small difference in one of them shows."""

from pinion import LIMIT, rule, symbol


@rule("of_order", reason="ORDER", params={"part": 11})
def of_order(order, ctx, params):
    mixed = order.account % 1009 + order.instrument * 3 + order.is_replace * 7 + order.side * 11
    mixed += order.type * 13 + order.time_in_force * 17 + order.post_only * 19 + order.px % 1009 * 23
    mixed += order.qty % 1009 * 29 + order.leaves % 1009 * 31 + order.notional % 1009 * 37
    mixed += order.more % 1009 * 41 + order.old_px % 1009 * 43 + order.ts_ms % 1009 * 47 + order.scale % 1009
    if order.symbol == symbol("ABC"):
        mixed += 5
    return mixed % params.part == 0


@rule("of_book", reason="BOOK", params={"part": 13})
def of_book(order, ctx, params):
    mixed = ctx.bid * 3 + ctx.bid_qty % 1009 * 5 + ctx.ask * 7 + ctx.ask_qty % 1009 * 11
    mixed += ctx.last * 13 + ctx.mark * 17 + ctx.position % 1009 * 19 + ctx.open_buys % 1009 * 23
    mixed += ctx.open_sells % 1009 * 29 + ctx.cost % 1009 * 31 + ctx.realised % 1009 * 37
    return mixed % params.part == 1


@rule("of_account", reason="ACCOUNT", params={"part": 13})
def of_account(order, ctx, params):
    mixed = ctx.balance % 1009 * 3 + ctx.reserved % 1009 * 5 + ctx.open_orders * 7
    mixed += ctx.max_open_orders % 1009 * 11 + ctx.max_position % 1009 * 13 + ctx.order_rate % 1009 * 17
    mixed += ctx.has_equity * 19 + ctx.equity % 1009 * 23 + ctx.peak % 1009 * 29 + ctx.day_start % 1009 * 31
    return mixed % params.part == 1


@rule("divides", reason="QUOTIENT")
def divides(order, ctx, params):
    if order.type != LIMIT:
        return False
    return order.qty // (ctx.bid_qty % 5) == 3


@rule("shifts", reason="SHIFT")
def shifts(order, ctx, params):
    return order.px >> (ctx.open_orders - 1) == 1000
