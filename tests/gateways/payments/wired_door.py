"""The payments door on a simulated socket, before a gate that answers with prepared events."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.port import Closed
from engine.payments.codes import Code
from engine.payments.records import EVENT, AccountStatus, Decision, EventFlag, EventKind, Field, Op, Role
from engine.payments.view.live_view import AccountView, BalanceView, PaymentView
from engine.payments.view.rules_view import RulesView
from engine.settings.config import Key
from engine.settings.door_settings import DoorLimits
from gateways.payments.door.desk import PaymentDesk
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.keys import key_ring
from gateways.payments.door.limiters import NO_LIMITS, Limiters
from gateways.payments.door.past import GivenWay
from gateways.payments.door.reads import DurableReads, nothing_past
from gateways.payments.door.routes import PLAIN_PAYMENTS
from gateways.payments.door.rule_workshop import RuleWorkshop, UserRules
from gateways.payments.door.sockets import PaymentSockets
from gateways.payments.form import PaymentForm
from gateways.payments.replies import Replies
from gateways.payments.rule_names import no_user_rules
from gateways.process.guard import Guard
from gateways.process.plain_connections import PlainServer
from ringbuf.seqlock import TornReadError
from tests.gateways.payments.bodies_of_payments import FORM, HASHER
from tests.gateways.payments.made_events import record, view
from tests.gateways.process.wire import Wire, settle

RING_IDX = 3
LOOK_AGAIN_S, LOOKS_MAX = 0.001, 120_000
TOKENS = {name: f"key-of-{name}-{'x' * 8}" for name in ("acquirer", "other", "risk", "viewer", "all")}
KEYS = [
    Key(token=TOKENS["acquirer"], name="acquirer", accounts=None, roles=Role.ACQUIRER, scope=("m1", "m2")),
    Key(token=TOKENS["other"], name="other", accounts=None, roles=Role.ACQUIRER, scope=("m9",)),
    Key(token=TOKENS["risk"], name="risk", accounts=None, roles=Role.RISK),
    Key(token=TOKENS["viewer"], name="viewer", accounts=None, roles=Role.VIEWER),
    Key(token=TOKENS["all"], name="all", accounts=None, roles=Role.ALL),
]
SET_UP_OPS = frozenset(Op) - {Op.PAY, Op.CAPTURE, Op.VOID, Op.REFUND, Op.REVIEW, Op.REVERSE}


class FakeView:
    """A view of one payment, 17, and one account, 1."""

    seq = 40
    is_torn = False
    fault: Exception | None = None

    def payment(self, payment: int) -> PaymentView | None:
        if self.fault is not None:
            raise self.fault
        if self.is_torn:
            raise TornReadError("the engine is rebuilding its state")
        return view() if payment == 17 else None

    def account(self, number: int) -> AccountView | None:
        balances = (BalanceView(currency=978, exponent=2, total=900, held=100),)
        return AccountView(account=1, status=AccountStatus.OPEN, balances=balances) if number == 1 else None

    def rules(self) -> RulesView:
        raise TornReadError("the engine is rebuilding its state")


class FakeGate:
    """A port whose engine answers when somebody looks, in the order of the commands."""

    def __init__(self) -> None:
        self.ring_idx = RING_IDX
        self.laps = 0
        self.room = 10**6
        self.is_silent = False
        self.closed: Closed | None = None
        self.submitted: list[Any] = []
        self.changes: dict[str, Any] = {}
        self._answered_count = 0

    def submit(self, commands: Any) -> int:
        taken = min(len(commands), self.room)
        self.room -= taken
        self.submitted += [commands[place].copy() for place in range(taken)]
        return taken

    def closed_because(self) -> Closed | None:
        return self.closed

    def drain(self, limit: int = 1024) -> Any:
        if self.is_silent:
            return np.zeros(0, EVENT)
        commands = self.submitted[self._answered_count :][:limit]
        self._answered_count += len(commands)
        found = [self._event(command) for command in commands]
        return np.concatenate(found) if found else np.zeros(0, EVENT)

    def _event(self, command: Any) -> Any:
        op, seq = int(command["op"]), 100 + int(command["req_seq"])
        kind = EventKind.DECIDED if op == Op.PAY else EventKind.DONE if op in SET_UP_OPS else EventKind.MOVED
        payment = seq if op == Op.PAY else int(command["payment"])
        said: dict[str, Any] = {
            **{"seq": seq, "reply_seq": seq, "payment": payment, "op": op, "kind": kind},
            **{"ring": RING_IDX, "flags": EventFlag.LAST},
            **{name: int(command[name]) for name in ("session", "req_seq", "account", "amount")},
        }
        if kind == EventKind.MOVED and payment != 17 and op != Op.REVERSE:
            said |= {"code": Code["NOT_FOUND"], "decision": Decision.DECLINE, "field": Field.PAYMENT}
            said |= {"state": 0, "currency": 0, "ruleset": 0, "amount": 0, "approved_amount": 0}
        return record(**said | self.changes)


NO_USER_RULES = UserRules(RuleWorkshop(Path("/nowhere")), no_user_rules)


class WiredDoor:
    """The door: ask it something, in one chunk for the plain way, in two for aiohttp's."""

    def __init__(
        self,
        gate: Any = None,
        live: Any = None,
        form: PaymentForm = FORM,
        given_way: Callable[[PaymentDispatcher], GivenWay] | None = None,
        limits: Mapping[str, Any] = NO_LIMITS,
        user_rules: UserRules = NO_USER_RULES,
    ) -> None:
        self.gate = gate or FakeGate()
        self.view = live or FakeView()
        self.durable = 40
        self.now = 0.0
        self.dispatcher = PaymentDispatcher(self.gate, lambda: None)
        past = None if given_way is None else given_way(self.dispatcher)
        self.desk = PaymentDesk(
            form, Replies("a", user_rules.names), self.dispatcher, self.view.payment, past
        )
        look = nothing_past if past is None else past.view
        reads = DurableReads(self.view, lambda: self.durable, look, wait_s=0.0)
        keys = key_ring(KEYS, range(1, len(KEYS) + 1))
        self.limiters = Limiters(keys.owners, limits, lambda: int(self.now * 1e9))
        door_limits = DoorLimits()
        self.sockets = PaymentSockets(
            keys, self.limiters, self.desk, reads, HASHER, user_rules, door_limits, lambda: self.now
        )
        guard = Guard("payments", "127.0.0.1", (), (), lambda: 8003, repeats=False)
        self._server: Callable[[], PlainServer] = lambda: PlainServer(
            self.sockets.handle, PLAIN_PAYMENTS, self.sockets.plain, guard, door_limits, connections_max=9
        )

    def turn(self) -> None:
        """Do what the pump does."""
        self.dispatcher.now = self.now
        self.dispatcher.flush()
        self.dispatcher.collect()
        if self.now >= self.dispatcher.next_deadline:
            self.dispatcher.expire()

    async def raw(self, data: bytes, is_plain: bool = True) -> bytes:
        """Return what comes back for these bytes."""
        connection, wire = self._server()(), Wire()
        connection.connection_made(wire)
        for chunk in [data] if is_plain else [data[:1], data[1:]]:
            connection.data_received(chunk)
            await settle(self.turn)
        for _ in range(LOOKS_MAX):
            if wire.sent:
                break
            await asyncio.sleep(LOOK_AGAIN_S)  # set-up is read in a thread
            await settle(self.turn)
        connection.connection_lost(None)
        await settle(self.turn)
        return bytes(wire.sent)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = b"",
        key: str = "acquirer",
        is_plain: bool = True,
        **headers: str,
    ) -> tuple[int, Any, str]:
        """Return status, document and content type of the answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(raw)}"]
        if key:
            lines.append(f"Authorization: Bearer {TOKENS.get(key, key)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        answer = await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + raw, is_plain)
        head, _, text = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        content = next((line for line in head.decode().split("\r\n") if line.startswith("Content-Type")), "")
        return status, json.loads(text) if text else None, content.removeprefix("Content-Type: ")
