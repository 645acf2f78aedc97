"""What the fields of COMMAND carry in commands of administration, where it is not what they are named for."""

INSTRUMENT_FIELDS = {
    "symbol": "text",  # 16 bytes at most: words 0 and 1
    "tick_size": "account",  # mantissa; its decimals in `side`
    "lot_size": "client_order_id",  # mantissa; its decimals in `order_type`
    "base": "time_in_force",  # currency index
    "quote": "stp_mode",  # currency index
    "protect_ticks": "order_id",  # UNCHANGED: to the band, or to the ends of the price range
    "max_price": "px",  # UNCHANGED: isqrt((2**62 - 1) // scale)
    "max_quantity": "qty",  # UNCHANGED: as max_price
    "max_notional": "display_qty",  # LIFTED: none
    "band_low": "stop_px",  # LIFTED: none
    "band_high": "expiry",  # LIFTED: none
    "collar_bps": "instrument",  # 0: none
    "maker_fee_ppm": "value",
    "taker_fee_ppm": "text",  # word 2
}
"""Field of COMMAND that carries each setting of an INSTRUMENT command."""

SYMBOL_BYTES = 16
INSTRUMENT_LIMIT_FIELDS = {
    "max_quantity": "qty",
    "max_notional": "display_qty",
    "band_low": "stop_px",
    "band_high": "expiry",
}
"""LIMITS of one instrument: UNCHANGED, LIFTED or the new value."""

POSITION_LIMIT_DECIMALS = 9
ACCOUNT_LIMIT_FIELDS = {
    "max_open_orders": "px",
    "max_position": "qty",  # in 1e-9 of an instrument's unit: accounts know no lots
    "order_rate": "display_qty",
    "order_burst": "stop_px",
}
"""LIMITS of one account, or of every account's default: UNCHANGED, LIFTED or the new value."""
LOSS_LIMIT_FIELDS = {
    "max_daily_loss": "client_order_id",
    "max_drawdown": "order_id",
    "max_drawdown_bps": "expiry",
}
"""LIMITS of one account, 1 at least: 0 leaves it as it is (as older journals do), LOSS_LIMIT_LIFTED lifts it.
Amounts have as many decimals as `order_type` says; `side`: their LatchLevel, 0 for CANCEL_AND_BLOCK."""
LOSS_LIMIT_LIFTED = -1
BPS = 10_000
REPORTING_WORD = 2
"""ACCOUNT: this word of `text` is the index of the reporting currency + 1, 0 where none is given."""

DEPOSIT_FIELDS = ("client_order_id", "order_id", "px", "qty", "display_qty", "stop_px", "expiry")
"""ACCOUNT: amount k (minor units, 0 = none) for the currency whose index is byte k of `text`."""
