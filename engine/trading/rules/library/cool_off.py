"""A pause after a loss."""

from pinion import rule


@rule("cool_off", reason="COOLING_OFF", params={"seconds": 60})
def cool_off(order, ctx, params):
    """Refuse orders of an account for `seconds` after a trade in which it realised a loss."""
    return 0 <= ctx.loss_age_ms < params.seconds * 1000
