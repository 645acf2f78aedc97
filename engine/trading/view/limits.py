"""What holds for an account, and how near it is: limits, latches and equity out of what was copied."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trading.fields import POSITION_LIMIT_DECIMALS
from engine.trading.instruments import Catalogue, Currency, scaled_text
from engine.trading.kernels.state import NIL, NO_LIMIT
from engine.trading.kernels.watch_records import BUCKETS, WATCHED_EQUITY
from engine.trading.records import MONEY_MAX, Latch, LatchLevel
from engine.trading.view.watch_kernels import WATCH_HEADS

PPM = 1_000_000
TOKEN = 1_000_000_000
MS_NS = 1_000_000
BUCKET_OF = {Latch.MAX_FILL_RATE: "fill_bucket_ns", Latch.MAX_ORDER_TRADE_RATIO: "message_bucket_ns"}


class Unit(Enum):
    """What a limit counts."""

    NUMBER = 0
    QUANTITY = 1  # 1e-9 of an instrument's unit
    MONEY = 2  # minor units of the reporting currency

    def text(self, amount: int, currency: Currency | None) -> str | int:
        """Return an amount as callers read it."""
        if self is Unit.MONEY:
            assert currency is not None
            return currency.text(amount)
        return scaled_text(amount, 1, POSITION_LIMIT_DECIMALS) if self is Unit.QUANTITY else amount


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit that holds for an account, by the name that a limits line has for it.

    measured, allowed : what counts against it and how much may; None for rates, which nothing adds up to
    symbol : of the instrument that is nearest to it
    window_ms : in which it is measured; on_breach : the level that it latches at
    """

    name: str
    unit: Unit
    limit: int
    measured: int | None = None
    allowed: int | None = None
    symbol: str | None = None
    window_ms: int | None = None
    on_breach: LatchLevel | None = None


@dataclass(frozen=True, slots=True)
class LatchView:
    """A limit of an account that has latched, or that it was warned of."""

    latch: Latch
    level: LatchLevel


@dataclass(frozen=True, slots=True)
class LossesView:
    """What an account's losses are measured by: minor units of its reporting currency.

    equity is cash and every position as they were valued last; is_bounded: it is within 2**62.
    """

    currency: Currency
    equity: int
    is_bounded: bool
    peak: int
    day_start: int


@dataclass(frozen=True, slots=True)
class MarginView:
    """What an account on margin has in use and free: minor units of its reporting currency.

    None is an amount beyond 2**62. free is what step 18 lets new orders have; below 0 none.
    """

    currency: Currency
    equity: int | None
    initial: int | None
    maintenance: int | None

    @property
    def free(self) -> int | None:
        """The equity that no initial margin uses."""
        return None if self.equity is None or self.initial is None else self.equity - self.initial


Heads = dict[str, int]
Rows = list[list[int]]


def read_heads(values: list[int]) -> Heads:
    """Return what was copied of an account, by its names."""
    return dict(zip(WATCH_HEADS, values, strict=True))


OWN_LIMITS = ("max_open_orders", "max_position", "order_rate", "order_burst")


def limited_in(s: Any) -> list[int]:
    """Return the accounts of a STATE record that have limits or latches of their own, or are killed."""
    accounts = s["accounts"][: int(s["accounts_used"])]
    is_limited = (accounts["is_watched"] != 0) | (accounts["is_killed"] != 0)
    for name in OWN_LIMITS:
        is_limited |= accounts[name] > 0
    found: list[int] = accounts["account"][is_limited].tolist()
    return found


def losses_of(known: Catalogue, heads: Heads) -> LossesView | None:
    """Return equity and its references, None for an account whose equity is not kept."""
    if not heads["watched"] & int(WATCHED_EQUITY):
        return None
    currency, is_bounded = known.currencies[heads["reporting"]], bool(heads["is_bounded"])
    return LossesView(currency, heads["equity"], is_bounded, heads["peak"], heads["day_start"])


