"""The payments door's process: payments over HTTP on one ring.

    sockets -> keys, routes -> form -> desk -> dispatch -> command ring
    sockets <-               replies        <- dispatch <- event ring
            <- reads of the live state, or of history, for GET
    dispatch -> forward <-> processor     where payments are forwarded

Started by the supervisor with its settings, of which `application` names the instance, where time comes from,
and the file of the hash key. Nothing is decided here: the parts are joined; how they live and
end is that of every door that sends commands (gateways/commands/serving.py).
"""

import asyncio

import uvloop

from engine.contract.instance import counter_name
from engine.contract.port import Port
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.commands.serving import Chores, serve_until, told_to_stop
from gateways.payments.core_dumps import forbid_core_dumps
from gateways.payments.door.keys import key_ring
from gateways.payments.door.limiters import limiters_of
from gateways.payments.door.parts import parts_of
from gateways.payments.door.reads import DurableReads
from gateways.payments.door.routes import PLAIN_PAYMENTS
from gateways.payments.door.sockets import PaymentSockets
from gateways.payments.forward.parts import forwarding_of
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
    parts = parts_of(door, gate, lambda: pump.wake(), now)
    given_way = parts.given_way
    keys = key_ring(door.keys, [gate.next_session() for _ in door.keys])
    reads = DurableReads(parts.view, gate.durable_seq, given_way.view)
    limiters = limiters_of(door, keys.owners)
    sockets = PaymentSockets(
        keys, limiters, parts.desk, reads, parts.hasher, parts.user_rules, door.limits, now
    )
    server = PlainServer(
        sockets.handle,
        PLAIN_PAYMENTS,
        sockets.plain,
        guard_of(door, repeats=False),
        door.limits,
        connections_max=connections_max,
    )

    def chores() -> None:
        given_way.tell_mark()
        parts.lateness.look()
        limiters.report(lambda what, count: gate.counters().add(counter_name(door.ring_name, what), count))

    pump = Pump(parts.dispatcher, gate, lambda: None, Chores(gate, server, chores).run)

    forwarding = forwarding_of(door, gate, parts, now)
    if forwarding is not None:
        forwarding.begin(stopping.set)  # a new door tries it again

    async def close() -> None:
        await sockets.close()
        if forwarding is not None:
            await forwarding.close()
        await given_way.close()

    await serve_until(stopping, door, server, pump, close)
