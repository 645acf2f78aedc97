"""Every kernel of ringbuf and engine at work in one process (`make bounds`).

    python -m tests.engine.kernel_work trading

A small flow and extremes of one application go through the port, the loop and its rings, the replica,
the replays, the projection and the views, all of one set of capacities. With NUMBA_BOUNDSCHECK=1 each
index that lies outside its array ends the run. Afterwards numba is asked with how many types it
compiled each kernel, and must have compiled each: in an empty PINION_KERNEL_CACHE, for of what it loads
from a cache it does not know the callees.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import types as untyped_types

from engine.contract import port
from engine.contract.application import Application
from engine.contract.control_words import JOURNALER_BELL, READER_BELLS
from engine.contract.replica import Replica, private_state
from engine.payments.application import payments
from engine.payments.fleet_records import SHARE_ROWS_MAX, SIGHTING_ROWS_MAX, OnStoreDown, ShareMove, Sighted
from engine.payments.kernels.beside import try_beside
from engine.payments.name import PAYMENTS
from engine.payments.records import COMMAND as PAYMENT_COMMAND
from engine.payments.records import Op
from engine.payments.view.live_view import LiveView as PaymentsView
from engine.runtime.calls import call_at_sync
from engine.trading.application import trading
from engine.trading.kernels.state import new_state
from engine.trading.name import TRADING
from engine.trading.offline.engine import ReplayEngine
from engine.trading.offline.simulate import run_all
from engine.trading.view.group_view import GroupViews
from engine.trading.view.live_view import LiveView
from engine.trials.records import Act
from ringbuf.bells import fall_asleep, sleep_until_beyond
from ringbuf.broadcast import GATE_OPEN, Broadcast
from ringbuf.counting import add, beat
from ringbuf.layout import ASLEEP, CALLED, LINE_WORDS, PUBLISHED
from ringbuf.spsc import SpscRing, try_claim
from ringbuf.waiting import BACKOFF, await_beyond
from tests.capacities import SMALL
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    command,
    merchant_permits,
    restored,
    ruleset,
    settings,
    trial,
)
from tests.engine.payments.building import SMALL as SMALL_PAYMENTS
from tests.engine.payments.building import Engine as PaymentsEngine
from tests.engine.payments.fleet_commands import join, shares, sightings, store
from tests.engine.payments.invariants import assert_whole
from tests.engine.payments.random_flow import Flow, first_commands
from tests.engine.runtime.bench import running
from tests.engine.trading.engine_side import Engine
from tests.engine.trading.extremes import extreme_commands
from tests.engine.trading.state_reading import check_invariants
from tests.flows import commands_of
from tests.house_rules.kernels import made_by_modules, parts_of

types: Any = untyped_types
Records = Any
Look = Callable[[Records], None]
AT_ONCE = 16
RINGS = "a ring lies in a record for the loop, in arrays, some of them read-only, for its other end"
LAYOUTS = "records of every part of the state are fetched ahead"
TABLES = "rows of every table of payments are found, ordered and linked alike"
STAKES = "stakes of positions are one array, those of money one for each currency"
WINDOWS = "counts and sums have windows alike"
SEVERAL = {
    **dict.fromkeys(
        (
            *(
                "ringbuf.atomics.load_acquire",
                "ringbuf.atomics.load_relaxed",
                "ringbuf.atomics.store_release",
            ),
            *("ringbuf.atomics.store_relaxed", "ringbuf.atomics.copy_words"),
            *("ringbuf.copying.put_slots", "ringbuf.copying.take_slots"),
            *("ringbuf.spsc.publish", "ringbuf.spsc.room", "ringbuf.spsc.available", "ringbuf.spsc.release"),
            *("ringbuf.broadcast.announce", "ringbuf.broadcast.commit"),
            *("ringbuf.bells.call", "ringbuf.bells.ring", "ringbuf.bells.ring_all", "ringbuf.bells.wake_up"),
            *("ringbuf.bells.fall_asleep", "ringbuf.bells.stay_asleep", "ringbuf.atomics.exchange"),
            *("ringbuf.sleeping.futex_wait", "ringbuf.sleeping.futex_wake"),
        ),
        RINGS,
    ),
    "ringbuf.atomics.prefetch": LAYOUTS,
    "engine.rules.loaded.matches": "params are those of the set, or a merchant's, which lie in the state",
    **dict.fromkeys(
        (
            *(
                f"engine.payments.kernels.tables.{name}"
                for name in ("append", "claim", "find_pair", "link", "take_out", "touch", "unlink")
            ),
            "engine.payments.kernels.convert.fill_by_key",
            *(f"engine.payments.kernels.prepare.{name}" for name in ("_at", "_first", "_prepare_neighbours")),
        ),
        TABLES,
    ),
    **dict.fromkeys(
        (
            f"engine.payments.kernels.windows.{name}"
            for name in ("_move_on", "add_at", "begin_at", "total_at")
        ),
        WINDOWS,
    ),
    **dict.fromkeys(
        (f"engine.trading.kernels.equity.{name}" for name in ("_join", "_leave", "_value")), STAKES
    ),
    **dict.fromkeys(
        ("engine.trading.kernels.windows.advance", "engine.trading.kernels.rule_windows._renew"), WINDOWS
    ),
}
"""Kernels that are meant to be compiled for several types, and why."""
NOT_HERE = {"engine.runtime.crash_points.crash_here": "in a loop whose death is planned alone"}
"""Kernels that nothing here calls, and why."""


def through_the_loop(
    application: Application, folder: Path, commands: Records
) -> tuple[Records, Records, list[Any]]:
    """Send commands to a spare ring of an instance; return its journal, its state, and its kernels."""
    entries, sent = [], 0
    with running(folder, application) as bench, port.claim_spare(folder) as gate:
        while sent < len(commands):
            first = int(bench.call.loop["journaled"])
            sent += gate.submit(commands[sent : sent + AT_ONCE])
            while gate.depth() or bench.call.loop["applied"] < bench.call.loop["journaled"]:
                bench.run()
            seqs = np.arange(first, int(bench.call.loop["journaled"]))
            entries.append(bench.segments.journal.slots[seqs % len(bench.segments.journal.slots)].copy())
            while len(gate.drain()):
                pass
        assert gate.laps == 0
        return np.concatenate(entries), bench.state.copy(), parts_of(bench.call.run_kernel)


def through_the_replicas(application: Application, entries: Records) -> tuple[Records, list[Any]]:
    """Follow a journal as a replica, as history and as a migration do; return the state, and the kernel."""
    assert application.projection is not None
    assert application.convert is not None
    replica, projection = Replica(application), application.projection()
    projection.open(replica.state)
    for part in np.array_split(entries, 7):
        projection.batch(part, replica.apply(part), replica.state)
    other = private_state(application.state_dtype)
    application.convert(replica.state, other)
    assert application.digest(other) == application.digest(replica.state)
    return replica.state, [replica._kernel]


def replay(commands: Records) -> None:
    """Decide orders again as a replay does, also one that takes the time of each."""
    for is_timed in (False, True):
        engine = ReplayEngine(keeps_events=True, is_timed=is_timed, capacities=SMALL)
        for _ in engine.run(commands):
            pass
        engine.client_instrument(1, 1)
        engine.order_instrument(1)


def look_at_orders(state: Records) -> None:
    """Read everything that trading's view shows."""
    check_invariants(state)
    view = LiveView(state)
    view.warm_up()
    for instrument in view.catalogue.instruments:
        view.book(instrument.symbol, 5)
    for account in view.accounts_with_orders():
        view.account(account)
        found = view.orders(account)
        assert found is not None
        for order in found.orders:
            view.order(order.order_id)
            view.client_order(account, order.client_order_id)
    groups = GroupViews(view)
    groups.warm_up()
    for number in range(12):
        groups.group(number)


