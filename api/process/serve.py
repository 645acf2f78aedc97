"""An api process from its start to its end: attached to the instance, it serves until told to stop.

engine.contract.port.EventReader ---> pump task ---> what the application keeps of events
state, read-only mapping --> queries -----------> HTTP answers
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Protocol, cast

import uvloop
from aiohttp import web

from engine.contract.port import EventReader
from engine.settings.config import DoorSettings
from gateways.process.connections import ConnectionServer
from gateways.process.guard import guard_of
from gateways.process.start import (
    keep_clients_out_of_the_log,
    not_bound,
    raise_descriptor_limit,
    report_ready,
)

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024
"""No route reads a body."""
BACKLOG = 1024
STOP_WAIT_S = 2.0
SWEEP_S = 1.0


class EngineFollower(Protocol):
    """What follows the engine beside the queries."""

    async def run(self) -> None:
        """Follow the engine until cancelled."""


Build = Callable[[DoorSettings, EventReader], tuple[web.Application, EngineFollower]]
"""Wire the application and the pump that feeds it."""


def serve(door: DoorSettings, build: Build) -> None:
    """Serve until SIGTERM; raise DoorError when the port cannot be had."""
    connections_max = raise_descriptor_limit(door.limits.connections)
    with EventReader.attach(door.data_dir, door.name) as reader:
        uvloop.run(_serve(door, reader, build, connections_max))


class Runner(web.AppRunner):
    """Runs the application on connections with limits."""

    def __init__(self, application: web.Application, door: DoorSettings, connections_max: int) -> None:
        super().__init__(application, shutdown_timeout=STOP_WAIT_S)
        self._door = door
        self._connections_max = connections_max

    async def _make_server(self) -> ConnectionServer:
        plain = await super()._make_server()
        return ConnectionServer(
            plain.request_handler,
            guard_of(self._door),
            self._door.limits,
            connections_max=self._connections_max,
            request_factory=plain.request_factory,
        )

    async def shutdown(self) -> None:
        """Say goodbye to everybody who reads."""
        cast(ConnectionServer, self.server).cut_off_unread()
        await super().shutdown()

    async def sweep(self) -> None:
        """End hanging connections once a second, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            cast(ConnectionServer, self.server).sweep(loop.time())
            await asyncio.sleep(SWEEP_S)


async def _serve(door: DoorSettings, reader: EventReader, build: Build, connections_max: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keep_clients_out_of_the_log()
    application, pump = build(door, reader)
    runner = Runner(application, door, connections_max)
    await runner.setup()
    try:
        site = web.TCPSite(runner, door.host, door.port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise not_bound(door, error) from error
        bound_port = runner.addresses[0][1]
        following = asyncio.create_task(pump.run(), name="pump")
        sweeping = asyncio.create_task(runner.sweep(), name="sweep")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        report_ready(door, bound_port)
        log.info("api on http://%s:%d", door.host, bound_port)
        ends = (following, sweeping, stopping)
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for ended in done - {stopping}:
            ended.result()  # neither ends by itself: this raises what ended it
        following.cancel()
        sweeping.cancel()
        await asyncio.gather(following, sweeping, return_exceptions=True)
    finally:
        await runner.cleanup()
