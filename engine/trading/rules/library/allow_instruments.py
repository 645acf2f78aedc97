"""A list of instruments that may be traded: write your own symbols into it, or set `allow` for an account."""

from pinion import rule, symbol


@rule("allow_instruments", reason="INSTRUMENT_NOT_ALLOWED", params={"allow": 0})
def allow_instruments(order, ctx, params):
    """Refuse instruments that are not named here, but where the param `allow` is 1 for it or the account."""
    if params.allow == 1:
        return False
    is_listed = order.symbol == symbol("BTC-USD") or order.symbol == symbol("ETH-USD")
    return not is_listed