def look_at_payments(state: Records) -> None:
    """Read everything that the view of payments shows."""
    assert_whole(state[0])
    view = PaymentsView(state)
    view.warm_up()
    for number in range(1, int(state[0]["seq"])):
        view.payment(number)
    for number in range(5):
        view.account(number)
    view.disclosures()


def at_the_other_ends(application: Application) -> None:
    """Use what doors, the journaler and tools do with rings, and the loop does not."""
    records = np.zeros(3, [("words", "<i8", (8,))])
    ring = SpscRing.private(records.dtype, 8)
    assert try_claim(ring.control, 8) == 0
    assert ring.push(records) == 3
    assert await_beyond(ring.control, PUBLISHED, 2, BACKOFF, 0, 1) == 3
    assert (ring.pop(8) == records).all()
    feed = Broadcast.private(application.event_dtype, 8)
    feed.append(np.zeros(3, application.event_dtype), GATE_OPEN)
    words = np.zeros(2, np.int64)
    add(words, 0, 5)
    beat(words, 1)
    assert words[0] == 5
    bells = np.zeros(4 * LINE_WORDS, np.int64)
    assert sleep_until_beyond(ring.control, PUBLISHED, 3, bells, JOURNALER_BELL, 1, 1000) == 3
    fall_asleep(bells, READER_BELLS, ASLEEP)
    call_at_sync(bells)
    assert bells[READER_BELLS * LINE_WORDS] == CALLED


def work(application: Application, folder: Path, flows: Mapping[str, Records], look_at: Look) -> list[Any]:
    """Give every kernel of an application something to do; return the kernels that were bound."""
    bound: list[Any] = []
    at_the_other_ends(application)
    for name, commands in flows.items():
        (folder / name).mkdir()
        entries, live, parts = through_the_loop(application, folder / name, commands)
        assert len(entries) >= len(commands)
        followed, kernel = through_the_replicas(application, entries)
        assert application.digest(followed) == application.digest(live)
        look_at(live)
        bound = bound or [*parts, *kernel]  # the second time they come from the cache
    return bound


