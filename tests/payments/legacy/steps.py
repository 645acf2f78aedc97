"""Steps of scenarios: what is asked of the service, and what it must answer.

A step is a payment, an operation on an earlier one, or a line of set-up. An expected answer is a text,
"CODE rule field" or "CODE field" or "CODE", and more fields by name where they matter. A step without a
moment of its own happens at the moment of the step before.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.payments.legacy.codes import Reply
from tests.payments.legacy.form import Body
from tests.payments.legacy.rules import FIRST, IDEMPOTENCY, LAST, ORDERED
from tests.payments.legacy.service import Legacy
from tests.payments.legacy.windows import DAY_MS

NOW = 8102 * 60 * 3_600_000
"""A moment in June 2025 with which a day, and a bucket of every window, begins."""
PAN = "4111111111111111"
MASTER = "5555555555554444"
CARDS = (
    *("4000056655665556", "4242424242424242", "5105105105105100", "2223003122003222"),
    *("6011111111111117", "30569309025904", "3566002020360505", "378282246310005"),
)
"""Other cards, no two of one BIN."""
RICH = 10**12
RULE_NAMES = {IDEMPOTENCY, *(rule.__name__ for rule in (*FIRST, *ORDERED, *LAST))}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is asked; `body` holds what differs from the usual body."""

    kind: str
    expected: str
    at_ms: int | None = None  # after NOW
    of: int | None = None  # the step whose payment an operation is on
    body: dict[str, Any] = field(default_factory=dict)
    also: dict[str, Any] = field(default_factory=dict)  # what else the answer must say


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps, and the settings of rules with which the service starts."""

    name: str
    steps: tuple[Step, ...]
    rules: dict[str, Any] | None = None


def scenario(name: str, *steps: Step, rules: dict[str, Any] | None = None) -> Scenario:
    """Return a scenario, whose name begins with what it is about: a rule's name, where it is one."""
    return Scenario(name, steps, rules)


def pay(expected: str = "OK", at: int | None = None, also: dict[str, Any] | None = None, **body: Any) -> Step:
    """Return a payment; `card` holds what differs in the usual card, or is a PAN."""
    return Step("pay", expected, at, None, body, also or {})


def operate(
    kind: str,
    of: int,
    expected: str = "OK",
    at: int | None = None,
    also: dict[str, Any] | None = None,
    **body: Any,
) -> Step:
    """Return an operation on the payment of an earlier step."""
    return Step(kind, expected, at, of, body, also or {})


def reverse(
    expected: str = "OK", at: int | None = None, also: dict[str, Any] | None = None, **body: Any
) -> Step:
    """Return a void by merchant and request_id."""
    return Step("reverse", expected, at, None, body, also or {})


def merchant(**line: Any) -> Step:
    """Return the line that says what the usual merchant is now."""
    return Step("set_up", "OK", body={"op": "merchant", "merchant": "m1", **line})


def account(**line: Any) -> Step:
    """Return the line that says what the usual account is now."""
    return Step("set_up", "OK", body={"op": "account", "account": 1, **line})


def listed(name: str, *entries: Any, removed: tuple[Any, ...] = ()) -> Step:
    """Return the line that lists entries."""
    return Step("set_up", "OK", body={"op": "list", "list": name, "add": [*entries], "remove": [*removed]})


def deposit(expected: str = "OK", also: dict[str, Any] | None = None, **line: Any) -> Step:
    """Return a deposit."""
    usual = {"op": "deposit", "account": 1, "currency": "EUR", "amount": 5, "id": "d1"}
    return Step("set_up", expected, body={**usual, **line}, also=also or {})


class Service(Protocol):
    """What answers payments: the plain service, or what is compared with it."""

    def set_up(self, line: Body) -> Reply: ...
    def pay(self, body: Body, now_ms: int) -> Reply: ...
    def operate(self, kind: str, payment: str | None, body: Body, now_ms: int) -> Reply: ...


def run(scenario: Scenario, faults: frozenset[str] = frozenset()) -> list[Reply]:
    """Return the answers of the plain service to all steps."""
    return play(scenario, Legacy(scenario.rules, faults=faults))


def play(scenario: Scenario, service: Service) -> list[Reply]:
    """Return the answers of a service, in which a merchant and a rich account are known, to all steps."""
    service.set_up({"op": "merchant", "merchant": "m1"})
    service.set_up({"op": "account", "account": 1, "balances": {"EUR": RICH, "JPY": RICH, "BHD": RICH}})
    replies: list[Reply] = []
    now = NOW
    for index, step in enumerate(scenario.steps):
        now = now if step.at_ms is None else NOW + step.at_ms
        replies.append(_asked(service, step, index, now, replies))
    return replies


def _asked(service: Service, step: Step, index: int, now: int, replies: list[Reply]) -> Reply:
    """Ask the service for one step; each payment has an amount of its own, unless the step says one."""
    moment = {"received_at": now}
    if step.kind == "set_up":
        return service.set_up(step.body)
    if step.kind == "pay":
        usual = {"request_id": f"r{index}", "merchant": "m1", "channel": "pos", "amount": 1000 + index}
        usual |= {"currency": "EUR", "account": 1, **moment, **step.body}
        card = step.body.get("card", {})
        usual["card"] = {"expiry": "3012", **({"pan": PAN} if "token" not in card else {}), **_card(card)}
        return service.pay(usual, NOW + 100 * DAY_MS)
    if step.kind == "reverse":
        body = {"merchant": "m1", "request_id": "r0", **moment, **step.body}
        return service.operate("void", None, body, NOW + 100 * DAY_MS)
    assert step.of is not None
    payment = replies[step.of]["payment"]
    usual = {} if step.kind == "review" else {"request_id": f"o{index}"}
    return service.operate(step.kind, payment, {**usual, **moment, **step.body}, NOW + 100 * DAY_MS)


def _card(card: Any) -> dict[str, Any]:
    return {"pan": card} if isinstance(card, str) else dict(card)


def told(reply: Reply, step: Step) -> dict[str, Any]:
    """Return of a reply what a step expects, under the same names."""
    return {name: reply[name] for name in expected_of(step)}


def expected_of(step: Step) -> dict[str, Any]:
    """Return the fields that a step expects."""
    code, *rest = step.expected.split()
    if step.kind == "set_up":
        return {"code": code, **step.also}
    rule = rest.pop(0) if rest and rest[0] in RULE_NAMES and len(rest) == 2 else None
    at_fault = rest[0] if rest else None
    return {"code": code, "rule": rule, "field": at_fault, **step.also}
