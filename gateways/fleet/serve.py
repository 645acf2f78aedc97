"""The fleet process: it alone talks to the store, and has a command ring of its own.

    store <- link <- mover, merger, sharer -> teller -> command ring
                     mover, merger, sharer <- the live state, once all that was told is durable

Nobody waits for it: doors and engine know neither the store nor this process, and what the engine knows of
the store is what stands in the journal. While this process is dead, or the store is, the engine decides by
the shares that it has, or as on_store_down says.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from engine.contract.instance import counter_name, write_ready
from engine.contract.port import Port
from engine.payments.fleet_records import ShareMove
from engine.payments.view.live_view import LiveView
from engine.payments.view.shares import SharesView
from engine.payments.view.sightings import SightingsView
from engine.rules.stored import FOLDER
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.commands.serving import told_to_stop
from gateways.fleet.identity import journal_id, owner_of
from gateways.fleet.link import StoreDownError, StoreLink
from gateways.fleet.merging import Merger
from gateways.fleet.moving import Mover, shares_command
from gateways.fleet.renewing import Renewer
from gateways.fleet.rulesets import RulesetSharer
from gateways.fleet.scripts.rates import RATE
from gateways.fleet.scripts.rulesets import SETS
from gateways.fleet.scripts.shares import EXCHANGE, GREET
from gateways.fleet.scripts.sightings import MERGE
from gateways.fleet.signing import Signer
from gateways.fleet.telling import EngineAwayError, Teller, store_command
from gateways.payments.door.allowances import FLEET_RATE, allowances_of
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.rule_workshop import RuleWorkshop
from gateways.payments.hashing import load_key
from ringbuf.seqlock import TornReadError

log = logging.getLogger("pinion.doors")

ROUND_S, ROUND_AGAIN_S = 0.1, 0.01
"""Between two rounds; where the one before has left something."""
SHARES_S, RULESETS_S = 0.2, 1.0
"""Between two rounds that look at shares, unless the one before has moved some; at sets of rules."""
TELL_S = 1.0
"""Between two words to the engine about a store whose state has not changed."""
FIRST_S_MAX = 2.0
"""The start of the instance waits so long for the first word of the store."""
FAILED_ROUNDS_MAX = 2
"""So many in a row are a store that is down: one late answer on a busy machine is not."""
GRACE_S = 2.0


def run(door: DoorSettings) -> None:
    """Move shares, merge counts, share sets of rules and rates of clients until SIGTERM."""
    with Port.attach(door.data_dir, door.ring_name) as gate:
        uvloop.run(serve(door, gate))


async def serve(door: DoorSettings, gate: Port) -> None:
    """Join the parts and run them until a signal says stop."""
    stopping = told_to_stop()
    now = asyncio.get_running_loop().time
    dispatcher = PaymentDispatcher(gate, lambda: pump.wake())
    pump = Pump(dispatcher, gate, lambda: None, lambda _: gate.beat())
    counters = gate.counters()

    def count(name: str, more: int = 1) -> None:
        counters.add(counter_name(door.name, name), more)

    link = StoreLink(door.application["fleet_url"], (EXCHANGE, GREET, MERGE, SETS, RATE), count, now)
    teller = Teller(dispatcher, gate.next_session(), now)
    works = works_of(door, gate, link, teller, count, now)
    fleet = Fleet(gate, works, teller, count, now, lambda: write_ready(door.data_dir, door.name, 0))
    running = pump.run(), fleet.run(), works.sharer.work(), stopping.wait()
    tasks = [asyncio.create_task(each) for each in running]
    pumping, *working, _ = tasks
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in working:
            if task.done():
                task.result()  # a fault of it ends the process
        for task in tasks[1:]:
            task.cancel()
        pump.stop(GRACE_S)
        await pumping
        await link.close()


class Works(NamedTuple):
    """What a fleet process does with its store."""

    mover: Mover
    merger: Merger
    sharer: RulesetSharer
    renewer: Renewer | None
    """None where no rate is shared."""


def works_of(
    door: DoorSettings,
    gate: Port,
    link: StoreLink,
    teller: Teller,
    count: Callable[..., None],
    now: Callable[[], float],
) -> Works:
    """Return the works of a process, joined to its engine and its store."""
    fleet, instance = door.application["fleet_name"], door.application["instance"]
    folder, counters = door.data_dir / FOLDER, gate.counters()

    def note(name: str, value: int) -> None:
        counters[counter_name(door.name, name)] = value

    hash_key = load_key(Path(door.application["hash_key_file"]))
    mover = Mover(
        view=SharesView(gate.state()),
        store=link,
        tell=teller.tell,
        count=count,
        now=now,
        fleet=fleet,
        instance=instance,
        owner=owner_of(door.data_dir),
        journal=journal_id(Path(door.application["fleet_id_file"])),
        outside=lambda is_outside: note("outside", int(is_outside)),
    )
    merger = Merger(view=SightingsView(gate.state()), store=link, tell=teller.tell, count=count, fleet=fleet)
    sharer = RulesetSharer(
        rules=LiveView(gate.state(), gate.state_turn).rules,
        store=link,
        workshop=RuleWorkshop(folder),
        folder=folder,
        tell=teller.tell,
        count=count,
        behind=lambda lacking: note("behind", lacking),
        now=now,
        fleet=fleet,
        instance=instance,
        signer=Signer(hash_key, fleet),
    )
    allowances = allowances_of(door)
    renewer = None
    if allowances is not None:
        rate = door.application[FLEET_RATE]
        renewer = Renewer(allowances=allowances, store=link, fleet=fleet, rate=rate)
    return Works(mover, merger, sharer, renewer)


class Fleet:
    """Goes round after round, and tells the engine how the store is.

    ready : called once the engine knows how the store is, or that it does not answer
    """

    def __init__(
        self,
        gate: Port,
        works: Works,
        teller: Teller,
        count: Callable[[str], None],
        now: Callable[[], float],
        ready: Callable[[], None],
    ) -> None:
        self._gate = gate
        self._works = works
        self._shares_at = self._rulesets_at = 0.0
        self._teller = teller
        self._count = count
        self._now = now
        self._ready = ready
        self._began = now()
        self._is_ready = False
        self._is_up = False
        self._told: bool | None = None
        """What was said of the store last, by this process."""
        self._is_settled = False
        """Whether all that was told is durable, so that what the state says of shares is."""
        self._failed_rounds = 0
        self._tell_at = 0.0
        self._cause = ""

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                is_more = await self._turn()
            except EngineAwayError:
                self._is_settled = is_more = False
            await asyncio.sleep(ROUND_AGAIN_S if is_more else ROUND_S)

    async def _turn(self) -> bool:
        """Do one round; tell whether the next one shall follow at once."""
        if not self._is_settled:
            await self._tell([shares_command(ShareMove.HAVE, 0, ())])
        turn = self._gate.state_turn()
        if self._gate.closed_because() is not None:
            raise EngineAwayError
        is_more, cause = False, ""
        try:
            is_more = await self._round(turn, lambda: self._gate.state_turn() == turn)
            self._is_up, self._failed_rounds = True, 0
            self._count("rounds")
        except StoreDownError as error:
            self._failed_rounds += 1
            self._is_up = self._is_up and self._failed_rounds < FAILED_ROUNDS_MAX
            cause = str(error)
        self._say(cause)
        if self._is_up != self._told or self._now() >= self._tell_at:
            await self._tell([store_command(self._is_up)])
            self._told = self._is_up
            self._tell_at = self._now() + TELL_S
        if not self._is_ready and (self._is_up or self._now() - self._began > FIRST_S_MAX):
            self._is_ready = True
            self._ready()
        return is_more

    async def _round(self, turn: int, is_whole: Callable[[], bool]) -> bool:
        """Move shares and share rules, where it is time for that, and merge counts; tell whether to go on."""
        is_more = False
        if self._works.renewer is not None:
            await self._works.renewer.round()
        if self._now() >= self._shares_at:
            is_more = await self._works.mover.round(is_whole)
            self._shares_at = self._now() + (0.0 if is_more else SHARES_S)
        if self._now() >= self._rulesets_at:
            with suppress(TornReadError):  # the state is being rebuilt: the next time
                await self._works.sharer.round()
            self._rulesets_at = self._now() + RULESETS_S
        return await self._works.merger.round(turn, is_whole) or is_more

    async def _tell(self, commands: Sequence[Any]) -> None:
        """Tell the engine something; once that is answered all that came before it is durable too."""
        self._is_settled = False
        await self._teller.tell(commands)
        self._is_settled = True

    def _say(self, cause: str) -> None:
        """Log why the store is down, or that it is up, once."""
        said = cause if not self._is_up else ""
        if said and said != self._cause:
            log.warning("the store of the fleet is down: %s", said)
        elif self._cause and self._is_up:
            log.warning("the store of the fleet answers again")
        self._cause = said
