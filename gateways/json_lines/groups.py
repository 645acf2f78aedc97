"""Groups of accounts as JSON lines: which accounts are in one, and how other lines name one."""

from collections.abc import Mapping
from typing import Any

from engine.trading.fields import MEMBER_FIELDS, MEMBERS_MAX, Membership
from engine.trading.instruments import RefusedAtDoor
from engine.trading.records import Op, Reason
from gateways.json_lines.fields import MalformedCommand, flag, refuse_unknown_fields, required, whole

NAMES = frozenset({"op", "group", "accounts", "add", "remove"})

Content = dict[str, Any]


def group(fields: Mapping[str, Any]) -> Content:
    """Return the named fields of a GROUP record."""
    refuse_unknown_fields(fields, NAMES, "group")
    number = numbered(required(fields, "group"), "group")
    accounts = required(fields, "accounts")
    if not isinstance(accounts, list):
        raise MalformedCommand("accounts", accounts, "give the numbers of the accounts, such as [1,2]")
    numbers = [numbered(account, "accounts") for account in accounts]
    if len(set(numbers)) < len(numbers):
        raise RefusedAtDoor(Reason.INVALID_FIELD, "accounts", accounts, "name each account once")
    if len(numbers) > MEMBERS_MAX:
        detail = f'at most {MEMBERS_MAX} in one line; give the others in further lines with "add":true'
        raise RefusedAtDoor(Reason.INVALID_FIELD, "accounts", numbers[: MEMBERS_MAX + 1], detail)
    padded = [*numbers, *[0] * (MEMBERS_MAX - len(numbers))]
    named = dict(zip(MEMBER_FIELDS, padded, strict=False))
    return {
        "op": Op.GROUP,
        **named,
        "account": number,
        "side": _membership(fields),
        "text": tuple(padded[len(MEMBER_FIELDS) :]),
    }


def _membership(fields: Mapping[str, Any]) -> Membership:
    is_added, is_removed = flag(fields, "add"), flag(fields, "remove")
    if is_added and is_removed:
        raise MalformedCommand("remove", True, "give `add` or `remove`, not both")
    if is_added:
        return Membership.ADDED
    return Membership.REMOVED if is_removed else Membership.WHOLE


def numbered(value: object, name: str) -> int:
    """Return the number of a group or an account."""
    number = whole(value, name)
    if number < 1:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, number, "must be 1 or more")
    return number
