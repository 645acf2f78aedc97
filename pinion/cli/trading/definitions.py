"""The configuration's currencies, instruments, accounts and groups as commands (interface R2).

A fresh engine numbers currencies and instruments in the order of their commands, so the
indices are known before anything was applied.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from engine.runtime.supervision.configure import Definition
from engine.settings.config import ConfigError
from engine.trading.fields import DEPOSIT_FIELDS, MEMBERS_MAX
from engine.trading.instruments import (
    DEFAULT_CURRENCY_DECIMALS,
    Catalogue,
    Currency,
    RefusedAtDoor,
    catalogue,
)
from engine.trading.records import COMMAND, Op, words_text
from engine.trading.settings import AccountSettings, TradingSettings
from gateways.json_lines import CommandEncoder, MalformedCommand


def definitions(settings: TradingSettings) -> list[Definition]:
    """Return the commands that bring a fresh engine to what the configuration says."""
    decimals = _currencies(settings)
    currencies = [Currency(idx, code, places) for idx, (code, places) in enumerate(decimals.items())]
    encoder = CommandEncoder(Catalogue(currencies, []))
    made = []
    for setting, fields in _lines(settings, decimals):
        commands = np.zeros(1, COMMAND)
        try:
            encoder.encode(fields, commands[0])
        except (RefusedAtDoor, MalformedCommand) as error:
            raise ConfigError(f"{setting}: {error}") from error
        made.append(Definition(setting, commands))
    return made


def missing(wanted: Sequence[Definition], state: Any) -> list[Definition]:
    """Return the definitions that the engine does not know yet: all of them on a fresh journal.

    state : array of one STATE record. What it knows stays as it is, whatever the configuration
        says now: limits, balances and fees have moved since, by commands.
    """
    s = state[0]
    known = catalogue(state)
    accounts = set(s["accounts"]["account"][: s["accounts_used"]].tolist())
    return [each for each in wanted if not _is_known(each.commands[0], known, accounts)]


def _is_known(command: Any, known: Catalogue, accounts: set[int]) -> bool:
    if command["op"] == Op.ACCOUNT:
        return int(command["account"]) in accounts
    if command["op"] == Op.GROUP:  # groups stand among the accounts
        return -int(command["account"]) in accounts
    if command["op"] == Op.CURRENCY:
        return words_text(command["text"]).decode() in known.currency_by_code
    return words_text(command["text"][:2]).decode() in known.instrument_by_symbol


def _currencies(settings: TradingSettings) -> dict[str, int]:
    """Return every currency in order: those defined, then those that are only mentioned."""
    decimals = {each.currency: each.decimals for each in settings.currencies}
    mentioned = [code for each in settings.instruments for code in (each.base, each.quote)]
    mentioned += [code for each in settings.accounts for code in each.deposit]
    mentioned += [each.reporting_currency for each in settings.accounts if each.reporting_currency]
    for code in mentioned:
        decimals.setdefault(code, DEFAULT_CURRENCY_DECIMALS)
    return decimals


def _lines(settings: TradingSettings, decimals: dict[str, int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (setting, fields of a command) in the order in which the engine must get them."""
    for code, places in decimals.items():
        yield f"currencies ({code})", {"op": "currency", "currency": code, "decimals": places}
    for idx, instrument in enumerate(settings.instruments):
        given = {
            name: value for name, value in msgspec.structs.asdict(instrument).items() if value is not None
        }
        yield f"instruments[{idx}]", {"op": "instrument", **given}
    for idx, account in enumerate(settings.accounts):
        for deposit in _deposits(account):
            line = {"op": "account", "account": account.account, "unlimited": account.unlimited}
            line["reporting_currency"] = account.reporting_currency
            line["funding"] = account.funding
            yield f"accounts[{idx}]", {**line, "deposit": deposit}
    for idx, group in enumerate(settings.groups):
        for start in range(0, max(1, len(group.accounts)), MEMBERS_MAX):
            part = list(group.accounts[start : start + MEMBERS_MAX])
            yield f"groups[{idx}]", {"op": "group", "group": group.group, "accounts": part, "add": start > 0}


def _deposits(account: AccountSettings) -> list[dict[str, str | int]]:
    """Split a deposit into parts that one command can carry; one empty part when there is none."""
    items = list(account.deposit.items())
    size = len(DEPOSIT_FIELDS)
    return [dict(items[start : start + size]) for start in range(0, max(1, len(items)), size)]
