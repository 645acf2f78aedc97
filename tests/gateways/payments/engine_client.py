"""The payments door before a real engine, as a client sees it."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.contract.port import Closed
from engine.payments.records import EVENT
from engine.payments.view.live_view import LiveView
from gateways.payments.door.rule_workshop import RuleWorkshop, UserRules
from gateways.payments.rule_names import StoredNames
from tests.engine.payments.building import SMALL, Engine, settings
from tests.gateways.payments.bodies_of_payments import NOW_MS, OTHER_PAN, REPLAYED, WHOLE
from tests.gateways.payments.wired_door import NO_USER_RULES, WiredDoor

PAYMENTS = "/v1/payments"
SET_UP: list[dict[str, Any]] = [
    {
        "op": "merchant",
        "merchant": "m1",
        "limits": {"EUR": {"max": 5000, "daily": 9000}},
        "disclose": {"61": "05"},
    },
    {"op": "account", "account": 1, "balances": {"EUR": 1_000_000}, "limits": {"EUR": {"max": 700_000}}},
    {"op": "list", "list": "block_card", "add": [OTHER_PAN]},
    {"op": "deposit", "account": 1, "currency": "EUR", "amount": 500, "id": "d1"},
]


class EngineGate:
    """A port whose engine works when somebody looks."""

    def __init__(self, engine: Engine) -> None:
        self.ring_idx = 0
        self.laps = 0
        self.closed: Closed | None = None
        self._engine = engine
        self._submitted: list[Any] = []

    def submit(self, commands: Any) -> int:
        self._submitted += [each.copy() for each in commands]
        return len(commands)

    def closed_because(self) -> Closed | None:
        return self.closed

    def drain(self, limit: int = 1024) -> Any:
        commands, self._submitted = self._submitted, []
        return self._engine.tell(*commands) if commands else np.zeros(0, EVENT)


class Client:
    """The door with an engine; rules_folder : of sets of user rules, where it takes such."""

    def __init__(self, rules_folder: Path | None = None) -> None:
        self.engine = Engine(SMALL, settings())
        self.view = LiveView(self.engine.replica.state)
        user_rules = NO_USER_RULES
        if rules_folder is not None:
            user_rules = UserRules(RuleWorkshop(rules_folder), StoredNames(rules_folder, self.view.rules))
        self.door = WiredDoor(EngineGate(self.engine), self.view, REPLAYED, user_rules=user_rules)
        self.door.durable = 2**62
        self.number = 0

    async def ask(self, method: str, path: str, given: Any = b"", key: str = "acquirer") -> tuple[int, Any]:
        status, document, _ = await self.door.ask(method, f"{PAYMENTS}{path}", given, key)
        return status, document

    async def pay(self, **changes: Any) -> tuple[int, Any]:
        self.number += 1
        given = WHOLE | {"request_id": f"r{self.number}", "op": "authorise", "account": 1, "ip_country": "DE"}
        return await self.ask("POST", "", given | {"received_at": NOW_MS} | changes)

    @classmethod
    async def begun(cls, rules_folder: Path | None = None) -> Self:
        """Return a client whose engine has merchants, accounts, a list and a deposit."""
        client = cls(rules_folder)
        text = "\n".join(json.dumps(line) for line in SET_UP).encode()
        status, reply = await client.ask("POST", "/admin", text, "risk")
        assert (status, [each["code"] for each in reply["results"]]) == (200, ["OK"] * 4)
        return client
