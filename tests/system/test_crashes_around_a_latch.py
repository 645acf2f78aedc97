"""Processes die at every crash point while an account latches, is seen latched, and is lifted again.

What anybody saw stands: an answer that showed the latch is never followed by one that does not, until
a reset was asked for; and every answer is what the journal, replayed, makes of the state at its seq.
"""

import itertools
import os
import random
from collections.abc import Callable
from typing import Any

from engine.contract.port import EventReader
from engine.runtime.crash_points import LOOP_PREFIX, VARIABLE, LoopPoint
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.records import EventKind, LatchLevel, Reason
from tests.engine.trading.comparison import standing_of_state
from tests.system.journaled import Journaled
from tests.system.running import Running, await_true
from tests.system.test_crashes import standing_of
from tests.system.test_kill_switch import ask

Start = Callable[..., Running]
ACCOUNT = 11
SEED = int(os.environ.get("PINION_CRASH_SEED", "1"))
JOURNALER_POINTS = ("sealed", "written", "synced", "durable")
RECOVERY_POINTS = ("restored", "replayed", "rings", "events")
"""Where the worker behind one that died dies while it rebuilds the state."""
PASSES_MAX = 12
"""A round of the client passes a point more often than this, so deaths fall anywhere in it."""
LOOKS = 8
ROUNDS_MAX = 60
UNANSWERED = (0, 429, 503, 504)


def plan() -> list[str]:
    """Return a death at every point; every other worker is followed by one that dies recovering."""
    passes = random.Random(SEED)
    recovery = iter(RECOVERY_POINTS)
    deaths = []
    for point in LoopPoint:
        deaths.append(f"{LOOP_PREFIX}{point.name.lower()}:{passes.randrange(PASSES_MAX)}")
        if point % 2 == 0:
            deaths.append(f"recovery.{next(recovery)}:0")
    return deaths + [f"journaler.{name}:{passes.randrange(PASSES_MAX)}" for name in JOURNALER_POINTS]


class Desk:
    """Makes account 11 lose, and notes at which seq it was seen latched or not."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._client_ids = itertools.count(1)
        self.looks: list[tuple[int, bool]] = []

    def asked(self, path: str, fields: Any, door: str = "orders") -> tuple[int, Any]:
        """Ask until there is an answer."""
        answers: list[tuple[int, Any]] = []

        def is_answered() -> bool:
            answers[:] = [ask(self._running, door, path, fields)]
            return answers[0][0] not in UNANSWERED

        await_true(is_answered, f"an answer to {fields}")
        return answers[0]

    def admin(self, **fields: Any) -> None:
        status, document = self.asked("/v1/admin", fields)
        assert status == 200, document

    def order(self, account: int, side: str, price: str, quantity: str) -> tuple[int, Any]:
        """Place an order; one that was accepted by a try without an answer is found as a duplicate."""
        fields = {
            **{"account": account, "symbol": "BTC-USD", "side": side, "price": price, "quantity": quantity},
            "client_order_id": account * 2**32 + next(self._client_ids),
        }
        return self.asked("/v1/orders", fields)

    def is_latched(self) -> bool:
        """Look at the account, and try an order: each tells, of a seq, whether the latch stands."""
        status, document = self.asked(f"/v1/accounts/{ACCOUNT}", None, "api")
        assert status == 200, document
        self.looks.append((document["seq"], bool(document["latches"])))
        status, document = self.order(ACCOUNT, "buy", "60", "0.01")
        assert status in (200, 409) or document["reason"] == "blocked", document
        if status != 409:  # a duplicate tells of its original, at no seq of its own
            self.looks.append((document["seq"], status != 200))
        return self.looks[-1][1] and self.looks[-2][1]

    def lose(self) -> None:
        """Latch by a mark, be seen latched for a while, and be lifted."""
        self.admin(op="mark", symbol="BTC-USD", price="100")
        assert self.order(ACCOUNT, "buy", "70", "1")[0] in (200, 409)
        self.admin(op="mark", symbol="BTC-USD", price="75")
        await_true(self.is_latched, "the drawdown has latched")
        for _ in range(LOOKS):
            assert self.is_latched(), "what was seen does not stand"
        status, document = self.asked(
            "/v1/admin", {"op": "reset_latch", "account": ACCOUNT, "limit": "max_drawdown", "rebase": True}
        )
        assert status == 200 or document["reason"] == "not_latched", document


def test_a_latch_that_was_seen_stands_wherever_processes_die(start: Start) -> None:
    deaths = plan()
    running = start(within=("env", f"{VARIABLE}={','.join(deaths)}"))
    running.await_ready()
    desk = Desk(running)
    desk.admin(op="account", account=ACCOUNT, deposit={"USD": "100000"})
    desk.admin(op="mark", symbol="BTC-USD", price="100")
    assert desk.order(ACCOUNT, "buy", "100", "2")[0] in (200, 409)
    assert desk.order(2, "sell", "100", "2")[0] in (200, 409)
    desk.admin(op="limits", account=ACCOUNT, max_drawdown="50")
    with EventReader.attach(running.data_dir) as reader:
        for _ in range(ROUNDS_MAX):
            desk.lose()
            if reader.counters()["supervisor.restarts"] >= len(deaths):
                break
        assert reader.counters()["supervisor.restarts"] == len(deaths)
    standing = standing_of(running)
    assert running.stop() == 0

    journaled = Journaled(running.data_dir, trading(Capacities()))
    journaled.check_order()
    assert standing == standing_of_state(journaled.state), "the live engine had other books or accounts"
    stood = stood_at(journaled)
    assert [look for look in desk.looks if stood(look[0]) != look[1]] == []


def stood_at(journaled: Journaled) -> Callable[[int], bool]:
    """Return what tells whether the account's latch stood behind a seq, by the replayed events."""
    events = journaled.events[
        (journaled.events["kind"] == EventKind.LATCHED) & (journaled.events["account"] == ACCOUNT)
    ]
    changes = [
        (int(event["seq"]), event["status"] == LatchLevel.CANCEL_AND_BLOCK)
        for event in events
        if event["reason"] == Reason.MAX_DRAWDOWN and event["status"] != LatchLevel.WARN
    ]

    def stood(seq: int) -> bool:
        return next((stands for at, stands in reversed(changes) if at <= seq), False)

    return stood
