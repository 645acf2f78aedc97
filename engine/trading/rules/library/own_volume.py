"""Too large a share of what is traded: an account that would be the market."""

from pinion import rule


@rule("own_volume", reason="OWN_SHARE_OF_VOLUME", params={"percent": 25, "least": 1000})
def own_volume(order, ctx, params):
    """Refuse an order where fills of the account, with it, pass `percent` of the last minute's volume.

    Below `least` lots traded in that minute nothing is said.
    """
    percent = max(0, min(params.percent, 100))
    traded = min(ctx.volume_1m, 10**15)
    own = min(ctx.filled_1m, 10**15) + min(order.leaves, 10**15)
    return traded >= params.least and own * 100 > traded * percent
