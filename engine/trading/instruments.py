"""Exact conversion between what people write and what the engine counts.

People write prices and quantities as decimals; the engine counts ticks, lots and
minor units of money (exchange rule S1). This file holds the conversion and the proof that
no product of the hot path can leave int64. Doors alone use it: the kernels never
see a Decimal. A Catalogue names the instruments and currencies an engine knows.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import isqrt
from typing import Any

from engine.text import numbers
from engine.trading.fields import POSITION_LIMIT_DECIMALS, RATE_DECIMALS
from engine.trading.records import LIFTED, MONEY_MAX, PX_MAX, Reason, words_text

INT64_MAX = 2**63 - 1
MANTISSA_MAX = 2**31 - 1
DECIMALS_MAX = 18
LOT_DECIMALS_MAX = POSITION_LIMIT_DECIMALS
POSITION_LIMIT_STEP = Decimal(1).scaleb(-POSITION_LIMIT_DECIMALS)
RATE_STEP = Decimal(1).scaleb(-RATE_DECIMALS)
DEFAULT_CURRENCY_DECIMALS = 6
TEXTS_KEPT = 4096
"""Decimals kept as text, and read: the orders of a market name a few prices and sizes again and again."""
NOT_DECIMAL = (
    'not a decimal number: write it like "10.05", in plain digits without exponent, '
    f"at most {numbers.NUMBER_CHARS_MAX} characters"
)


class RefusedAtDoor(ValueError):  # noqa: N818 - what happened
    """A value that no record can carry: which field, which value, why, and the mend."""

    def __init__(self, reason: Reason, field_name: str, value: object, detail: str) -> None:
        super().__init__(f"{field_name} {value!r}: {detail}")
        self.reason = reason
        self.field = field_name
        self.value = value
        self.detail = detail


def decimal_from(value: object, field_name: str) -> Decimal:
    """Return a decimal string or an int as an exact Decimal; refuse everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RefusedAtDoor(
            Reason.INVALID_FIELD,
            field_name,
            value,
            'give a decimal string such as "10.05" or a whole JSON number',
        )
    if isinstance(value, int):
        is_number = abs(value) < 10**numbers.NUMBER_CHARS_MAX
    else:
        is_number = numbers.is_decimal(value)
    if not is_number:
        shown = value[:64] if isinstance(value, str) else value
        raise RefusedAtDoor(Reason.INVALID_FIELD, field_name, shown, NOT_DECIMAL)
    return Decimal(value)


def mantissa(size: Decimal, field_name: str, decimals_max: int = DECIMALS_MAX) -> tuple[int, int]:
    """Split a positive step size into (mantissa, decimals): 0.25 -> (25, 2)."""
    sign, digits, exponent = size.as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits)))
    while whole and whole % 10 == 0:  # not normalize(), which would round at 28 digits
        whole, exponent = whole // 10, exponent + 1
    whole *= 10 ** max(exponent, 0)
    decimals = max(-exponent, 0)
    if sign or not 1 <= whole <= MANTISSA_MAX or decimals > decimals_max:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE,
            field_name,
            str(size),
            f"must be positive, with at most {decimals_max} decimals and digits up to {MANTISSA_MAX}",
        )
    return whole, decimals


def steps_from(value: object, step: Decimal, field_name: str, off_step: Reason) -> int:
    """Return `value` as a whole number of `step`s, exactly, within int64.

    Zero and negative numbers pass: the engine refuses them in the order of exchange rule S3.
    """
    # Divided in integers: Decimal division would round at 28 digits.
    numerator, denominator = decimal_from(value, field_name).as_integer_ratio()
    step_numerator, step_denominator = step.as_integer_ratio()
    count, rest = divmod(numerator * step_denominator, denominator * step_numerator)
    if rest:
        raise RefusedAtDoor(off_step, field_name, value, f"must be a multiple of {step}")
    # The two lowest int64 are UNCHANGED and LIFTED.
    if not LIFTED < count <= INT64_MAX:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE, field_name, value, f"must fit 64 bits when counted in steps of {step}"
        )
    return count


def plain(number: Decimal) -> str:
    """Write a Decimal without exponent and without trailing zeros."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@lru_cache(TEXTS_KEPT)
def scaled_text(count: int, mantissa_: int, decimals: int) -> str:
    """Write count * mantissa * 10**-decimals without trailing zeros; exact for any int64."""
    total = count * mantissa_
    if total < 0:
        return f"-{scaled_text(-count, mantissa_, decimals)}"
    one = 10**decimals
    whole, part = divmod(total, one)
    if part == 0:
        return str(whole)
    digits = str(one + part)[1:]  # the leading one keeps the zeros behind the point
    return f"{whole}.{digits.rstrip('0')}"


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: its index in the engine and the decimals of its minor unit."""

    currency_idx: int
    code: str
    decimals: int

    def minor_units(self, value: object, field_name: str) -> int:
        """Return an amount of money as minor units."""
        step = Decimal(1).scaleb(-self.decimals)
        return steps_from(value, step, field_name, Reason.OUT_OF_RANGE)

    def text(self, amount: int) -> str:
        """Write minor units as money."""
        return scaled_text(amount, 1, self.decimals)


