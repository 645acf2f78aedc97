"""The configuration's currencies, rates, instruments, accounts, groups and limits as commands (interface R2).

An engine numbers currencies and instruments in the order of their commands, so the indices are
known before anything was applied.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from engine.runtime.supervision.configure import Definition
from engine.runtime.supervision.endings import StartError
from engine.settings.config import ConfigError
from engine.trading.fields import DEPOSIT_FIELDS, MEMBERS_MAX
from engine.trading.instruments import (
    DEFAULT_CURRENCY_DECIMALS,
    Catalogue,
    Currency,
    Instrument,
    RefusedAtDoor,
    catalogue,
    decimal_from,
    mantissa,
    money_scale,
)
from engine.trading.records import COMMAND
from engine.trading.settings import AccountSettings, LimitSettings, TradingSettings
from gateways.json_lines import CommandEncoder, MalformedCommand
from gateways.json_lines.account_limits import AMOUNTS
from pinion.cli.trading.lacking import Fields, HeldDefinitions


@dataclass(frozen=True, slots=True)
class Configured(Definition):
    """A line of the configuration, encoded for an engine that knows what is before it."""

    fields: Fields


def definitions(settings: TradingSettings) -> list[Configured]:
    """Return the commands that bring a fresh engine to what the configuration says."""
    decimals = _currencies(settings)
    _refuse_parts_of_minor_units(settings, decimals)
    try:
        return _encoded(_lines(settings, decimals), Catalogue([], []))
    except Unencodable as error:
        raise ConfigError(str(error)) from error


def missing(wanted: Sequence[Definition], state: Any) -> list[Configured]:
    """Return what the engine does not know yet (lacking.py): all of it on a fresh journal.

    They are encoded for that engine, which may number currencies in another order.

    state : array of one STATE record
    """
    known = catalogue(state)
    held = HeldDefinitions(state, known)
    lines = []
    for each in wanted:
        assert isinstance(each, Configured)
        fields = held.lacking(each.fields)
        if fields is not None:
            lines.append((each.setting, fields))
    try:
        return _encoded(lines, known)
    except Unencodable as error:
        raise StartError(f"{error}; what is defined already stays as it is") from error


class Unencodable(ValueError):  # noqa: N818  it says what the line is
    """A line that does not fit what is defined before it; the text names the setting."""


def _encoded(lines: Iterable[tuple[str, Fields]], known: Catalogue) -> list[Configured]:
    """Encode lines one behind the other; what they define is added to `known`."""
    encoder = CommandEncoder(known)
    made = []
    for setting, fields in lines:
        commands = np.zeros(1, COMMAND)
        try:
            encoder.encode(fields, commands[0])
            _add(known, fields)
        except (RefusedAtDoor, MalformedCommand) as error:
            raise Unencodable(f"{setting}: {error}") from error
        made.append(Configured(setting, commands, fields))
    return made


def _add(known: Catalogue, fields: Fields) -> None:
    """Add the currency or the instrument that a line defines."""
    if fields["op"] == "currency":
        currency = Currency(len(known.currencies), fields["currency"], fields["decimals"])
        known.currencies.append(currency)
        known.currency_by_code[currency.code] = currency
    elif fields["op"] == "instrument":
        base, quote = (known.currency_by_code[fields[name]] for name in ("base", "quote"))
        tick, lot = (decimal_from(fields[name], name) for name in ("tick_size", "lot_size"))
        instrument = Instrument(
            len(known.instruments),
            fields["symbol"],
            base,
            quote,
            *mantissa(tick, "tick_size"),
            *mantissa(lot, "lot_size"),
            money_scale(tick, lot, quote),
        )
        known.instruments.append(instrument)
        known.instrument_by_symbol[instrument.symbol] = instrument


def _refuse_parts_of_minor_units(settings: TradingSettings, decimals: dict[str, int]) -> None:
    """Raise ConfigError where a limit in money is finer than its account's reporting currency."""
    first = next(iter(decimals), None)
    reporting = {each.account: each.reporting_currency or first for each in settings.accounts}
    for idx, limits in enumerate(settings.limits):
        code = reporting.get(limits.account or 0)
        for name in AMOUNTS if code is not None else ():
            value = limits.named.get(name)
            if code is not None and value is not None:
                try:
                    Currency(0, code, decimals[code]).minor_units(value, name)
                except RefusedAtDoor as error:
                    raise ConfigError(f"limits[{idx}]: {error}, a minor unit of {code}") from error


def _currencies(settings: TradingSettings) -> dict[str, int]:
    """Return every currency in order: those defined, then those that are only mentioned."""
    decimals = {each.currency: each.decimals for each in settings.currencies}
    mentioned = [code for each in settings.instruments for code in (each.base, each.quote)]
    mentioned += [code for each in settings.accounts for code in each.deposit]
    for code in mentioned:
        decimals.setdefault(code, DEFAULT_CURRENCY_DECIMALS)
    return decimals


def _lines(settings: TradingSettings, decimals: dict[str, int]) -> Iterator[tuple[str, Fields]]:
    """Yield (setting, fields of a command) in the order in which the engine must get them."""
    for code, places in decimals.items():
        yield f"currencies ({code})", {"op": "currency", "currency": code, "decimals": places}
    for idx, rate in enumerate(settings.rates):
        yield (
            f"rates[{idx}]",
            {
                "op": "rate",
                "currency": rate.currency,
                "in": rate.into,
                "price": rate.price,
            },
        )
    for idx, instrument in enumerate(settings.instruments):
        given = {
            name: value for name, value in msgspec.structs.asdict(instrument).items() if value is not None
        }
        yield f"instruments[{idx}]", {"op": "instrument", **given}
    for idx, account in enumerate(settings.accounts):
        for deposit in _deposits(account):
            line: Fields = {"op": "account", "account": account.account, "unlimited": account.unlimited}
            line["reporting_currency"] = account.reporting_currency
            line["funding"] = account.funding
            yield f"accounts[{idx}]", {**line, "deposit": deposit}
    for idx, group in enumerate(settings.groups):
        for start in range(0, max(1, len(group.accounts)), MEMBERS_MAX):
            part = list(group.accounts[start : start + MEMBERS_MAX])
            yield f"groups[{idx}]", {"op": "group", "group": group.group, "accounts": part, "add": start > 0}
    for idx, limits in enumerate(settings.limits):
        yield f"limits[{idx}]", _limits_line(limits)


def _limits_line(limits: LimitSettings) -> Fields:
    """Return a `limits` line."""
    whose = ("account", "group", "symbol", "on_breach")
    line = {"op": "limits", **limits.named}
    line |= {name: getattr(limits, name) for name in whose if getattr(limits, name) is not None}
    return line


def _deposits(account: AccountSettings) -> list[dict[str, str | int]]:
    """Split a deposit into parts that one command can carry; one empty part when there is none."""
    items = list(account.deposit.items())
    size = len(DEPOSIT_FIELDS)
    return [dict(items[start : start + size]) for start in range(0, max(1, len(items)), size)]
