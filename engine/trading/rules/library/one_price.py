"""Too many orders of one account at one price."""

from pinion import rule


@rule("one_price", reason="TOO_MANY_AT_PRICE", params={"most": 10})
def one_price(order, ctx, params):
    """Refuse an order where `most` of the account rest at its price on its side already."""
    return ctx.orders_at_px >= params.most
