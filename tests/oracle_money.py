"""The oracle's money in and out: deposit, withdraw, transfer, once by their ids (exchange rules S4, S20).

Part of the naive exchange of oracle.py. The ids that were used are a plain list, of which as many as the
window holds are looked at; the fee account is no account here, only the sum of what the house has earned.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests import oracle_losses, oracle_margin
from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Refused, in_steps, is_uuid

if TYPE_CHECKING:
    from tests.oracle import Exchange

WINDOW = 512
"""Ids that tests/capacities.py lets the engine remember."""
SIDES = {"deposit": ("account",), "withdraw": ("account",), "transfer": ("from", "to")}


def at_door(exchange: "Exchange", request: Fields, money_step: Callable[..., Any]) -> Fields:
    """Read a movement; refuse what no record carries."""
    sides = [request[name] for name in SIDES[request["op"]]]
    if len(sides) == 2:
        if any(side != "fees" and side < 1 for side in sides):
            raise AtDoor("out_of_range")
        if sides[0] == sides[1]:
            raise AtDoor("invalid_field")
    if request["currency"] not in exchange.decimals:
        raise AtDoor("unknown_currency")
    amount = in_steps(request["amount"], money_step(exchange, request["currency"]), "out_of_range")
    if amount < 1:
        raise AtDoor("out_of_range")
    given = request["id"]
    if not is_uuid(given) and not (given.isprintable() and 1 <= len(given.encode()) <= 24):
        raise AtDoor("invalid_field")
    return request | {"amount": amount, "id": spelt(given)}


def spelt(given: str) -> str:
    return given.lower() if is_uuid(given) else given


def move(exchange: "Exchange", request: Fields) -> None:
    """Move money: first see whether it may move, then move it and tell both sides what they have."""
    op, code, amount = request["op"], request["currency"], request["amount"]
    named = request.get("account")
    source: Any = {"deposit": None, "withdraw": named, "transfer": request.get("from")}[op]
    target: Any = {"deposit": named, "withdraw": None, "transfer": request.get("to")}[op]
    for side in (source, target):
        if side not in (None, "fees") and side not in exchange.accounts:
            raise refused("unknown_account", request, side)
    own = (op, source if op == "transfer" else request["account"], request["id"])
    remembered = exchange.movements[-WINDOW:]
    for used, seq in remembered:
        if used == own:
            raise refused("duplicate", request, own[1], original_seq=seq)
    if amount > LIMIT_OF_NUMBERS:
        raise refused("overflow", request, own[1])
    for side in (source, target):
        account = exchange.accounts.get(side)
        if account is not None and not oracle_losses.is_counted(exchange, account, code):
            raise refused("no_rate", request, side)
    check_taken(exchange, request, source)
    check_given(exchange, request, target)
    exchange.movements.append((own, exchange.seq))
    left = change(exchange, source, code, -amount)
    grown = change(exchange, target, code, amount)
    told: Fields = {"op": op}
    if op == "transfer":
        told |= {"from": source, "to": target}
        balances = {"from_balance": left, "to_balance": grown}
    else:
        told |= {"account": request["account"]}
        balances = {"balance": grown if op == "deposit" else left}
    told |= {"currency": code, "amount": exchange.money_text(code, amount)}
    told |= {name: exchange.money_text(code, has) for name, has in balances.items()}
    exchange.emit("moved", **told, id=request["id"])


def refused(reason: str, request: Fields, side: Any, **more: Any) -> Refused:
    """Refuse because of one side; the fee account is none that could be named by a number."""
    at_fault = None if side == "fees" or not side else side
    return Refused(reason, account=at_fault, id=request["id"], **more)


def check_taken(exchange: "Exchange", request: Fields, source: Any) -> None:
    """None but an unlimited account gives what it reserves or has not; nothing passes the largest number."""
    code, amount = request["currency"], request["amount"]
    if source is None:
        if exchange.deposited[code] + amount > LIMIT_OF_NUMBERS:
            raise refused("overflow", request, request["account"])
    elif source == "fees":
        if exchange.fees[code] < amount:
            raise refused("insufficient_funds", request, source)
    else:
        account = exchange.accounts[source]
        is_bound = not account.unlimited and not account.on_margin
        if is_bound and amount > account.available(code):
            raise refused("insufficient_funds", request, source)
        if account.available(code) - amount < -LIMIT_OF_NUMBERS:
            raise refused("overflow", request, source)
        if not oracle_margin.leaves_enough(exchange, account, code, amount):
            raise refused("insufficient_margin", request, source)


def check_given(exchange: "Exchange", request: Fields, target: Any) -> None:
    code, amount = request["currency"], request["amount"]
    if target is None:
        would_have = LIMIT_OF_NUMBERS if exchange.deposited[code] - amount >= -LIMIT_OF_NUMBERS else None
    elif target == "fees":
        would_have = exchange.fees[code] + amount
    else:
        account = exchange.accounts[target]
        would_have = account.money.get(code, 0) + account.selling(code) + amount
    if would_have is None or would_have > LIMIT_OF_NUMBERS:
        raise refused("overflow", request, request["account"] if target is None else target)


def change(exchange: "Exchange", side: Any, code: str, amount: int) -> int:
    """Add to what a side has, and return it."""
    if side is None:
        exchange.deposited[code] -= amount
        return 0
    if side == "fees":
        exchange.fees[code] += amount
        return exchange.fees[code]
    account: Account = exchange.accounts[side]
    oracle_losses.move_money(exchange, account, code, amount)
    return account.money[code]


OPERATIONS = dict.fromkeys(SIDES, move)
