"""The oracle's groups of accounts: whatever a group has is looked for at its accounts (exchange rule S21).

Part of the naive exchange of oracle.py. A group is asked like an account; nothing of it is kept but its
limits and latches, and what was filled and sent by its accounts while they were in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests import oracle_rounds
from tests.oracle_accounts import Account, Position
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Instrument, Order, Refused

if TYPE_CHECKING:
    from tests.oracle import Exchange

NAMED_AT_MOST = 11
IN_MONEY = {"max_gross_exposure", "max_concentration_ppm"}


@dataclass(eq=False)
class Group(Account):
    """Its `account` is its number with the sign changed."""

    members: list[Account] = field(default_factory=list)  # in the order in which they joined

    @property
    def number(self) -> int:
        return -self.account

    def parts(self) -> list[Account]:
        return self.members

    def position(self, instrument: Instrument) -> Position:
        return Position(sum(member.position(instrument).quantity for member in self.members))

    def held_lots(self, instrument: Instrument) -> int:
        return sum(member.held_lots(instrument) for member in self.members)

    def live(self, instrument: Instrument, side: str) -> Iterator[Order]:
        for member in self.members:
            yield from member.live(instrument, side)

    def open_orders(self) -> int:
        return sum(len(member.open) for member in self.members)


def group_of(account: Account) -> "Group | None":
    found: Group | None = account.group
    return found


def with_group(account: Account) -> list[Account]:
    """Return an account, and its group behind it."""
    return [account, *([account.group] if account.group else [])]


def told_by(holder: Account) -> Fields:
    """Return what a refusal or a latch says of whose it is."""
    return {"account": None, "group": -holder.account} if isinstance(holder, Group) else {}


def refused(holder: Account, reason: str) -> Refused:
    """Return the refusal of an order by a limit or latch of an account or its group."""
    return Refused(reason, group=holder.number) if isinstance(holder, Group) else Refused(reason)


# The command


def at_door(given: Fields) -> Fields:
    numbers = [given["group"], *given["accounts"]]
    if min(numbers) < 1:
        raise AtDoor("out_of_range")
    if len(set(given["accounts"])) < len(given["accounts"]) or len(given["accounts"]) > NAMED_AT_MOST:
        raise AtDoor("invalid_field")
    return given


def group(exchange: "Exchange", request: Fields) -> None:
    """Say which accounts a group has: those named, or those named besides, or not those named any more."""
    number, named = request["group"], request["accounts"]
    known = exchange.groups.get(number, Group(-number))
    for account_id in named:
        account = exchange.accounts.get(account_id)
        if account is None:
            raise Refused("unknown_account", account=account_id)
        if request.get("remove"):
            reason = None if account in known.members else "invalid_field"
        else:
            reason = why_not(exchange, known, account, request)
        if reason:
            raise Refused(reason, account=account_id)
    exchange.groups[number] = known
    wanted = [exchange.accounts[account_id] for account_id in named]
    if request.get("remove"):
        going = [account for account in known.members if account in wanted]
    else:
        is_whole = not request.get("add")
        going = [account for account in known.members if is_whole and account not in wanted]
    coming = [] if request.get("remove") else [each for each in wanted if each not in known.members]
    for account in going:
        known.members.remove(account)
        account.group = None
        oracle_rounds.watch_or_not(exchange, account)
    for account in coming:
        if not known.members:
            known.reporting = oracle_rounds.reporting(exchange, account)
        known.members.append(account)
        account.group = known
        for symbol in reversed(account.dealt_in):
            if symbol not in known.dealt_in:
                known.dealt_in.append(symbol)
        oracle_rounds.watch_or_not(exchange, account)
    if (going or coming) and oracle_rounds.is_watched(known):
        known.peak = known.day_start = oracle_rounds.equity(exchange, known)[0]
        known.warned -= set(oracle_rounds.LOSS_LIMITS)


def why_not(exchange: "Exchange", known: Group, account: Account, request: Fields) -> str | None:
    """Return why an account may not be in a group."""
    if account.group not in (None, known):
        return "in_another_group"
    if oracle_rounds.reporting(exchange, account) != currency_of(exchange, known, request):
        return "reporting_currency"
    if account in known.members:
        return None
    if account.open and (known.latched or ("group", known.number) in exchange.killed):
        return "blocked"
    if is_in_money(known) and not oracle_rounds.is_watched(account):
        if not oracle_rounds.is_measurable(exchange, account):
            return "no_rate"
    return too_much(exchange, known, request)


def too_much(exchange: "Exchange", known: Group, request: Fields) -> str | None:
    """Return why what all those named have would be too much."""
    together = [*known.members]
    together += [each for number in request["accounts"] if (each := exchange.accounts.get(number))]
    together = list(dict.fromkeys(together))
    for instrument in exchange.instruments.values():
        lots = sum(
            abs(each.position(instrument).quantity)
            + each.open_quantity(instrument, "buy")
            + each.open_quantity(instrument, "sell")
            for each in together
        )
        if lots > LIMIT_OF_NUMBERS:
            return "overflow"
    money = sum(open_money(exchange, each) for each in together)
    return "overflow" if money > LIMIT_OF_NUMBERS else None


def open_money(exchange: "Exchange", holder: Account) -> int:
    return sum(
        each.reserved(currency) + each.selling(currency)
        for currency in exchange.decimals
        for each in holder.parts()
    )


def is_in_money(known: Group) -> bool:
    return oracle_rounds.is_watched(known) or bool(known.own.keys() & IN_MONEY)


def currency_of(exchange: "Exchange", known: Group, request: Fields) -> str:
    """Return the currency that the accounts of a group report in."""
    staying = request.get("add") or any(member.account in request["accounts"] for member in known.members)
    if is_in_money(known) or (known.members and staying):
        return oracle_rounds.reporting(exchange, known)
    first = next(account for number in request["accounts"] if (account := exchange.accounts.get(number)))
    return oracle_rounds.reporting(exchange, first)


def known_group(exchange: "Exchange", request: Fields) -> Group:
    if request["group"] not in exchange.groups:
        raise Refused("unknown_group")
    return exchange.groups[request["group"]]


def holder_of(exchange: "Exchange", request: Fields) -> Account:
    """Return the account or group that a line of limits or latches names."""
    if request.get("group") is not None:
        return known_group(exchange, request)
    if request["account"] not in exchange.accounts:
        raise Refused("unknown_account")
    return exchange.accounts[request["account"]]


def is_one(exchange: "Exchange", one: int, other: int) -> bool:
    """Tell whether two accounts are one for the prevention of self-trades (exchange rule S9)."""
    mine: Any = exchange.accounts[one].group
    return one == other or (mine is not None and exchange.accounts[other].group is mine)
