"""What a rejection of the engine is told as."""

from engine.trading.records import Reason
from gateways.entry.rejections import cause


def test_a_price_that_is_no_orders_is_not_told_as_a_limit_price() -> None:
    detail, field = cause(Reason.INVALID_PRICE, {"op": "mark", "symbol": "XYZ", "price": 0})

    assert (detail, field) == (
        "a price must be above zero and at most the instrument's max_price",
        "price",
    )
