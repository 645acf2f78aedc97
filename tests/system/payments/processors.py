"""The sample processor in a thread of its own, for tests that look into its book and stop it."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from pinion.cli.payments.sample.book import APPROVED, SampleEntry
from pinion.cli.payments.sample.server import Fault, SampleProcessor

WAIT_S = 20.0


class RunningProcessor:
    """A sample processor that listens while this is entered."""

    def __init__(
        self, shares: Mapping[Fault, int] | None = None, delay_s: float = 3.0, seed: int = 0
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="processor")
        self._thread.start()
        self._processor: SampleProcessor = self._do(self._made(shares or {}, delay_s, seed))
        self._port = 0

    async def _made(self, shares: Mapping[Fault, int], delay_s: float, seed: int) -> SampleProcessor:
        return SampleProcessor(shares, delay_s, seed)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Listen, where it did before if it has listened already."""
        self._do(self._processor.start(self._port))
        self._port = self._processor.port

    def stop(self) -> None:
        """Listen no more; the book stays."""
        self._do(self._processor.stop())

    @property
    def url(self) -> str:
        """Where it listens, or did."""
        return f"http://127.0.0.1:{self._port}"

    def fail(self, **shares: int) -> None:
        """Let so many of a hundred requests meet with each fault, by its name; without any all goes well."""
        self._do(self._set({Fault(name): share for name, share in shares.items()}))

    async def _set(self, shares: Mapping[Fault, int]) -> None:
        self._processor.shares = dict(shares)

    @property
    def entries(self) -> dict[str, SampleEntry]:
        """What it knows of payments, as it is now."""
        return self._do(self._copy())

    async def _copy(self) -> dict[str, SampleEntry]:
        return dict(self._processor.book.entries)

    @property
    def approved(self) -> set[str]:
        """The payments that it approved, and that were not reversed."""
        return {name for name, entry in self.entries.items() if entry.outcome == APPROVED}

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(WAIT_S)
