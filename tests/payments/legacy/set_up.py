"""Set-up lines: merchants, accounts, lists and deposits, their form and what they change."""

from collections.abc import Callable
from typing import Any

from tests.payments.legacy.addresses import email_of, network_of, pan_key, token_key
from tests.payments.legacy.books import LISTS, SUM_MAX, Books
from tests.payments.legacy.codes import CODES, Reply
from tests.payments.legacy.currencies import EXPONENTS
from tests.payments.legacy.form import (
    AMOUNT_MAX,
    BODY,
    PAN,
    Body,
    Check,
    Wrong,
    account,
    canonical,
    card_type,
    channel,
    country,
    currency,
    device,
    email,
    flag,
    misnamed,
    name_24,
    name_64,
    token,
    whole,
    wrong_value,
)
from tests.payments.legacy.memory import Answer, digest_of
from tests.payments.legacy.records import Account, Balance, Merchant

LIMIT = whole(0, SUM_MAX)


def _all(check: Check) -> Check:
    """Return a check for a list of what another check passes."""

    def check_all(value: Any) -> str | None:
        return "FORMAT" if not isinstance(value, list) or any(map(check, value)) else None

    return check_all


def _by_currency(check: Check) -> Check:
    """Return a check for an object with a value for each currency that it names."""

    def check_all(value: Any) -> str | None:
        if not isinstance(value, dict) or not value.keys() <= EXPONENTS.keys():
            return "FORMAT"
        return "FORMAT" if any(map(check, value.values())) else None

    return check_all


def _limits(*names: str) -> Check:
    """Return a check for an object of limits by their names."""

    def check(value: Any) -> str | None:
        if not isinstance(value, dict) or not value.keys() <= set(names):
            return "FORMAT"
        return "FORMAT" if any(map(LIMIT, value.values())) else None

    return check


def _status(value: Any) -> str | None:
    return None if value in ("open", "frozen", "closed") else "FORMAT"


def _list_name(value: Any) -> str | None:
    return None if value in LISTS else "FORMAT"


def _digits(value: Any, *lengths: int) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) in lengths


def _mcc(value: Any) -> str | None:
    return None if _digits(value, 4) else "FORMAT"


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "FORMAT"


def _list_of(value: Any) -> str | None:
    return None if isinstance(value, list) else "FORMAT"


def _moved(value: Any) -> str | None:
    """Check what a deposit moves, which may be out of the account."""
    if type(value) is not int:
        return "FORMAT"
    return None if value and abs(value) <= AMOUNT_MAX else "BAD_AMOUNT"


FORMS: dict[str, tuple[tuple[str, Check], ...]] = {
    "merchant": (
        ("merchant", name_24),
        ("active", flag),
        ("currencies", _all(currency)),
        ("channels", _all(channel)),
        ("card_types", _all(card_type)),
        ("issuer_countries", _all(country)),
        ("limits", _by_currency(_limits("min", "max", "daily"))),
        ("sca_above", _by_currency(LIMIT)),
        ("geo_above", _by_currency(LIMIT)),
        ("hold_days", whole(1, 31)),
        ("mcc", _mcc),
        ("disclose", _object),
        ("params", _object),
    ),
    "account": (
        ("account", account),
        ("status", _status),
        ("balances", _by_currency(LIMIT)),
        ("limits", _by_currency(_limits("min", "max", "sum_24h"))),
        ("count_24h", LIMIT),
    ),
    "list": (("list", _list_name), ("add", _list_of), ("remove", _list_of)),
    "deposit": (("account", account), ("currency", currency), ("amount", _moved), ("id", name_64)),
}
"""Operation -> the checks of its fields; each but those of REQUIRED may be left out."""
REQUIRED = {
    "merchant": ("merchant",),
    "account": ("account",),
    "list": ("list",),
    "deposit": ("account", "currency", "amount", "id"),
}


