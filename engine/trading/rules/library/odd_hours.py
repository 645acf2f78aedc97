"""Orders at hours at which nobody should trade, by the clock of the engine in UTC."""

from pinion import rule


@rule("odd_hours", reason="OUT_OF_HOURS", params={"open_minute": 480, "close_minute": 1320, "weekend": 0})
def odd_hours(order, ctx, params):
    """Refuse orders outside [open_minute, close_minute) of the UTC day, on Saturday and Sunday too.

    `weekend` 1 takes orders at the weekend. An opening behind the closing is a night over midnight.
    """
    day = order.ts_ms // 86_400_000
    if params.weekend == 0 and (day + 3) % 7 >= 5:  # 1970 began on a Thursday, Monday is 0
        return True
    minute = (order.ts_ms - day * 86_400_000) // 60_000
    if params.open_minute <= params.close_minute:
        return not params.open_minute <= minute < params.close_minute
    return params.close_minute <= minute < params.open_minute
