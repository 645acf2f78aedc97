"""The process of the door for ISO 8583: messages on one ring.

    sockets -> messages, requests -> desk -> desk of payments -> command ring
    sockets <-           replies  <-         desk of payments <- event ring
                               forward <-> processor     where payments are forwarded

Started by the supervisor with its settings, of which `application` names the peers and the key of each beside
what every door of payments is told. Reversals that are owed are sent by the door over HTTP, whichever door
forwarded the payment (gateways/payments/serve.py). Nothing is decided here: the parts are joined; how they
live and end is that of every door that sends commands (gateways/commands/serving.py).
"""

import asyncio

import uvloop

from engine.contract.instance import counter_name
from engine.contract.port import Port
from engine.payments.view.remembered import RememberedRequest, RememberedRequests
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.commands.serving import Chores, serve_until, told_to_stop
from gateways.iso8583.desk import MessageDesk
from gateways.iso8583.sockets import MessageServer
from gateways.payments.core_dumps import forbid_core_dumps
from gateways.payments.door.dispatch import TIMEOUT_S
from gateways.payments.door.keys import key_ring
from gateways.payments.door.limiters import limiters_of
from gateways.payments.door.parts import parts_of
from gateways.payments.forward.parts import forwarding_of
from gateways.payments.hashing import hash_words
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
    requests = RememberedRequests(gate.state(), gate.state_turn)

    def remembered(merchant: str, request_id: str) -> RememberedRequest | None:
        return requests.request(*hash_words(parts.hasher.request(merchant, request_id)))

    owners = {
        owner.name: owner for owner in key_ring(door.keys, [gate.next_session() for _ in door.keys]).owners
    }
    limiters = limiters_of(door, owners.values())
    forwarding = forwarding_of(door, gate, parts, now)
    answer_s = TIMEOUT_S if forwarding is None else TIMEOUT_S + forwarding.deadline_s
    desk = MessageDesk(parts.desk, limiters, parts.view.payment, remembered, now, answer_s)
    server = MessageServer(
        desk,
        {address: owners[name] for address, name in door.application["peers"].items()},
        door.limits,
        idle_timeout_s=door.application["idle_timeout_s"],
        connections_max=connections_max,
        time=now,
    )

    def chores() -> None:
        parts.lateness.look()
        limiters.report(lambda what, count: gate.counters().add(counter_name(door.ring_name, what), count))

    pump = Pump(parts.dispatcher, gate, lambda: None, Chores(gate, server, chores).run)

    async def close() -> None:
        desk.is_stopping = True
        if forwarding is not None:
            await forwarding.close()
        await parts.given_way.close()

    await serve_until(stopping, door, server, pump, close)
