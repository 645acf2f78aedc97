"""Routes of the payments door: what a method and a path ask for."""

from enum import IntEnum
from typing import NamedTuple

from gateways.payments.door.refusals import unknown, wrong_method
from gateways.process.plain import PlainKind

PAYMENTS = "/v1/payments"
ACCOUNTS = "accounts"
DEADLINE, ACCOUNT = "Pinion-Deadline-Ms", "Pinion-Account"
PLAIN_PAYMENTS = PlainKind(
    methods=frozenset(("POST",)),
    target=PAYMENTS,
    not_plain=("/admin",),
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
    PAYMENT = 8
    ACCOUNT = 9


OPERATIONS = {
    "capture": PaymentAsk.CAPTURE,
    "void": PaymentAsk.VOID,
    "refund": PaymentAsk.REFUND,
    "review": PaymentAsk.REVIEW,
}
_OF_PATH = {
    PAYMENTS: PaymentAsk.PAY,
    f"{PAYMENTS}/void": PaymentAsk.REVERSE,
    f"{PAYMENTS}/admin": PaymentAsk.SET_UP,
}


class PaymentRoute(NamedTuple):
    """What a request is for, and which payment or account its path names."""

    ask: PaymentAsk
    name: str = ""


_PLAIN_ROUTES = {path: PaymentRoute(ask) for path, ask in _OF_PATH.items()}


def route_of(method: str, path: str) -> PaymentRoute:
    """Return the route of a request; path : as it was sent, percent-encoded."""
    route = _PLAIN_ROUTES.get(path)
    if route is None:
        route = _named(path)
    wanted = "GET" if route.ask >= PaymentAsk.PAYMENT else "POST"
    if method != wanted:
        raise wrong_method((wanted,))
    return route


def _named(path: str) -> PaymentRoute:
    """Return the route of a path that names a payment or an account."""
    parts = path.removeprefix(f"{PAYMENTS}/").split("/")
    if path.startswith(f"{PAYMENTS}/") and all(parts):
        match parts:
            case [name] if name != ACCOUNTS:
                return PaymentRoute(PaymentAsk.PAYMENT, name)
            case [first, name] if first == ACCOUNTS:
                return PaymentRoute(PaymentAsk.ACCOUNT, name)
            case [name, operation] if operation in OPERATIONS:
                return PaymentRoute(OPERATIONS[operation], name)
    of_one = "/v1/payments/{id}, /v1/payments/{id}/capture|void|refund|review, /v1/payments/accounts/{n}"
    raise unknown("unknown_path", f"no such path; there are {', '.join(_OF_PATH)}, {of_one}")
