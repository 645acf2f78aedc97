"""What every door's process does at its start: descriptors, address, collector, quiet about clients."""

import asyncio
import errno
import gc
import logging
import os
import resource
import socket
from typing import Any

from engine.contract.instance import write_ready
from engine.settings.config import DoorSettings
from engine.settings.door_settings import DoorError

DESCRIPTORS_KEPT = 128
"""File descriptors that are not for connections."""
GC_THRESHOLDS = (10_000, 20, 20)
"""A request lets go of all it made without a collector, so that looking often finds nothing."""

log = logging.getLogger("pinion.doors")


def raise_descriptor_limit(connections: int) -> int:
    """Raise RLIMIT_NOFILE as far as we may and need; return how many of the connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + DESCRIPTORS_KEPT
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return connections if soft == resource.RLIM_INFINITY else min(connections, soft - DESCRIPTORS_KEPT)


def not_bound(door: DoorSettings, error: OSError) -> DoorError:
    """Return the error of a door that did not get its address."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return DoorError(
            f"{door.section}.host = {door.host!r}: no address of this machine; give one, or 127.0.0.1"
        )
    cause = os.strerror(error.errno or 0).lower()
    return DoorError(
        f"{door.setting} = {door.port}: {cause} on {door.host}; give another port "
        f"({door.option} N), or 0 for any free one"
    )


def report_ready(door: DoorSettings, port: int) -> None:
    """Tell the supervisor that this door serves, and on which port it really listens."""
    write_ready(door.data_dir, door.name, port)


def collect_seldom() -> None:
    """Let the collector of cycles pass over what the start made, and look at the rest now and then only."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def keep_clients_out_of_the_log() -> None:
    """Log at debug what a client can cause: faults of its socket, and what aiohttp has to say of it."""
    asyncio.get_running_loop().set_exception_handler(_on_loop_fault)
    logging.getLogger("aiohttp").setLevel(logging.ERROR)


def _on_loop_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    fault = context.get("exception")
    if isinstance(fault, OSError) and "transport" in context:
        log.debug("a socket failed: %s", fault)
    else:
        loop.default_exception_handler(context)
