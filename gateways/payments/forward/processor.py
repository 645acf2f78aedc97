"""The processor as the door sees it: payments and reversals go out over HTTP, outcomes come back.

Nothing is sent twice here, no redirection is followed, and what goes wrong is logged by its kind alone: a
message holds a card number.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

import aiohttp

from engine.payments.forwarding import Processed
from gateways.payments.forward.breaker import Breaker
from gateways.payments.forward.messages import PAYMENTS, REVERSALS, outcome_in, reversal_message

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 256
KEEP_ALIVE_S = 5.0
"""A connection that has rested longer is not used again: the processor may be closing it."""
ANSWER_BYTES_MAX = 2**16
OUTCOMES = {"approved": Processed.APPROVED, "declined": Processed.DECLINED}
REVERSED = "reversed"
PATIENT_MAX = 16
"""Requests at a time that can wait, reversals."""
COMPLAIN_S = 10.0
"""Between two lines in the log about a processor that does not answer."""


class Processor:
    """A processor behind a URL; now : the event loop's time. To be made, and closed, in the event loop."""

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        self._url = url.rstrip("/")
        self._now = now
        self._breaker = Breaker(now)
        self._complain_at = 0.0
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json"},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    @property
    def room(self) -> int:
        """How many requests that can wait may be sent at a time."""
        return 0 if self._breaker.is_pausing else 1 if self._breaker.is_open else PATIENT_MAX

    async def pay(self, payment: str, message: bytes, limit_s: float) -> Processed:
        """Return what the processor makes of a payment within a time."""
        if not self._breaker.lets_through():
            return Processed.NOT_SENT
        try:
            outcome = await self._asked(PAYMENTS, payment, message, limit_s)
        except aiohttp.ClientConnectorError as error:
            self._failed(error)
            return Processed.NOT_SENT
        return OUTCOMES.get(outcome, Processed.UNKNOWN)

    async def reverse(self, payment: str, limit_s: float) -> bool:
        """Ask for the reversal of a payment; tell whether the processor confirms it."""
        if not self._breaker.lets_through():
            return False
        try:
            return await self._asked(REVERSALS, payment, reversal_message(payment), limit_s) == REVERSED
        except aiohttp.ClientConnectorError as error:
            self._failed(error)
            return False

    async def _asked(self, address: str, payment: str, message: bytes, limit_s: float) -> str:
        """Return the outcome that is answered, "" for none; raise ClientConnectorError: nothing was sent."""
        try:
            async with self._session.post(
                f"{self._url}/{address}",
                data=message,
                timeout=aiohttp.ClientTimeout(total=limit_s),
                allow_redirects=False,
            ) as response:
                content = await _whole(response.content)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._failed(error)
            return ""
        outcome = outcome_in(content, payment) if response.status == HTTPStatus.OK else ""
        if outcome:
            self._breaker.succeeded()
        else:
            self._failed(f"status {response.status} and no outcome")
        return outcome

    def _failed(self, cause: str | BaseException) -> None:
        self._breaker.failed()
        if self._now() >= self._complain_at:
            self._complain_at = self._now() + COMPLAIN_S
            said = cause if isinstance(cause, str) else type(cause).__name__
            log.warning("the processor does not answer as it should: %s", said)


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """Return all that is answered; what is too long is as good as nothing."""
    found = bytearray()
    while chunk := await content.readany():
        found += chunk
        if len(found) > ANSWER_BYTES_MAX:
            raise ValueError("an answer is too long")
    return bytes(found)


async def gathered(tasks: "set[asyncio.Task[None]]") -> None:
    """Wait until tasks that were cancelled have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
