"""A capture's life: the address is taken, pairs are kept until a signal or the limit, the end is orderly."""

import asyncio
import gc
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from engine.contract.errors import UsageError, reason_of
from engine.contract.stop_signals import stop_signals
from pinion.capture.folder import KEY_FILE, load_key, prepare
from pinion.capture.keeper import Keeper
from pinion.capture.pairs import MS_NS, Pairs
from pinion.capture.proxy import Proxy
from pinion.capture.records import VERSION, About, CaptureError
from pinion.capture.scrub import Scrub
from pinion.capture.surrogates import Surrogates
from pinion.capture.writer import CaptureDisk, RecordWriter

PROGRESS_S = 1.0
STOP_WITHIN_S = 10.0
BACKLOG = 1024
SWITCH_S = 0.0001
"""How long the thread that writes may keep the one that serves from running, at most."""
GC_THRESHOLDS = (10_000, 50, 10_000)
"""Young objects are collected now and then; a collection of all of them is a stall of milliseconds."""


class CaptureAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a capture is asked to do."""

    listen: tuple[str, int]
    to: tuple[str, int]
    url: str
    """The old service, as capture.json names it."""
    folder: Path
    key_file: Path | None
    limit: int | None


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What a capture has come to so far."""

    records: int
    dropped: int
    unanswered: int
    """Requests that the old service did not answer; they are records too."""
    refused: int
    """Requests in a form that cannot be passed on; they are in no record."""


def run(asked: CaptureAsked, ready: Callable[[int], None], progress: Callable[[Numbers], None]) -> Numbers:
    """Be the life of a process that captures until a signal, or as many pairs as asked for."""
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)

    async def captured() -> Numbers:
        return await capture(asked, told_to_stop(), ready, progress)

    return uvloop.run(captured())


async def capture(
    asked: CaptureAsked,
    stopping: asyncio.Event,
    ready: Callable[[int], None],
    progress: Callable[[Numbers], None],
    disk: CaptureDisk | None = None,
) -> Numbers:
    """Capture until told to stop, or as many pairs as asked for; return what it came to.

    ready : called with the port once clients are served
    progress : called once a second, and at the end
    """
    with _bound(*asked.listen) as listening:
        prepare(asked.folder)
        surrogates = Surrogates(load_key(asked.key_file or asked.folder / KEY_FILE))
        writer = _writer(asked, surrogates, disk)
        keeper = Keeper(writer, asked.limit)
        pairs = Pairs(Scrub(surrogates), keeper)
        proxy = Proxy(asked.to, pairs.begun, pairs.ended, asyncio.get_running_loop().time)

        def numbers() -> Numbers:
            return Numbers(
                records=writer.records,
                dropped=keeper.dropped,
                unanswered=pairs.unanswered_count,
                refused=proxy.refused_count,
            )

        server = await asyncio.get_running_loop().create_server(proxy.client, sock=listening, backlog=BACKLOG)
        writing = asyncio.create_task(asyncio.to_thread(keeper.run))
        stopped = asyncio.create_task(stopping.wait())
        ready(listening.getsockname()[1])
        while not (writing.done() or stopped.done()):
            await asyncio.wait((writing, stopped), timeout=PROGRESS_S, return_when=asyncio.FIRST_COMPLETED)
            proxy.expire()
            progress(numbers())
        stopped.cancel()
        server.close()
        await proxy.stop(STOP_WITHIN_S)
        await pairs.settle()
        keeper.end()
        await writing
    _close(writer, asked.folder)
    progress(numbers())
    return numbers()


def _writer(asked: CaptureAsked, surrogates: Surrogates, disk: CaptureDisk | None) -> RecordWriter:
    about = About(
        version=VERSION,
        to=asked.url,
        began_ms=time.time_ns() // MS_NS,
        fingerprint=surrogates.fingerprint,
    )
    try:
        return RecordWriter(asked.folder, about, disk)
    except OSError as error:
        raise CaptureError(
            f"{asked.folder}: no capture can begin there ({reason_of(error)}); make room, or name another one"
        ) from error


def _close(writer: RecordWriter, folder: Path) -> None:
    try:
        writer.close(time.time_ns() // MS_NS)
    except OSError as error:
        raise CaptureError(
            f"{folder}: the end of the capture cannot be written ({reason_of(error)}); {writer.records} "
            f"pairs stand there and can be read, {writer.dropped} were dropped"
        ) from error


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket on the address, before anything is written."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"--listen {host}:{port}: {reason_of(error)}; give an address of this machine and a free port, "
            f"such as 127.0.0.1:0"
        ) from error


def told_to_stop() -> asyncio.Event:
    """Return an event that the first signal to stop sets."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, told.set)
    return told
