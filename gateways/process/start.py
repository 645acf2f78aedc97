"""What the process of every door does at its start: descriptors for connections, quiet about clients."""

import asyncio
import logging
import resource
from typing import Any

DESCRIPTORS_KEPT = 128
"""File descriptors that are not for connections."""
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