def wrong_in_line(line: Any) -> Wrong | None:
    """Return the first fault in the form of a line."""
    if not isinstance(line, dict):
        return "FORMAT", BODY
    operation = line.get("op")
    if not isinstance(operation, str) or operation not in FORMS:
        return "FORMAT", "op"
    checks = FORMS[operation]
    named = misnamed(line, frozenset(["op", *(name for name, _ in checks)]))
    if named:
        return "FORMAT", named
    for name in REQUIRED[operation]:
        if name not in line:
            return "FORMAT", name
    wrong = wrong_value(line, checks)
    if wrong is None and operation == "list":
        for name in ("add", "remove"):
            if any(_entry(line["list"], each) is None for each in line.get(name, ())):
                return "FORMAT", name
    return wrong


def _entry(name: str, value: Any) -> str | int | None:
    """Return what an entry of a list stands for there; None where it can be no entry of it."""
    if name == "block_account":
        return None if account(value) else int(value)
    if not isinstance(value, str):
        return None
    if name == "block_bin":
        return value if _digits(value, 6, 8) else None
    if name == "block_device":
        return None if device(value) else value
    if name == "block_ip":
        return network_of(value)
    if name == "block_email":
        return None if email(value) else email_of(value)
    if PAN.fullmatch(value):
        return pan_key(value)
    return None if token(value) else token_key(value)


def set_up(books: Books, line: Any, now_ms: int | None) -> Reply:
    """Carry out a line; `now_ms` is None where the clock is that of requests, which a line does not move."""
    wrong = wrong_in_line(line)
    if wrong:
        code, field = wrong
        operation = line.get("op") if isinstance(line, dict) and field != "op" else None
        return {**_reply(operation, code), "field": field}
    books.begin(now_ms)
    return OPERATIONS[line["op"]](books, line)


def _reply(operation: str | None, code: str) -> Reply:
    return {"op": operation, "code": code, "iso": CODES[code].iso, "replayed": False}


def _merchant(books: Books, line: Body) -> Reply:
    books.merchants[line["merchant"]] = Merchant(**{k: v for k, v in line.items() if k != "op"})
    return _reply("merchant", "OK")


def _account(books: Books, line: Body) -> Reply:
    number = line["account"]
    known = books.accounts.get(number)
    if known:
        balances = known.balances
    else:
        balances = {of: Balance(total, deposited=total) for of, total in line.get("balances", {}).items()}
    books.accounts[number] = Account(
        account=number,
        status=line.get("status", "open"),
        balances=balances,
        limits=line.get("limits", {}),
        count_24h=line.get("count_24h"),
    )
    return _reply("account", "OK")


def _list(books: Books, line: Body) -> Reply:
    name = line["list"]
    entries = books.lists[name]
    for each in line.get("add", ()):
        entry = _entry(name, each)
        if entry is not None:
            entries.add(entry)
    entries.difference_update(_entry(name, each) for each in line.get("remove", ()))
    return _reply("list", "OK")


def _deposit(books: Books, line: Body) -> Reply:
    key = line["account"], line["id"]
    digest = digest_of(canonical(line))
    stored = books.deposits.get(key, books.t)
    if stored:
        if stored.digest != digest:
            return _reply("deposit", "DUPLICATE")
        return {**_reply("deposit", stored.values[0]), "replayed": True}
    code = _deposit_code(books, line)
    if code != "CAPACITY":
        books.deposits.keep(key, Answer(books.t, digest, (code,)))
    return _reply("deposit", code)


def _deposit_code(books: Books, line: Body) -> str:
    """Move the money of a deposit where that can be, and return the code that says so."""
    owner, of, amount = books.accounts.get(line["account"]), line["currency"], line["amount"]
    if owner is None:
        return "NO_ACCOUNT"
    if owner.available(of) + amount < 0:
        return "FUNDS"
    balance = owner.balances.setdefault(of, Balance())
    if balance.deposited + amount > SUM_MAX:
        return "CAPACITY"
    balance.total += amount
    balance.deposited += amount
    return "OK"


OPERATIONS: dict[str, Callable[[Books, Body], Reply]] = {
    "merchant": _merchant,
    "account": _account,
    "list": _list,
    "deposit": _deposit,
}
