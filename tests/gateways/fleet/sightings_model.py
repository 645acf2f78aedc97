"""Several instances that merge what they have seen, step by step, beside one plain set of cards and times.

Real engines and real rounds; what is asked of the store or told to the engine may be lost before it arrives
or behind that, whoever does it may die, and the store may lose everything.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.payments.codes import Code
from engine.payments.fleet_records import Sighted
from engine.payments.kernels.digest import digest
from engine.payments.kernels.rows import BUCKETS
from engine.payments.records import Clock, Op
from engine.payments.view.sightings import PLACES, SightingsView
from gateways.fleet.link import Call, StoreDownError
from gateways.fleet.merging import Merger
from gateways.fleet.telling import EngineAwayError
from tests.engine.payments.building import SMALL, T0, Engine, command, funded, merchant, pay, settings
from tests.engine.payments.fleet_commands import join, store
from tests.engine.payments.invariants import assert_whole
from tests.gateways.fleet.twin_store import TwinStore

NS_PER_MS = 1_000_000
GIVEN = {Sighted.DEVICE: "device", Sighted.IP: "ip", Sighted.EMAIL: "email"}
LIMIT = 3
LIMITS: dict[str, Any] = {
    **{"device_cards_24h": LIMIT, "ip_cards_1h": LIMIT, "email_cards_24h": LIMIT},
    **{"card_1m": -1, "card_1h": -1, "double_charge_ms": -1, "card_declines_1h": -1, "scheme_retry": -1},
}


class SightingInstance:
    """One instance: its engine, all that it was told, and the round of its fleet process."""

    def __init__(self, twin: TwinStore, fingerprint: int) -> None:
        rules = settings(Clock.ENGINE, **LIMITS)
        rules["words"][3] = fingerprint
        self.first = rules, merchant(), *funded(balances={978: 10**12})
        self.engine = Engine(SMALL, *self.first)
        self.engine.eng_ts = T0 * NS_PER_MS
        self.journal: list[tuple[int, Any]] = []
        self.tell(join(2), store())
        self.view = SightingsView(self.engine.replica.state)
        self.run_id = twin.run_id
        self.fails = ""
        """Where the next thing that is done outside fails."""
        self._twin = twin
        self._is_connected = False
        self.kill()

    def tell(self, *commands: Any) -> Any:
        """Tell the engine something, and keep it."""
        self.journal += [(self.engine.eng_ts, each) for each in commands]
        return self.engine.tell(*commands)

    def kill(self) -> None:
        """Let the fleet process die; another one begins."""
        self._is_connected = False
        self._merger = Merger(
            view=self.view, store=self, tell=self._tell, count=lambda name, more: None, fleet="f"
        )

    async def connect(self) -> None:
        """Be connected to the store as it runs now."""
        if not self._is_connected:
            self._is_connected, self.run_id = True, self._twin.run_id

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Ask the store, unless that fails before it arrives, or its answer is lost."""
        if self.run_id != self._twin.run_id or self._fails("asked"):
            self._is_connected = False
            raise StoreDownError("it is not there")
        answers = self._twin.answer(calls)
        if self._fails("answered"):
            self._is_connected = False
            raise StoreDownError("it gave no answer in time")
        return answers

    async def _tell(self, commands: Sequence[Any]) -> None:
        if self._fails("told"):
            raise EngineAwayError
        self.tell(*commands)
        if self._fails("applied"):
            raise EngineAwayError

    def _fails(self, where: str) -> bool:
        if self.fails != where:
            return False
        self.fails = ""
        return True

    def round(self) -> bool:
        """Do one round; tell whether there is more."""
        doing = self._merger.round(0, lambda: True)
        try:
            doing.send(None)
        except StopIteration as done:
            return bool(done.value)
        except (StoreDownError, EngineAwayError):
            return True
        raise AssertionError("nothing of a round waits here")

    def held(self, kind: Sighted) -> dict[tuple[int, int], int]:
        """Return by what was seen and card the bucket that the state has, of those in their window."""
        pool, table, _, bucket_ms = PLACES[kind]
        s = self.engine.s
        now = int(s["now"]) // bucket_ms
        return {
            (int(row["key"][0]), int(each["card"])): int(each["bucket"])
            for row in s[pool][: int(s[table]["used"])]
            for each in row["seen"][: int(row["count"])]
            if now - int(each["bucket"]) < BUCKETS
        }

    def replayed(self) -> str:
        """Return the digest of another engine that was told the same."""
        other = Engine(SMALL, *self.first)
        for eng_ts, each in self.journal:
            other.eng_ts = eng_ts
            other.tell(each)
        return digest(other.replica.state)


class SightingsModel:
    """Some instances on one store, and what each of them should know."""

    def __init__(self, count: int, fingerprints: Sequence[int] = ()) -> None:
        self.store = TwinStore()
        keys = fingerprints or (1,) * count
        self.instances = [SightingInstance(self.store, each) for each in keys]
        self.seen: defaultdict[Sighted, dict[tuple[int, int], int]] = defaultdict(dict)
        self.number = 0

    def pay(self, at: int, kind: Sighted, seen: int, card: int) -> str:
        """Ask one instance for a payment; return the code."""
        instance = self.instances[at % len(self.instances)]
        self.number += 1
        (event,) = instance.tell(pay(self.number, card=card, amount=1, **{GIVEN[kind]: seen}))
        self.seen[kind][seen, card] = int(instance.engine.s["now"]) // PLACES[kind][3]
        return Code(int(event["code"])).name

    def do(self, what: str, at: int, kind: Sighted, seen: int, card: int) -> None:
        """Let one thing happen."""
        instance = self.instances[at % len(self.instances)]
        if what == "pay":
            self.pay(at, kind, seen, card)
        elif what == "time":
            self.pass_time(card * 300_000)
        elif what == "hours":
            self.pass_time(card * 3_600_000)
        elif what == "round":
            instance.round()
        elif what == "kill":
            instance.kill()
        elif what in ("empty", "save"):
            getattr(self.store, what)()
        elif what in ("restart", "restore"):
            self.store.restart(with_saved=what == "restore")
        else:
            instance.fails = what

    def pass_time(self, ms: int) -> None:
        """Let every clock go on."""
        self.store.now += ms
        for each in self.instances:
            each.engine.eng_ts += ms * NS_PER_MS
            each.tell(command(Op.TICK))

    def settle(self) -> None:
        """Let every instance say all that it has, then hear all that the others have said."""
        for _ in range(3):
            for each in self.instances:
                each.fails = ""
                while each.round():
                    self.store.now += 1

    def check(self) -> None:
        """Assert that every instance knows each card in its window by its newest bucket, and no other."""
        for kind in Sighted:
            now = int(self.instances[0].engine.s["now"]) // PLACES[kind][3]
            expected = {key: at for key, at in self.seen[kind].items() if now - at < BUCKETS}
            for each in self.instances:
                assert each.held(kind) == expected, kind
        for each in self.instances:
            assert_whole(each.engine.s)
            assert each.replayed() == digest(each.engine.replica.state)


def rows(*of: tuple[int, int, int, int]) -> Any:
    """Return sightings as the view has them."""
    return np.array(of, np.int64).reshape(-1, 4)
