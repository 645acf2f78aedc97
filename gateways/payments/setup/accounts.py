"""A line about an account as commands: its balances and limits by currency, then all the rest."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.command_words import BALANCE_ROW_WORDS, BALANCE_ROWS_MAX, PART_BEGINS
from engine.payments.currencies import CURRENCIES
from engine.payments.records import COMMAND, MONEY_MAX, NOT_GIVEN, AccountStatus, Op
from gateways.payments.bodies import Fields
from gateways.payments.hashing import Hasher
from gateways.payments.setup.limits import by_currency, named_limits
from gateways.payments.values import ACCOUNT_MAX, whole, word

STATUSES = {status.name.lower(): int(status) for status in AccountStatus}
EXPONENT_SHIFT = 16
LIMIT_NAMES = ("min", "max", "sum_24h")


def account_records(fields: Fields, hasher: Hasher) -> npt.NDArray[np.void]:
    """Return the commands of a line about an account."""
    account = whole(fields["account"], 1, ACCOUNT_MAX, "account")
    status = word(fields.get("status", "open"), STATUSES, "status")
    rows = _balance_rows(fields)
    count_max = whole(fields["count_24h"], 0, MONEY_MAX, "count_24h") if "count_24h" in fields else NOT_GIVEN

    parts = [rows[begin : begin + BALANCE_ROWS_MAX] for begin in range(0, len(rows), BALANCE_ROWS_MAX)]
    records = np.zeros(len(parts) + 1, COMMAND)
    records["op"] = Op.ACCOUNT_BALANCES
    records["account"] = account
    records["options"][0] = PART_BEGINS
    for place, part in enumerate(parts):
        records["payment"][place] = len(part)
        flat = [value for row in part for value in row]
        records["words"][place, : len(flat)] = flat
    records["op"][-1] = Op.ACCOUNT
    records["kind"][-1], records["amount"][-1] = status, count_max
    return records


def _balance_rows(fields: Fields) -> list[list[int]]:
    """Return a row for each currency that the line names: which one, its balance, its limits."""
    balances, limits = by_currency(fields, "balances"), by_currency(fields, "limits")
    for letters, value in balances.items():
        whole(value, 0, MONEY_MAX, f"balances.{letters}")
    for letters, row in limits.items():
        named_limits(row, LIMIT_NAMES, f"limits.{letters}")
    rows = [_balance_row(letters, balances, limits) for letters in {**balances, **limits}]
    assert all(len(row) == BALANCE_ROW_WORDS for row in rows)
    return rows


def _balance_row(letters: str, balances: dict[str, int], limits: dict[str, Any]) -> list[int]:
    number, exponent = CURRENCIES[letters]
    given = limits.get(letters, {})
    return [
        number | exponent << EXPONENT_SHIFT,
        balances.get(letters, 0),
        *(given.get(name, NOT_GIVEN) for name in LIMIT_NAMES),
    ]