def margin_of(known: Catalogue, heads: Heads) -> MarginView | None:
    """Return the margin in use, None for an account that trades on its cash."""
    if not heads["is_on_margin"]:
        return None
    equity = heads["equity"] if heads["is_bounded"] else None
    initial, maintenance = (
        None if heads[name] > MONEY_MAX else heads[name] for name in ("initial_margin", "maintenance_margin")
    )
    return MarginView(known.currencies[heads["reporting"]], equity, initial, maintenance)


def latches_of(rows: Rows) -> tuple[LatchView, ...]:
    """Return what limits have latched; a warning blocks nothing, but is told."""
    found = []
    for latch in Latch:
        _, level, is_warned, *_ = rows[latch]
        reached = LatchLevel(max(level, LatchLevel.WARN if is_warned else LatchLevel.NONE))
        if reached != LatchLevel.NONE:
            found.append(LatchView(latch, reached))
    return tuple(found)


def limits_of(
    known: Catalogue, heads: Heads, rows: Rows, open_orders: int, reach: tuple[int, str | None]
) -> Iterator[LimitView]:
    """Yield the limits that hold for an account.

    reach : the largest position, in 1e-9 of a unit, that its open orders of one side would make, and whose
    """
    if heads["open_orders_limit"] != MONEY_MAX:
        limit = heads["open_orders_limit"]
        yield LimitView("max_open_orders", Unit.NUMBER, limit, open_orders, limit)
    if heads["position_limit"] != NO_LIMIT:
        limit = heads["position_limit"]
        yield LimitView("max_position", Unit.QUANTITY, limit, reach[0], limit, reach[1])
    if heads["rate_limit"] != NO_LIMIT:
        yield LimitView("order_rate", Unit.NUMBER, heads["rate_limit"])
        yield LimitView("order_burst", Unit.NUMBER, heads["burst_limit"] // TOKEN)
    if heads["modify_rate"]:
        burst = heads["modify_burst"] or heads["modify_rate"]
        yield LimitView("modify_rate", Unit.NUMBER, heads["modify_rate"] - 1)
        yield LimitView("modify_burst", Unit.NUMBER, burst - 1)
    gross, part = heads["gross"], heads["part"]
    if heads["gross_limit"]:
        limit = heads["gross_limit"]
        yield LimitView("max_gross_exposure", Unit.MONEY, limit, gross, limit)
    if heads["concentration_limit"]:
        limit, symbol = (
            heads["concentration_limit"],
            _symbol(known, heads["part_instrument"]) if part else None,
        )
        parts = -(-part * PPM // gross) if gross else 0
        yield LimitView("max_concentration_ppm", Unit.NUMBER, limit, parts, limit, symbol)
    for latch in Latch:
        if rows[latch][0]:
            yield _latching(known, heads, latch, rows[latch])


def _latching(known: Catalogue, heads: Heads, latch: Latch, row: list[int]) -> LimitView:
    limit, _, _, on_breach, measured, allowed, instrument = row
    unit = {Latch.MAX_FILL_RATE: Unit.QUANTITY, Latch.MAX_ORDER_TRADE_RATIO: Unit.NUMBER}.get(
        latch, Unit.MONEY
    )
    bucket = BUCKET_OF.get(latch)
    window_ms = round(heads[bucket] * BUCKETS / MS_NS) if bucket else None
    level = LatchLevel(on_breach) if on_breach else None
    symbol = _symbol(known, instrument) if latch == Latch.MAX_FILL_RATE else None
    return LimitView(latch.name.lower(), unit, limit, measured, allowed, symbol, window_ms, level)


def _symbol(known: Catalogue, instrument: int) -> str | None:
    return None if instrument == NIL else known.instruments[instrument].symbol


def counted_latches(levels: npt.NDArray[Any]) -> dict[str, int]:
    """Return at how many holders each limit has latched.

    levels : LatchLevel by holder and Latch, as WATCH has them
    """
    return {
        latch.name.lower(): int(np.count_nonzero(levels[:, latch] >= LatchLevel.REDUCE_ONLY))
        for latch in Latch
        if latch != Latch.KILL
    }
