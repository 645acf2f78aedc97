"""Limits of loss in a limits line, and the latches that a reset_latch line names (exchange rule S21).

The door knows no account, so it does not know how many decimals an account's reporting currency has: it
writes amounts as they are given, with the decimals that they need, and the engine counts in minor units.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.trading.fields import BPS, LOSS_LIMIT_FIELDS, LOSS_LIMIT_LIFTED
from engine.trading.instruments import DECIMALS_MAX, RefusedAtDoor, decimal_from
from engine.trading.records import MONEY_MAX, CommandFlag, Latch, LatchLevel, Reason
from gateways.json_lines.fields import MalformedCommand, flag, whole, word

ON_BREACH = {level.name.lower(): level for level in LatchLevel if level != LatchLevel.NONE}
LATCHES = {latch.name.lower(): latch for latch in Latch}
RATIO = "max_drawdown_bps"

Content = dict[str, Any]


def loss_limits(fields: Mapping[str, Any]) -> Content:
    """Return the fields of a LIMITS record that its limits of loss take; nothing where it has none."""
    amounts = {
        name: _amount(fields[name], name)
        for name in LOSS_LIMIT_FIELDS
        if name != RATIO and fields.get(name) is not None
    }
    decimals = max((-_exponent(amount) for amount in amounts.values()), default=0)
    content: Content = {}
    for name, field in LOSS_LIMIT_FIELDS.items():
        if name not in fields:
            continue
        if fields[name] is None:
            content[field] = LOSS_LIMIT_LIFTED
        elif name == RATIO:
            content[field] = _ratio(fields[name])
        else:
            content[field] = _scaled(amounts[name], decimals, name, fields[name])
    level = fields.get("on_breach")
    if level is not None:
        if not content:
            given = ", ".join(LOSS_LIMIT_FIELDS)
            raise MalformedCommand("on_breach", level, f"name the limit that it is for: {given}")
        content["side"] = word(level, "on_breach", ON_BREACH)
    if decimals:
        content["order_type"] = decimals
    return content


def asked_latch(fields: Mapping[str, Any]) -> Content:
    """Return the fields of a RESET_LATCH record that say which latch of an account, and whether anew."""
    content: Content = {}
    given = next((name for name in ("limit", "rebase") if fields.get(name) not in (None, False)), None)
    if given is not None and fields.get("account") is None:
        raise MalformedCommand(
            given, fields[given], "it goes with `account`: only accounts have limits of loss"
        )
    if fields.get("limit") is not None:
        content["side"] = word(fields["limit"], "limit", LATCHES)
    if flag(fields, "rebase"):
        content["flags"] = CommandFlag.REBASE
    return content


def _amount(value: object, name: str) -> Decimal:
    amount = decimal_from(value, name).normalize()
    if amount <= 0 or -_exponent(amount) > DECIMALS_MAX:
        detail = f"an amount above zero with at most {DECIMALS_MAX} decimals; null lifts the limit"
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, value, detail)
    return amount


def _exponent(amount: Decimal) -> int:
    """Return the exponent of an amount's last digit, 0 for a whole number."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return min(exponent, 0)


def _scaled(amount: Decimal, decimals: int, name: str, value: object) -> int:
    scaled = int(amount.scaleb(decimals)) if amount.adjusted() < DECIMALS_MAX + 2 else MONEY_MAX + 1
    if scaled > MONEY_MAX:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE, name, value, "the amount is more than can be counted: 2**62 units"
        )
    return scaled


def _ratio(value: object) -> int:
    number = whole(value, RATIO)
    if not 1 <= number <= BPS:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, RATIO, number, f"must be 1 to {BPS}; null lifts the limit")
    return number
