"""Commands of a seeded flow that move money in, out and between accounts (tests/flows.py)."""

from typing import TYPE_CHECKING, Any

from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]

CODES = {6: "USD", 7: "EUR", 8: "USD", 9: "EUR"}  # of the accounts whose equity is kept; the others have any
FREE = 6
"""Of so many movements one is of what the source has free, as much or a unit more."""


def movement(flow: "Flow", exchange: Exchange) -> Command:
    """A deposit, a withdrawal or a transfer, mostly of what is there; now and then a repeat or a fault."""
    op = flow.random.choice(("deposit", "withdraw", "withdraw", "transfer", "transfer"))
    source, used = _side(flow, op), None
    if exchange.movements and flow.chance(0.12):
        (op, source, used), _ = flow.random.choice(exchange.movements[-20:])
    target = _side(flow, op)
    code = CODES.get(source) or CODES.get(target) or flow.random.choice(("USD", "EUR", "JPY"))
    if flow.chance(0.1):
        code = flow.random.choice(("USD", "EUR", "JPY"))
    sides = {"from": source, "to": target} if op == "transfer" else {"account": source}
    if op == "transfer" and source == target and flow.chance(0.8):
        sides["to"] = "fees" if source != "fees" else 1
    units = _units(flow, exchange, source, code)
    command = {"op": op, **sides, "currency": code, "amount": exchange.money_text(code, units)}
    command["id"] = _id(flow, exchange) if used is None else _respelt(flow, used)
    return command | _fault(flow) if flow.chance(0.04) else command


def _side(flow: "Flow", op: str) -> Any:
    if op == "transfer" and flow.chance(0.3):
        return "fees"
    return flow.random.choice((6, 7)) if flow.chance(0.3) else flow.account()


def _units(flow: "Flow", exchange: Exchange, source: Any, code: str) -> int:
    """Return an amount small enough to leave the account in trade, around what is free, or far too large."""
    if flow.chance(0.03):
        return flow.random.choice((2**62, 2**62 + 1, 2**63 - 1))
    account = exchange.accounts.get(source)
    free = account.available(code) if account else max(exchange.fees[code], 0)
    if flow.random.randrange(FREE) == 0 and free < 10**7:
        return max(1, free + flow.random.choice((0, 1, 1, 1)))
    return flow.random.randint(1, 300)


def _respelt(flow: "Flow", used: str) -> str:
    """Return an id again, in upper case now and then: a UUID is the same id then, a text another one."""
    return used.upper() if flow.chance(0.2) else used


def _id(flow: "Flow", exchange: Exchange) -> str:
    """Return a fresh id, a text or a UUID; now and then one that another account or kind may have used."""
    if exchange.movements and flow.chance(0.1):
        (_, _, used), _ = flow.random.choice(exchange.movements[-10:])
        return str(used)
    number = len(exchange.movements)
    if flow.chance(0.15):
        return f"{number:08X}-00aB-4000-8000-{flow.random.choice((0, 10)):012d}"
    return f"{flow.random.choice('abc')}-{number}"


def _fault(flow: "Flow") -> Command:
    return flow.random.choice(
        (
            {"amount": "0"},
            {"amount": "-1"},
            {"amount": "0.0000001"},
            {"currency": "NONE"},
            {"id": ""},
            {"id": "x" * 25},
        )
    )
