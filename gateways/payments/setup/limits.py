"""Limits and balances of a set-up line: objects by currency, amounts in minor units within them."""

from collections.abc import Iterable
from typing import Any

from engine.payments.currencies import CURRENCIES
from engine.payments.records import MONEY_MAX
from gateways.payments.bodies import Fields
from gateways.payments.values import FORMAT, FormRefusal, whole


def by_currency(fields: Fields, name: str) -> dict[str, Any]:
    """Return an object whose keys are currencies; an empty one where it is not given."""
    given = fields.get(name, {})
    if type(given) is not dict:
        raise FormRefusal(FORMAT, name)
    for letters in given:
        if letters not in CURRENCIES:
            raise FormRefusal(FORMAT, name)
    return given


def named_limits(row: Any, names: Iterable[str], field: str) -> None:
    """Refuse what is no object of limits by these names."""
    if type(row) is not dict or not row.keys() <= set(names):
        raise FormRefusal(FORMAT, field)
    for name, value in row.items():
        whole(value, 0, MONEY_MAX, f"{field}.{name}")
