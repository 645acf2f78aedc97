"""The HTTP door's process: orders over REST and WebSocket (interface R5) on one ring.

    sockets -> keys -> routes -> desk (codec) -> dispatch -> command ring
    sockets <- problems, session <-  outcome  <- dispatch <- event ring

Started by the supervisor with its settings. Nothing is decided here: the parts are
joined, the port is reported, and a signal to stop ends them in order: no new
connections, sessions closed and declared down, waiting requests answered, ring given back.
"""

import asyncio
import logging
import signal

import uvloop

from engine.contract.port import Port
from engine.settings.config import DoorSettings
from gateways.entry.desk import Desk
from gateways.entry.dispatch import Dispatcher
from gateways.http.connections import OrderServer
from gateways.http.keys import key_ring
from gateways.http.sockets import Sockets
from gateways.process.guard import guard_of
from gateways.process.pump import Pump
from gateways.process.start import (
    keep_clients_out_of_the_log,
    not_bound,
    raise_descriptor_limit,
    report_ready,
)

BACKLOG = 4096
SWEEP_S = 1.0
GRACE_S = 2.0
log = logging.getLogger("pinion.http")


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM."""
    connections_max = raise_descriptor_limit(door.limits.connections)
    with Port.attach(door.data_dir, door.ring_name) as gate:
        uvloop.run(serve(door, gate, connections_max))


async def serve(door: DoorSettings, gate: Port, connections_max: int) -> None:
    """Join the parts and run them until a signal says stop."""
    loop = asyncio.get_running_loop()
    keep_clients_out_of_the_log()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    keys = key_ring(door.keys, [gate.next_session() for _ in door.keys])
    desk = Desk(
        gate.state(),
        lambda reports, settled: Dispatcher(gate, reports, lambda: pump.wake(), settled),
        gate.state_turn,
        keys.owners,
    )
    sockets = Sockets(keys, desk, gate.next_session, door.limits)
    server = OrderServer(
        sockets.handle, sockets.plain, guard_of(door), door.limits, connections_max=connections_max
    )
    chores = Chores(gate, server, desk)
    pump = Pump(desk.dispatcher, gate, sockets.deliver, chores.run)
    listener = await listen(door, server)
    pumping = asyncio.create_task(pump.run())
    stop_wanted = asyncio.create_task(stopping.wait())
    report_ready(door, listener.sockets[0].getsockname()[1])
    log.info("serving at most %d connections", connections_max)
    try:
        await asyncio.wait((pumping, stop_wanted), return_when=asyncio.FIRST_COMPLETED)
        listener.close()
        server.cut_off_unread()
        await sockets.close()
        pump.stop(GRACE_S)
    finally:
        stop_wanted.cancel()
        await pumping  # a fault of the pump ends the process here
        await server.shutdown(GRACE_S)


async def listen(door: DoorSettings, server: OrderServer) -> asyncio.Server:
    """Open the port; a taken one is an error that names the setting."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(server, door.host, door.port, backlog=BACKLOG)
    except OSError as error:
        raise not_bound(door, error) from error


class Chores:
    """What the pump does between its turns: heartbeat, and now and then a sweep."""

    def __init__(self, gate: Port, server: OrderServer, desk: Desk) -> None:
        self._desk = desk
        self._gate = gate
        self._server = server
        self._sweep_at = 0.0

    def run(self, now: float) -> None:
        """Beat; tell of ended sessions that were not told yet; end hanging connections once a second."""
        self._gate.beat()
        self._desk.retry_session_downs()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            self._server.sweep(now)
