"""Several instances on one store, step by step: real engines and real rounds, any of which may die anywhere.

A round of an instance is a coroutine that stops before and behind everything it does outside: what the
store is asked, what the engine is told. Whoever drives it chooses which instance goes on, which dies, what
the store loses, and where a command lies that was sent before its sender died.
"""

from collections.abc import Coroutine, Generator, Sequence
from contextlib import suppress
from typing import Any

from engine.payments.fleet_records import OnStoreDown
from engine.payments.records import Clock, Op
from engine.payments.view.shares import SharesView
from gateways.fleet.link import Call, StoreDownError
from gateways.fleet.moving import Mover
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    SMALL,
    T0,
    Engine,
    command,
    funded,
    merchant,
    merchant_limits,
    pay,
    settings,
)
from tests.gateways.fleet.twin_store import TwinStore

NS_PER_MS = 1_000_000
DAY = T0 // DAY_MS


class Stop:
    """Where a round waits until it is driven on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Instance:
    """One instance: its engine, which a death leaves as it is, and the round of its fleet process."""

    def __init__(self, name: str, instances: int, limit: int, store: TwinStore) -> None:
        limits = merchant_limits(0, [(EUR, -1, -1, limit, -1, -1)])
        first = settings(Clock.ENGINE), limits, merchant(begins=False), *funded(balances={EUR: 10**15})
        self.name = name
        self.engine = Engine(SMALL, *first)
        self.engine.eng_ts = T0 * NS_PER_MS
        fleet = command(Op.FLEET, payment=instances, kind=OnStoreDown.LOCAL)
        self.engine.tell(fleet, command(Op.TICK))
        self.view = SharesView(self.engine.replica.state)
        self.run_id = store.run_id
        self._store = store
        self._number = 0
        self._is_connected = False
        self.is_outside = False
        self.unsettled: list[Any] = []
        """Sent, and maybe not applied when the sender died."""
        self._round: Coroutine[Any, None, Any] | None = None
        self._begin_process()

    def _begin_process(self) -> None:
        self._is_connected = False
        self._mover = Mover(
            view=self.view, store=self, tell=self._tell, count=lambda name: None, now=self._now,
            fleet="f", instance=self.name, owner=self.name,
            journal=f"journal of {self.name}", outside=self._note_outside,
        )  # fmt: skip

    def _note_outside(self, is_outside: bool) -> None:
        self.is_outside = is_outside

    def _now(self) -> float:
        return self.engine.eng_ts / 1e9

    async def connect(self) -> None:
        """Be connected to the store as it runs now."""
        if not self._is_connected:
            self._is_connected, self.run_id = True, self._store.run_id

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Ask the store: it may be another run by then, and the answer may be lost."""
        await Stop()
        if self.run_id != self._store.run_id:
            self._is_connected = False
            raise StoreDownError("it was started again")
        answers = self._store.answer(calls)
        await Stop()
        return answers

    async def _tell(self, commands: Sequence[Any]) -> None:
        self.unsettled += commands
        await Stop()
        self.settle()
        await Stop()

    def settle(self) -> None:
        """Apply what was sent."""
        commands, self.unsettled = self.unsettled, []
        if commands:
            self.engine.tell(*commands)

    def step(self) -> None:
        """Go on to the next stop; a new round begins behind whatever was sent before it."""
        if self._round is None:
            self.settle()
            self._round = self._mover.round(lambda: True)
        try:
            self._round.send(None)
        except (StopIteration, StoreDownError):
            self._round = None

    def finish_round(self) -> None:
        """Go on to the end of the round, or do a whole one."""
        self.step()
        while self._round is not None:
            self.step()

    def lose_answer(self) -> None:
        """Let what the round waits for fail, as a time-out does."""
        if self._round is not None:
            with suppress(StoreDownError, StopIteration):
                self._round.throw(StoreDownError("it gave no answer in time"))
            self._round = None
            self._is_connected = False

    def kill(self) -> None:
        """Let the fleet process die where it stands; another one begins."""
        if self._round is not None:
            self._round.close()
            self._round = None
        self._begin_process()

    def pay(self, amount: int) -> bool:
        """Ask for a payment; tell whether it was approved."""
        self._number += 1
        return bool(self.engine.one(pay(self._number, amount=amount))["approved_amount"])

    def pass_time(self, ms: int) -> None:
        """Let the clock of the engine go on."""
        self.engine.eng_ts += ms * NS_PER_MS
        self.engine.tell(command(Op.TICK))

    @property
    def share(self) -> int:
        """What this instance may take on this day in all, reckoned from its row."""
        row, fleet = self.engine.s["rows"][0], self.engine.s["fleet"][0]
        moved = int(row["taken"]) - int(row["given"]) if row["share_day"] == self.day else 0
        return int(row["daily"]) // int(fleet["instances"]) + moved

    @property
    def spent(self) -> int:
        """What was approved on this day."""
        row = self.engine.s["rows"][0]
        return int(row["day_sum"]) if row["day"] == self.day else 0

    @property
    def day(self) -> int:
        """The day of the engine's clock."""
        return int(self.engine.s["now"]) // DAY_MS


class FleetModel:
    """Some instances on one store, and what must hold at every moment."""

    def __init__(self, instances: int, limit: int) -> None:
        self.limit = limit
        self.store = TwinStore()
        self.instances = [Instance("abc"[at], instances, limit, self.store) for at in range(instances)]

    def check(self) -> None:
        """Assert that shares and payments of each day are within the limit."""
        for day in {each.day for each in self.instances}:
            of_day = [each for each in self.instances if each.day == day]
            shares = [each.share for each in of_day]
            assert min(shares) >= 0
            assert sum(shares) <= self.limit, shares
            assert sum(each.spent for each in of_day) <= self.limit
            assert all(each.spent <= each.share for each in of_day)

    def pass_time(self, ms: int) -> None:
        """Let every clock go on."""
        self.store.now += ms
        for each in self.instances:
            each.pass_time(ms)

    def settle_down(self, rounds: int) -> None:
        """Let every instance finish rounds in turn."""
        for _ in range(rounds):
            for each in self.instances:
                each.finish_round()
            self.pass_time(200)

    def let_pay(self, at: int, times: int, amount: int) -> None:
        """Let payments come to one instance, with rounds of all between them."""
        for _ in range(times):
            self.instances[at].pay(amount)
            self.settle_down(1)

    def do(self, what: str, at: int, amount: int) -> None:
        """Let one thing happen, to one of the instances, to the store, or to time."""
        instance = self.instances[at % len(self.instances)]
        if what == "pay":
            instance.pay(amount)
        elif what == "time":
            self.pass_time(amount)
        elif what == "restart" or what == "restore":
            self.store.restart(with_saved=what == "restore")
        elif what == "empty" or what == "save":
            getattr(self.store, what)()
        else:
            getattr(instance, what)()