def work_of_trading(folder: Path) -> list[Any]:
    """Let kernels match orders."""
    engine = Engine()
    for each in commands_of(5, 700):
        engine.submit(each)
    flows = {"flow": engine.recorded(), "extremes": extreme_commands(1, 400)}
    for commands in flows.values():
        state = new_state(SMALL)
        run_all(state, commands)
        look_at_orders(state)
    replay(flows["flow"])
    return work(trading(SMALL), folder, flows, look_at_orders)


def tried(number: int) -> list[Records]:
    """Return what begins a trial, and what ends it or the one before."""
    steps = [(5, 0), (50, 10**9), (100, 0)]
    begun = trial(Act.SHADOW, 2) if number % 200 else trial(Act.START, 2, steps, min_seen=9)
    asked = [trial(act, 2, percent=30) for act in (Act.SET, Act.PAUSE, Act.RESUME, Act.ADVANCE)]
    ended = command(Op.ACTIVATE, payment=1) if number % 300 else trial(Act.ROLL_BACK, 2)
    return [ruleset(score_review=number), *asked[number % 3 :], ended, ruleset(card_1m=1), begun]


def shared(number: int, day: int) -> list[Records]:
    """Return what a fleet tells: another number of instances, whether its store is up, moves of shares."""
    policy = list(OnStoreDown)[number // 100 % 3]
    rows = [(merchant, EUR, number, 2 * number) for merchant in range(SHARE_ROWS_MAX)]
    moves = [shares(move, *rows, day=each) for move in ShareMove for each in (day, day - 1)]
    noted = [(12 * day + at % 3, number + at, at) for at in range(SIGHTING_ROWS_MAX)]
    seen = [sightings(each, *noted) for each in Sighted for _ in range(3)]
    joined = join(number // 300 % 4, policy, (policy,) * len(Sighted))
    return [joined, store(number % 200 != 0), *moves, *seen]


def work_of_payments(folder: Path) -> list[Any]:
    """Let kernels decide payments: with tables that fill, then with a history that knows them."""
    flows = {}
    for seed, has_history in ((1, False), (2, True)):
        flow = Flow(seed)
        commands = [settings(has_history=has_history), *first_commands()[1:], merchant_permits(2)]
        for number in range(1, 1500):
            commands.append(flow.next())
            if has_history and number % 50 == 0:
                commands += [command(Op.HISTORY, payment=number), restored(number)]
            if number % 100 == 0:
                commands += [*tried(number), *shared(number, flow.now // DAY_MS)]
        flows[f"seed-{seed}"] = np.array(commands, PAYMENT_COMMAND)
    engine = PaymentsEngine(SMALL_PAYMENTS, *first_commands())
    assert try_beside(engine.replica.state, np.array([ruleset(card_1m=1)], PAYMENT_COMMAND))
    return work(payments(SMALL_PAYMENTS), folder, flows, look_at_payments)


def types_of(kernel: Any) -> set[Any]:
    """Return the types that a kernel was compiled for; a literal is a number like any other."""
    return {tuple(types.unliteral(each) for each in signature) for signature in kernel.signatures}


def faults(kernels: Iterable[Any]) -> list[str]:
    """Return the kernels that were compiled for several types, or not at all, without a reason."""
    found = []
    for each in kernels:
        name = f"{each.py_func.__module__}.{each.py_func.__name__}"
        compiled = types_of(each)
        if len(compiled) == (0 if name in NOT_HERE else 1) or (compiled and name in SEVERAL):
            continue
        shown = "".join(f"\n    {str(each)[:600]}" for each in compiled)
        found.append(f"{name}: compiled for {len(compiled)} types{shown}")
    return found


ROOM_OF = {"trials": PAYMENTS, "rules": PAYMENTS}
"""Neutral rooms below engine/ that one application alone uses."""
WORKS: dict[str, Callable[[Path], list[Any]]] = {TRADING: work_of_trading, PAYMENTS: work_of_payments}


def is_of(kernel: Any, name: str) -> bool:
    """Tell whether a kernel is this application's, or one of both that has work in it.

    All that are of both have work in trading.
    """
    package, part, *_ = kernel.py_func.__module__.split(".")
    owner = ROOM_OF.get(part, part)
    if package == "perf":
        return False
    if package != "engine" or owner not in WORKS:
        return name == TRADING or bool(kernel.signatures)
    return owner == name


def main() -> int:
    """Work, then tell what is wrong with the kernels' types; return the exit code."""
    name = sys.argv[1]
    folder = os.environ.get("PINION_KERNEL_CACHE")
    if not folder or any(Path(folder).glob("*/*/*.nbc")):
        print("PINION_KERNEL_CACHE must name an empty folder (make bounds)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="pinion-kernels-") as data:
        bound = WORKS[name](Path(data))
    kernels = [*(each for each in made_by_modules() if is_of(each, name)), *bound]
    found = faults(kernels)
    print(f"{name}: {len(kernels)} kernels worked, {len(found)} faults")
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
