"""What tests of captures share: a pair, a folder of them, a capture that runs in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pinion.capture.records import FIRST, VERSION, About, Record
from pinion.capture.serve import CaptureAsked, Numbers, capture
from pinion.capture.writer import CaptureDisk, RecordWriter

ABOUT = About(version=VERSION, to="http://127.0.0.1:9", began_ms=5, fingerprint="ab")
PAIR = Record(
    n=1, at_ms=7, method="POST", path="/v1/payments", request='{"a":1}', status=200, reply='{"b":2}',
    headers={"content-type": "application/json"}, duration_us=11, prev=FIRST,
)  # fmt: skip


def pair(number: int, **fields: Any) -> Record:
    """Return a pair that is told from others by its request."""
    return msgspec.structs.replace(PAIR, **{"request": f"request {number}", **fields})


def written(folder: Path, count: int, *, is_ended: bool = True, file_bytes: int = 1 << 26) -> Path:
    """Write a capture of so many pairs; return its folder."""
    folder.mkdir(mode=0o700)
    writer = RecordWriter(folder, ABOUT, file_bytes=file_bytes)
    for number in range(count):
        writer.append([pair(number)])
    if is_ended:
        writer.close(9)
    return folder


@dataclass
class Captured:
    """A capture that runs."""

    port: int
    folder: Path
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Numbers | None = None
    """What it came to, once it has ended."""


@asynccontextmanager
async def capturing(
    folder: Path, to_port: int, *, limit: int | None = None, disk: CaptureDisk | None = None
) -> AsyncIterator[Captured]:
    """Run a capture; it is told to end behind the block, and awaited."""
    asked = CaptureAsked(
        listen=("127.0.0.1", 0), to=("127.0.0.1", to_port), url=f"http://127.0.0.1:{to_port}",
        folder=folder, key_file=None, limit=limit,
    )  # fmt: skip
    captured = Captured(0, folder)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(capture(asked, captured.stopping, port.set_result, lambda _: None, disk))
    await asyncio.wait((running, port), return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        captured.port = port.result()
        try:
            yield captured
        finally:
            captured.stopping.set()
            captured.numbers = await running
    else:
        await running
