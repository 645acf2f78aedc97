"""Limits of an account or a group in a line, and the latches that a reset_latch names (exchange rule S21).

The door knows no account, so it does not know how many decimals an account's reporting currency has: it
writes amounts as they are given, with the decimals that they need, and the engine counts in minor units.
"""

from collections.abc import Mapping
from typing import Any

from engine.trading.fields import ACCOUNT_LIMITS_HALVES, ACCOUNT_LIMITS_WORDS, BPS, HALF_MAX, AccountLimit
from engine.trading.instruments import (
    DECIMALS_MAX,
    POSITION_LIMIT_STEP,
    RefusedAtDoor,
    steps_from,
)
from engine.trading.records import MONEY_MAX, CommandFlag, Latch, LatchLevel, Op, Reason
from gateways.json_lines.fields import MalformedCommand, counted_amount, flag, whole, word

ON_BREACH = {level.name.lower(): level for level in LatchLevel if level != LatchLevel.NONE}
LATCHES = {latch.name.lower(): latch for latch in Latch}
ACCOUNT_LIMITS = {limit.name.lower(): limit for limit in AccountLimit}
OF_DEFAULT = ("max_open_orders", "max_position", "order_rate", "order_burst")
"""The limits that every account's default may have."""
LATCHING = ("max_daily_loss", "max_drawdown", "max_drawdown_bps", "max_fill_rate")
AMOUNTS = ("max_gross_exposure", "max_daily_loss", "max_drawdown")
QUANTITIES = ("max_position", "max_fill_rate")
RATE_MAX = 10**9
DAY_MS = 86_400_000
RANGES = {
    "max_open_orders": (0, HALF_MAX),
    "order_rate": (0, RATE_MAX),
    "order_burst": (0, RATE_MAX),
    "max_drawdown_bps": (1, BPS),
    "max_concentration_ppm": (1, 1_000_000),
    "modify_rate": (0, RATE_MAX),
    "modify_burst": (0, RATE_MAX),
    "fill_window_ms": (1, DAY_MS),
    "max_order_trade_ratio": (1, HALF_MAX),
    "order_trade_window_ms": (1, DAY_MS),
}
HALF_BITS = 32

Content = dict[str, Any]


def account_limits(fields: Mapping[str, Any]) -> Content:
    """Return the fields of an ACCOUNT_LIMITS record; no account: of every account's default."""
    given = [name for name in ACCOUNT_LIMITS if name in fields]
    is_default = not fields.get("account") and fields.get("group") is None
    for name in given:
        if is_default and name not in OF_DEFAULT:
            raise MalformedCommand(name, fields[name], f"name the account or group: {name} is no default")
    values = {name: counted(fields[name], name) for name in given if _is_counted(name, fields)}
    decimals = _read_amounts(fields, values)
    values["named"] = sum(1 << ACCOUNT_LIMITS[name] for name in given)
    values["lifted"] = sum(1 << ACCOUNT_LIMITS[name] for name in given if fields[name] is None)
    content: Content = {"op": Op.ACCOUNT_LIMITS, "side": _on_breach(fields, given), "order_type": decimals}
    content |= {field: values.get(name, 0) for name, field in ACCOUNT_LIMITS_WORDS.items()}
    halves = {
        field: values.get(low, 0) | values.get(high, 0) << HALF_BITS
        for field, low, high in ACCOUNT_LIMITS_HALVES
    }
    words = tuple(halves.pop(f"text_{word_idx}") for word_idx in range(3))
    return content | halves | {"text": words}


def _is_counted(name: str, fields: Mapping[str, Any]) -> bool:
    return name not in AMOUNTS and fields[name] is not None


def counted(value: object, name: str) -> int:
    """Return a limit that is a number, or a quantity in 1e-9."""
    if name in QUANTITIES:
        steps = steps_from(value, POSITION_LIMIT_STEP, name, Reason.OUT_OF_RANGE)
        if name == "max_fill_rate" and not 1 <= steps <= MONEY_MAX:
            raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, value, "a quantity above zero; null lifts it")
        return steps
    number = whole(value, name)
    lowest, highest = RANGES[name]
    if not lowest <= number <= highest:
        detail = f"must be {lowest} to {highest}; null lifts the limit"
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, number, detail)
    return number


def _read_amounts(fields: Mapping[str, Any], values: dict[str, int]) -> int:
    """Add the limits that are amounts of money to `values`; return the decimals that they all have."""
    amounts = {name: _amount(fields[name], name) for name in AMOUNTS if fields.get(name) is not None}
    decimals = max((decimals for _, decimals in amounts.values()), default=0)
    for name, (number, places) in amounts.items():
        values[name] = number * 10 ** (decimals - places)
        if values[name] > MONEY_MAX:
            detail = f"with {decimals} decimals the amount is more than can be counted: 2**62 units"
            raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, fields[name], detail)
    return decimals


def _on_breach(fields: Mapping[str, Any], given: list[str]) -> int:
    level = fields.get("on_breach")
    if level is None:
        return 0
    if not set(given) & set(LATCHING):
        raise MalformedCommand("on_breach", level, f"name the limit that it is for: {', '.join(LATCHING)}")
    return word(level, "on_breach", ON_BREACH)


def asked_latch(fields: Mapping[str, Any]) -> Content:
    """Return the fields of a RESET_LATCH record that say which latch, and whether it is measured anew."""
    content: Content = {}
    given = next((name for name in ("limit", "rebase") if fields.get(name) not in (None, False)), None)
    if given is not None and fields.get("account") is None and fields.get("group") is None:
        mend = "it goes with `account` or `group`: no other has limits that latch"
        raise MalformedCommand(given, fields[given], mend)
    if fields.get("limit") is not None:
        content["side"] = word(fields["limit"], "limit", LATCHES)
    if flag(fields, "rebase"):
        content["flags"] = CommandFlag.REBASE
    return content


def _amount(value: object, name: str) -> tuple[int, int]:
    """Return an amount as (a whole number, the decimals that it is counted with), as few as it needs."""
    number, places = counted_amount(value, name)
    if number < 1:
        detail = f"an amount above zero with at most {DECIMALS_MAX} decimals; null lifts the limit"
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, value, detail)
    return number, places
