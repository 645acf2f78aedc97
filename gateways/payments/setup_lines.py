"""Set-up lines: merchants, accounts, lists and deposits become commands, once all of a file is judged.

    {"op":"merchant",...}     MERCHANT_LIMITS ... MERCHANT_PERMITS, MERCHANT_PARAMS, MERCHANT
    {"op":"account",...}      ACCOUNT_BALANCES ..., ACCOUNT
    {"op":"list",...}         LIST ..., KEYS_MAX keys each, what is added before what is removed
    {"op":"deposit",...}      DEPOSIT

The last command of a line completes it. A fault names line, field, value and mend; a value that may hold a
PAN is not shown.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.contract.errors import UsageError
from engine.payments.command_words import BODY, KEY, MERCHANT_PARAMS_MAX
from engine.payments.currencies import CURRENCIES
from engine.payments.records import AMOUNT_MAX, COMMAND, COMMAND_VERSION, NOT_GIVEN, Op
from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from gateways.payments.bodies import Fields
from gateways.payments.hashing import Hasher, hash_words
from gateways.payments.setup.accounts import LIMIT_NAMES as ACCOUNT_LIMITS
from gateways.payments.setup.accounts import account_records
from gateways.payments.setup.lists import LISTS, list_records
from gateways.payments.setup.merchants import LIMIT_NAMES as MERCHANT_LIMITS
from gateways.payments.setup.merchants import merchant_records
from gateways.payments.setup.odd_values import odd_values
from gateways.payments.values import (
    ACCOUNT_MAX,
    FORMAT,
    FormRefusal,
    currency_of,
    is_request_id,
    matching,
    may_hold_pan,
    whole,
)

Commands = npt.NDArray[np.void]
SHOWN_CHARS = 60
_CURRENCIES = "letters of ISO 4217 with a minor unit, such as EUR"
_BY_CURRENCY = f"give an object of {_CURRENCIES}"
_MONEY = "integers in minor units, 0 or more"
MENDS = {
    "op": "give merchant, account, list or deposit",
    "merchant": "give 1 to 24 of A-Z, a-z, 0-9 and . _ : -",
    "active": "give true or false",
    "currencies": f"give an array of {_CURRENCIES}",
    "channels": "give an array of ecom, pos, moto, recurring",
    "card_types": "give an array of credit, debit, prepaid",
    "issuer_countries": "give an array of countries, two capitals each",
    "limits": (
        f"{_BY_CURRENCY}, each with its limits by name (of a merchant {', '.join(MERCHANT_LIMITS)}, of an "
        f"account {', '.join(ACCOUNT_LIMITS)}): {_MONEY}"
    ),
    "sca_above": f"{_BY_CURRENCY}: {_MONEY}",
    "geo_above": f"{_BY_CURRENCY}: {_MONEY}",
    "hold_days": "give an integer from 1 to 31",
    "mcc": 'give four digits, such as "5411"',
    "disclose": 'give an object from response codes of declines to such, as {"59":"05"}',
    "params": (
        f'give an object from user rules to their params, as {{"round_night":{{"max":1}}}}: integers within '
        f"10^12 of 0, {MERCHANT_PARAMS_MAX} params at most"
    ),
    "account": "give an integer from 1 to 2^63 - 1",
    "status": "give open, frozen or closed",
    "balances": f"{_BY_CURRENCY}: {_MONEY}",
    "count_24h": "give an integer, 0 or more",
    "list": f"give one of {', '.join(LISTS)}",
    "add": (
        "give an array of texts: PANs or tokens, of block_bin 6 or 8 digits each, of block_ip addresses of "
        "IPv4 or IPv6, of block_email e-mail addresses; of block_account integers"
    ),
    "currency": f"give {_CURRENCIES}",
    "amount": f"give an integer from -{AMOUNT_MAX} to {AMOUNT_MAX}, but not 0",
    "id": "give 1 to 64 of A-Z, a-z, 0-9 and . _ : -",
}
MENDS["remove"] = MENDS["add"]


class SetupFault(UsageError):  # noqa: N818 - whose fault it is, is not ours
    """A line of set-up that is refused: its number, the field at fault, and how to mend it."""

    def __init__(self, line: int, field: str, detail: str) -> None:
        super().__init__(f"line {line}: {field}: {detail}")
        self.line = line
        self.field = field
        self.detail = detail


class SetupLine(NamedTuple):
    """A line that was judged: its number in the file, its operation, its commands.

    params : those of user rules that it gives, by the rule
    odd : its odd values, each with what that means
    """

    number: int
    op: str
    records: Commands
    params: Mapping[str, Sequence[str]] = MappingProxyType({})
    odd: Sequence[tuple[str, str]] = ()


class _Kind(NamedTuple):
    """An operation of set-up: what a line needs, what else it may have, what makes its commands."""

    needed: tuple[str, ...]
    others: tuple[str, ...]
    records: Callable[[Fields, Hasher], Commands]


def deposit_records(fields: Fields, hasher: Hasher) -> Commands:
    """Return the command of a line about a deposit."""
    account = whole(fields["account"], 1, ACCOUNT_MAX, "account")
    currency = currency_of(fields["currency"])
    amount = whole(fields["amount"], -AMOUNT_MAX, AMOUNT_MAX, "amount")
    if amount == 0:
        raise FormRefusal(FORMAT, "amount")
    deposit_id = matching(fields["id"], is_request_id, "id")
    record = np.zeros(1, COMMAND)
    record["op"] = Op.DEPOSIT
    record["account"], record["amount"] = account, amount
    record["currency"], record["exponent"] = currency
    words = record["words"][0]
    words[KEY : KEY + 2] = hash_words(hasher.deposit(account, deposit_id))
    words[BODY : BODY + 2] = hash_words(hasher.body(b"DEPOSIT", f"{fields['currency']} {amount}".encode()))
    return record


KINDS = {
    "merchant": _Kind(
        ("merchant",),
        (
            *("active", "currencies", "channels", "card_types", "issuer_countries", "limits"),
            *("sca_above", "geo_above", "hold_days", "mcc", "disclose", "params"),
        ),
        merchant_records,
    ),
    "account": _Kind(("account",), ("status", "balances", "limits", "count_24h"), account_records),
    "list": _Kind(("list",), ("add", "remove"), list_records),
    "deposit": _Kind(("account", "currency", "amount", "id"), (), deposit_records),
}


def setup_lines(text: bytes, hasher: Hasher) -> list[SetupLine]:
    """Return the lines of a file, all of them judged; raise SetupFault for the first that is refused."""
    return [_line(number, raw, hasher) for number, raw in enumerate(text.split(b"\n"), 1) if raw.strip()]


def _line(number: int, raw: bytes, hasher: Hasher) -> SetupLine:
    fields = _object(number, raw)
    op = fields.get("op")
    kind = KINDS.get(op) if type(op) is str else None
    if kind is None:
        raise _fault(number, "op", fields)
    for name in fields:
        if name != "op" and name not in (*kind.needed, *kind.others):
            known = ", ".join((*kind.needed, *kind.others))
            raise SetupFault(number, _shown_name(name), f"{op} has no such field; it has {known}")
    for name in kind.needed:
        if name not in fields:
            raise SetupFault(number, name, f"{op} needs this field; {MENDS[name]}")
    try:
        records = kind.records(fields, hasher)
    except FormRefusal as refusal:
        raise _fault(number, refusal.field, fields) from None
    records["version"] = COMMAND_VERSION
    records["received_at"] = NOT_GIVEN
    assert type(op) is str
    params = {rule: tuple(given) for rule, given in fields.get("params", {}).items()}
    return SetupLine(number, op, records, params, tuple(odd_values(fields)))


def _object(number: int, raw: bytes) -> Fields:
    try:
        value = exact_json.decode(raw)
    except DoubledKey as fault:
        raise SetupFault(number, _shown_name(fault.key), "is given twice; give it once") from None
    except JsonFault as fault:
        raise SetupFault(number, "line", f"is not JSON: {fault}; give one object a line") from None
    if type(value) is not dict:
        raise SetupFault(number, "line", f"is {exact_json.kind(value)}; give one object a line")
    return value


def _fault(number: int, field: str, fields: Fields) -> SetupFault:
    """Return the fault of a value; field : as the checks name it, such as limits.EUR.min or add[3]."""
    steps: Sequence[str] = re.findall(r"[^.\[\]]+", field)
    value: Any = fields
    for step in steps:
        if isinstance(value, list):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
    shown = repr(value)
    if may_hold_pan(shown) or steps[0] in ("add", "remove"):
        shown = "(not shown)"
    elif len(shown) > SHOWN_CHARS:
        shown = f"{shown[:SHOWN_CHARS]}..."
    name = steps[0] if may_hold_pan(field) or len(field) > 2 * SHOWN_CHARS else field
    return SetupFault(number, name, f"{shown}: {_mend(steps, fields)}")


def _mend(steps: Sequence[str], fields: Fields) -> str:
    """Return how to mend a value; steps : the way to it, from the field of the line."""
    limits = MERCHANT_LIMITS if fields.get("op") == "merchant" else ACCOUNT_LIMITS
    is_limit = steps[0] == "limits" and steps[-1] in limits
    is_amount = steps[0] in ("sca_above", "geo_above", "balances") and steps[-1] in CURRENCIES
    return "give an integer in minor units, 0 or more" if is_limit or is_amount else MENDS[steps[0]]


def _shown_name(name: str) -> str:
    return "(not shown)" if may_hold_pan(name) else name[:SHOWN_CHARS]
