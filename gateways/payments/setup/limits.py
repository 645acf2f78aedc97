"""Limits and balances of a set-up line: objects by currency, amounts in minor units within them."""

from collections.abc import Collection
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
            raise FormRefusal(FORMAT, f"{name}.{letters}")
    return given


def named_limits(row: Any, names: Collection[str], field: str) -> None:
    """Refuse what is no object of limits by these names."""
    if type(row) is not dict:
        raise FormRefusal(FORMAT, field)
    for name, value in row.items():
        if name not in names:
            raise FormRefusal(FORMAT, f"{field}.{name}")
        whole(value, 0, MONEY_MAX, f"{field}.{name}")