def money_scale(tick_size: Decimal, lot_size: Decimal, quote: Currency) -> int:
    """Return the minor units of one tick times one lot; refuse a fraction (exchange rule S1)."""
    scale = (tick_size * lot_size).scaleb(quote.decimals)
    if scale != scale.to_integral_value() or not 1 <= scale < MONEY_MAX:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE,
            "tick_size",
            str(tick_size),
            f"tick_size x lot_size ({tick_size} x {lot_size}) must be a whole number of minor units "
            f"of {quote.code}, which has {quote.decimals} decimals",
        )
    return int(scale)


def default_maximum(scale: int) -> int:
    """Return the largest max_price, and max_quantity, that needs no proof (exchange rule S1)."""
    return isqrt((MONEY_MAX - 1) // scale)


def products_fit(px_max: int, qty_max: int, scale: int) -> bool:
    """Tell whether every px * qty * scale stays below 2**62 (exchange rule S1)."""
    return 1 <= px_max <= PX_MAX and qty_max >= 1 and px_max * qty_max * scale < MONEY_MAX


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument as the doors see it."""

    instrument_idx: int
    symbol: str
    base: Currency
    quote: Currency
    tick_mantissa: int
    tick_decimals: int
    lot_mantissa: int
    lot_decimals: int
    scale: int  # minor units of quote in one tick x one lot
    tick_size: Decimal = field(init=False)
    lot_size: Decimal = field(init=False)

    def __post_init__(self) -> None:
        tick = Decimal(self.tick_mantissa).scaleb(-self.tick_decimals)
        lot = Decimal(self.lot_mantissa).scaleb(-self.lot_decimals)
        object.__setattr__(self, "tick_size", tick)
        object.__setattr__(self, "lot_size", lot)

    @property
    def lot_nano(self) -> int:
        """A lot in 1e-9 of the unit, as position limits count."""
        return self.lot_mantissa * int(10 ** (LOT_DECIMALS_MAX - self.lot_decimals))

    def px(self, price: object, field_name: str = "price") -> int:
        """Return a price in ticks."""
        return steps_from(price, self.tick_size, field_name, Reason.OFF_TICK)

    def qty(self, quantity: object, field_name: str = "quantity") -> int:
        """Return a quantity in lots."""
        return steps_from(quantity, self.lot_size, field_name, Reason.OFF_LOT)

    def price_text(self, px: int) -> str:
        """Write ticks as a price."""
        return scaled_text(px, self.tick_mantissa, self.tick_decimals)

    def quantity_text(self, qty: int) -> str:
        """Write lots as a quantity."""
        return scaled_text(qty, self.lot_mantissa, self.lot_decimals)

    def fee_text(self, fee: int) -> str:
        """Write a fee, in minor units of the quote currency, as money."""
        return self.quote.text(fee)


class Catalogue:
    """The instruments and currencies an engine knows, by name and by index."""

    def __init__(self, currencies: list[Currency], instruments: list[Instrument]) -> None:
        self.currencies = currencies
        self.instruments = instruments
        self.currency_by_code = {currency.code: currency for currency in currencies}
        self.instrument_by_symbol = {each.symbol: each for each in instruments}

    def instrument(self, symbol: object) -> Instrument:
        """Return the instrument of that symbol or refuse, naming the known ones."""
        found = self.instrument_by_symbol.get(symbol) if isinstance(symbol, str) else None
        if found is None:
            known = ", ".join(list(self.instrument_by_symbol)[:8]) or "none yet"
            raise RefusedAtDoor(Reason.UNKNOWN_SYMBOL, "symbol", symbol, f"unknown symbol; known: {known}")
        return found

    def currency(self, code: object) -> Currency:
        """Return the currency of that code or refuse, naming the known ones."""
        found = self.currency_by_code.get(code) if isinstance(code, str) else None
        if found is None:
            known = ", ".join(list(self.currency_by_code)[:8]) or "none yet"
            raise RefusedAtDoor(
                Reason.UNKNOWN_CURRENCY, "currency", code, f"unknown currency; known: {known}"
            )
        return found


def catalogue(state: Any) -> Catalogue:
    """Return the instruments and currencies that `state` (an array of one STATE record) knows."""
    found = Catalogue([], [])
    extend(found, state[0])
    return found


def extend(known: Catalogue, s: Any) -> None:
    """Add the currencies and instruments that were defined since; both only ever grow.

    s : the STATE record
    """
    # Read first: a live state may grow meanwhile, and an instrument comes after its currencies.
    instrument_count = int(s["books_used"])
    for idx in range(len(known.currencies), int(s["currencies_used"])):
        row = s["currencies"][idx]
        currency = Currency(idx, words_text(row["code"]).decode(), int(row["decimals"]))
        known.currencies.append(currency)
        known.currency_by_code[currency.code] = currency
    for idx in range(len(known.instruments), instrument_count):
        row, book = s["listings"][idx], s["books"][idx]
        instrument = Instrument(
            idx,
            words_text(row["symbol"]).decode(),
            known.currencies[row["base"]],
            known.currencies[book["quote"]],
            int(row["tick_mantissa"]),
            int(row["tick_decimals"]),
            int(row["lot_mantissa"]),
            int(row["lot_decimals"]),
            int(book["scale"]),
        )
        known.instruments.append(instrument)
        known.instrument_by_symbol[instrument.symbol] = instrument
