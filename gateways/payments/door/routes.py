"""Routes of the payments door: what a method and a path ask for."""

from enum import IntEnum
from typing import NamedTuple

from gateways.payments.door.refusals import unknown, wrong_method
from gateways.process.plain import PlainKind

PAYMENTS = "/v1/payments"
ACCOUNTS, RULESETS, CANARY = "accounts", "rulesets", "canary"
CANARY_ACTS = ("start", "set", "advance", "pause", "resume", "rollback")
DEADLINE, ACCOUNT = "Pinion-Deadline-Ms", "Pinion-Account"
PLAIN_PAYMENTS = PlainKind(
    methods=frozenset(("POST",)),
    target=PAYMENTS,
    not_plain=tuple(f"/{last}" for last in ("admin", RULESETS, CANARY, "shadow", "activate", *CANARY_ACTS)),
    length_max=4095,
    headers=(DEADLINE.lower(), ACCOUNT.lower()),
    unique=ACCOUNT.lower(),
)


class PaymentAsk(IntEnum):
    """What is asked for."""

    PAY = 1
    CAPTURE = 2
    VOID = 3
    REFUND = 4
    REVIEW = 5
    REVERSE = 6
    SET_UP = 7
    REGISTER = 8  # a set of rules; so the next three are about such
    SHADOW = 9
    ACTIVATE = 10
    CANARY = 11  # an act: start, set, ..
    PAYMENT = 12
    ACCOUNT = 13
    RULESETS = 14
    TRIAL = 15


CHANGES_RULES = (PaymentAsk.REGISTER, PaymentAsk.SHADOW, PaymentAsk.ACTIVATE, PaymentAsk.CANARY)
READS_RULES = (PaymentAsk.RULESETS, PaymentAsk.TRIAL)
OPERATIONS = {
    "capture": PaymentAsk.CAPTURE,
    "void": PaymentAsk.VOID,
    "refund": PaymentAsk.REFUND,
    "review": PaymentAsk.REVIEW,
}
RULESET_ACTS = {"shadow": PaymentAsk.SHADOW, "activate": PaymentAsk.ACTIVATE}
Asks = dict[str, PaymentAsk]
"""What each method asks for at an address."""
_OF_PATH: dict[str, Asks] = {
    PAYMENTS: {"POST": PaymentAsk.PAY},
    f"{PAYMENTS}/void": {"POST": PaymentAsk.REVERSE},
    f"{PAYMENTS}/admin": {"POST": PaymentAsk.SET_UP},
    f"{PAYMENTS}/{RULESETS}": {"POST": PaymentAsk.REGISTER, "GET": PaymentAsk.RULESETS},
    f"{PAYMENTS}/{CANARY}": {"GET": PaymentAsk.TRIAL},
}
_OF_ONE = ", ".join(
    f"{PAYMENTS}/{path}"
    for path in (
        *("{id}", "{id}/capture|void|refund|review", "accounts/{n}", "rulesets/{n}/shadow|activate"),
        f"canary/{'|'.join(CANARY_ACTS)}",
    )
)


class PaymentRoute(NamedTuple):
    """What a request is for, and which payment, account, set or act its path names."""

    ask: PaymentAsk
    name: str = ""


_ROUTES = {
    (method, path): PaymentRoute(ask) for path, asks in _OF_PATH.items() for method, ask in asks.items()
}


def route_of(method: str, path: str) -> PaymentRoute:
    """Return the route of a request; path : as it was sent, percent-encoded."""
    route = _ROUTES.get((method, path))
    if route is not None:
        return route
    asks, name = (_OF_PATH[path], "") if path in _OF_PATH else _named(path)
    if method not in asks:
        raise wrong_method(asks)
    return PaymentRoute(asks[method], name)


def _named(path: str) -> tuple[Asks, str]:
    """Return what a path is for that names a payment, an account, a set or an act, and the name."""
    parts = path.removeprefix(f"{PAYMENTS}/").split("/")
    if path.startswith(f"{PAYMENTS}/") and all(parts):
        match parts:
            case [name] if name not in (ACCOUNTS, RULESETS, CANARY):
                return {"GET": PaymentAsk.PAYMENT}, name
            case [first, name] if first == ACCOUNTS:
                return {"GET": PaymentAsk.ACCOUNT}, name
            case [first, act] if first == CANARY and act in CANARY_ACTS:
                return {"POST": PaymentAsk.CANARY}, act
            case [first, name, act] if first == RULESETS and act in RULESET_ACTS:
                return {"POST": RULESET_ACTS[act]}, name
            case [name, operation] if operation in OPERATIONS:
                return {"POST": OPERATIONS[operation]}, name
    raise unknown("unknown_path", f"no such path; there are {', '.join(_OF_PATH)}, {_OF_ONE}")
