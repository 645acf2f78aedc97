"""The life of a door that sends commands: it listens, pumps, and ends in order on SIGTERM.

No new connections, then sessions closed, waiting requests answered, connections shut down. A fault of the
pump ends the process.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.contract.port import Port
from engine.settings.config import DoorSettings
from gateways.commands.pump import Pump
from gateways.process.start import collect_seldom, not_bound, report_ready

BACKLOG = 4096
SWEEP_S = 1.0
GRACE_S = 2.0
log = logging.getLogger("pinion.doors")


class DoorServer(Protocol):
    """What a door serves its connections with: it makes the protocol of each, and watches them."""

    @property
    def connections_max(self) -> int: ...
    def __call__(self) -> asyncio.Protocol: ...
    def cut_off_unread(self) -> None: ...
    def sweep(self, now: float) -> None: ...
    def shutdown(self, wait_s: float | None = None, /) -> Awaitable[None]: ...


def told_to_stop() -> asyncio.Event:
    """Return the event that SIGTERM sets; from now on it does nothing else."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    return stopping


async def serve_until(
    stopping: asyncio.Event,
    door: DoorSettings,
    server: DoorServer,
    pump: Pump,
    close: Callable[[], Awaitable[None]],
) -> None:
    """Serve until the event is set; close : takes no more requests and ends what is open."""
    listener = await _listen(door, server)
    pumping = asyncio.create_task(pump.run())
    stop_wanted = asyncio.create_task(stopping.wait())
    collect_seldom()
    report_ready(door, listener.sockets[0].getsockname()[1])
    log.info("serving at most %d connections", server.connections_max)
    try:
        await asyncio.wait((pumping, stop_wanted), return_when=asyncio.FIRST_COMPLETED)
        listener.close()
        server.cut_off_unread()
        await close()
        pump.stop(GRACE_S)
    finally:
        stop_wanted.cancel()
        await pumping  # a fault of the pump ends the process here
        await server.shutdown(GRACE_S)


async def _listen(door: DoorSettings, server: DoorServer) -> asyncio.Server:
    """Open the port; a taken one is an error that names the setting."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(server, door.host, door.port, backlog=BACKLOG)
    except OSError as error:
        raise not_bound(door, error) from error


class Chores:
    """What a pump does between its turns: heartbeat, and now and then a sweep.

    more : what else the door has to do about as often as it beats
    """

    def __init__(self, gate: Port, server: DoorServer, more: Callable[[], None] = lambda: None) -> None:
        self._gate = gate
        self._server = server
        self._more = more
        self._sweep_at = 0.0

    def run(self, now: float) -> None:
        """Beat; end hanging connections once a second."""
        self._gate.beat()
        self._more()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            self._server.sweep(now)
