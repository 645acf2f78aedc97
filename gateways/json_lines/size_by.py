"""`size_by` of a new order: a method of position sizing in place of a quantity (exchange rule S21).

    {"method":"fixed_risk","risk_ppm":5000,"stop":"9.90"}
    {"method":"fixed_notional","amount":"2500"}
    {"method":"vol_target","target_ppm":100000,"volatility_ppm":400000}
    {"method":"kelly","win_ppm":550000,"payoff_ppm":1000000,"cap_ppm":250000}

The door checks every range that the engine checks, so what is refused is told by its name. It does not know
the account's reporting currency: an amount travels with the decimals that it is written with.
"""

from collections.abc import Mapping
from typing import Any

from engine.trading.fields import CAP_BITS, SIZING_BITS, SIZING_FIELDS, SIZING_PPM_MAX
from engine.trading.instruments import DECIMALS_MAX, Instrument, RefusedAtDoor, scaled_text
from engine.trading.records import MONEY_MAX, Reason, SizingMethod
from gateways.json_lines.fields import MalformedCommand, counted_amount, did_you_mean, whole, word, words_of

METHODS = words_of(SizingMethod)
WHOLE_PPM = 1_000_000
PPM_RANGES = {
    "risk_ppm": (1, WHOLE_PPM),
    "target_ppm": (1, SIZING_PPM_MAX),
    "volatility_ppm": (1, SIZING_PPM_MAX),
    "win_ppm": (0, WHOLE_PPM),
    "payoff_ppm": (1, SIZING_PPM_MAX),
    "cap_ppm": (1, WHOLE_PPM),
}
"""Least and greatest of each share; a volatility or a payoff of zero is a divisor that there is not."""
DIVISORS = ("volatility_ppm", "payoff_ppm")


def sizing_words(given: object, instrument: Instrument, within: str = "size_by.") -> tuple[int, int]:
    """Return what `qty` and `order_id` of a SIZED order carry; within: what refusals name arguments by."""
    if not isinstance(given, Mapping):
        raise MalformedCommand(
            "size_by", given, 'give an object such as {"method":"fixed_notional","amount":"100"}'
        )
    method = SizingMethod(word(given.get("method"), within + "method", METHODS))
    names = arguments_of(method)
    for name in given:
        if name != "method" and name not in names:
            raise MalformedCommand(within + name, given[name], did_you_mean(name, ["method", *names]))
    if method == SizingMethod.FIXED_RISK:
        first, second = _ppm(given, "risk_ppm", within), _stop(given, instrument, within)
    elif method == SizingMethod.FIXED_NOTIONAL:
        first, second = _amount(given, within)
    elif method == SizingMethod.VOL_TARGET:
        first, second = _ppm(given, "target_ppm", within), _ppm(given, "volatility_ppm", within)
    else:
        first = _ppm(given, "win_ppm", within) | _ppm(given, "cap_ppm", within) << CAP_BITS
        second = _ppm(given, "payoff_ppm", within)
    return first, method | second << SIZING_BITS


def arguments_of(method: SizingMethod) -> tuple[str, ...]:
    """Return the names of a method's arguments, as people give them."""
    return tuple(name for name in SIZING_FIELDS[method.name.lower()] if name != "decimals")


def size_by_of(first: int, second: int, instrument: Instrument) -> dict[str, Any]:
    """Return the object that `sizing_words` made these words of; amounts without trailing zeros."""
    method, argument = SizingMethod(second & (1 << SIZING_BITS) - 1), second >> SIZING_BITS
    told: dict[str, Any] = {"method": method.name.lower()}
    if method == SizingMethod.FIXED_RISK:
        return told | {"risk_ppm": first, "stop": instrument.price_text(argument)}
    if method == SizingMethod.FIXED_NOTIONAL:
        return told | {"amount": scaled_text(first, 1, argument)}
    if method == SizingMethod.VOL_TARGET:
        return told | {"target_ppm": first, "volatility_ppm": argument}
    win_ppm, cap_ppm = first & (1 << CAP_BITS) - 1, first >> CAP_BITS
    return told | {"win_ppm": win_ppm, "payoff_ppm": argument, "cap_ppm": cap_ppm}


def _argument(given: Mapping[str, Any], name: str, within: str) -> Any:
    value = given.get(name)
    if value is None:
        raise MalformedCommand(within + name, None, f"the method {given['method']!r} needs it")
    return value


def _ppm(given: Mapping[str, Any], name: str, within: str) -> int:
    number, (low, high) = whole(_argument(given, name, within), within + name), PPM_RANGES[name]
    if number == 0 and name in DIVISORS:
        raise RefusedAtDoor(
            Reason.INVALID_FIELD, within + name, number, "is divided by, so it must not be zero"
        )
    if not low <= number <= high:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE, within + name, number, f"must be {low} to {high} parts per million"
        )
    return number


def _stop(given: Mapping[str, Any], instrument: Instrument, within: str) -> int:
    px = instrument.px(_argument(given, "stop", within), within + "stop")
    if px < 1:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, within + "stop", given["stop"], "must be a price above zero")
    return px


def _amount(given: Mapping[str, Any], within: str) -> tuple[int, int]:
    """Return an amount of money as (a whole number, the decimals that it is counted with)."""
    value = _argument(given, "amount", within)
    number, places = counted_amount(value, within + "amount")
    if 1 <= number <= MONEY_MAX:
        return number, places
    detail = f"an amount above zero with at most {DECIMALS_MAX} decimals, and 2**62 of the last of them"
    raise RefusedAtDoor(Reason.OUT_OF_RANGE, within + "amount", value, detail)
