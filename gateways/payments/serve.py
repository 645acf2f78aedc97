"""The payments door's process: payments over HTTP on one ring.

    sockets -> keys, routes -> form -> desk -> dispatch -> command ring
    sockets <-               replies        <- dispatch <- event ring
            <- reads of the live state, or of history, for GET

Started by the supervisor with its settings, of which `application` names the instance, where time comes from,
and the file of the hash key. Nothing is decided here: the parts are joined; how they live and
end is that of every door that sends commands (gateways/commands/serving.py).
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import Port
from engine.payments.records import Clock
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.commands.serving import Chores, serve_until, told_to_stop
from gateways.payments.core_dumps import forbid_core_dumps
from gateways.payments.door.desk import PaymentDesk
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.keys import key_ring
from gateways.payments.door.past import GivenWay, HistoryMarks
from gateways.payments.door.reads import DurableReads
from gateways.payments.door.routes import PLAIN_PAYMENTS
from gateways.payments.door.sockets import PaymentSockets
from gateways.payments.form import PaymentForm
from gateways.payments.hashing import Hasher, load_key
from gateways.payments.replies import Replies
from gateways.process.guard import guard_of
from gateways.process.plain_connections import PlainServer
from gateways.process.start import keep_clients_out_of_the_log, raise_descriptor_limit


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM."""
    forbid_core_dumps()
    connections_max = raise_descriptor_limit(door.limits.connections)
    with Port.attach(door.data_dir, door.ring_name) as gate:
        uvloop.run(serve(door, gate, connections_max))


async def serve(door: DoorSettings, gate: Port, connections_max: int) -> None:
    """Join the parts and run them until a signal says stop."""
    keep_clients_out_of_the_log()
    stopping = told_to_stop()
    now = asyncio.get_running_loop().time
    hasher = Hasher(load_key(Path(door.application["hash_key_file"])))
    form = PaymentForm(hasher, Clock[door.application["clock"].upper()], _now_ms)
    view = LiveView(gate.state(), gate.state_turn)
    view.warm_up()
    dispatcher = PaymentDispatcher(gate, lambda: pump.wake())
    given_way = _given_way(gate, view, dispatcher, now)
    replies = Replies(door.application["instance"])
    desk = PaymentDesk(form, replies, dispatcher, view.payment, given_way)
    keys = key_ring(door.keys, [gate.next_session() for _ in door.keys])
    reads = DurableReads(view, gate.durable_seq, given_way.view)
    sockets = PaymentSockets(keys, desk, reads, hasher, door.limits, now)
    server = PlainServer(
        sockets.handle,
        PLAIN_PAYMENTS,
        sockets.plain,
        guard_of(door, repeats=False),
        door.limits,
        connections_max=connections_max,
    )
    pump = Pump(dispatcher, gate, lambda: None, Chores(gate, server, given_way.tell_mark).run)

    async def close() -> None:
        await sockets.close()
        await given_way.close()

    await serve_until(stopping, door, server, pump, close)


def _given_way(
    gate: Port, view: LiveView, dispatcher: PaymentDispatcher, now: Callable[[], float]
) -> GivenWay:
    """Return the payments that gave way, found again where the instance keeps a history."""
    of_history = (
        partial(gate.counters().__getitem__, counter_name(HISTORY, name)) for name in HistoryMarks._fields
    )
    state = StateCounts(gate.state())
    return GivenWay(
        gate.instance.history,
        state,
        HistoryMarks(*of_history),
        view.disclosures,
        dispatcher,
        gate.next_session(),
        now,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
