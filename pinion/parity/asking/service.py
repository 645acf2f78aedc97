"""A service that is asked over HTTP, one request at a time, in order, on one connection."""

import http.client
import json
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from engine.contract.errors import ToldError, UsageError
from gateways.payments.door.routes import PAYMENTS, PaymentAsk
from pinion.parity.pairs import Pair, is_read

ADMIN = f"{PAYMENTS}/admin"
TIMEOUT_S = 30.0
LINES_BYTES_MAX = 1 << 23
"""Set-up is sent in parts, each well below what a door takes."""
OK_STATUS = 200
NO_SUCH_ADDRESS = (404, 405)
SHOWN_BYTES = 200


class ServiceError(ToldError):
    """A service does not answer, or not as it should."""


class Service:
    """A service at a URL; key : its bearer key, None where it needs none."""

    def __init__(self, url: str, key: str | None = None) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname or address.path not in ("", "/"):
            raise UsageError(f"{url!r}: give http://HOST:PORT of a service for payments")
        self.url = url
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, pair: Pair, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of what is answered to the request of a pair."""
        sent = None if is_read(pair.route) else body
        status, reply = self._asked(pair.method, path, sent)
        if status in (401, 403):
            raise ServiceError(
                f"{self.url}: answers {status} to record {pair.n}; give --key FILE with a key of every role"
            )
        return status, reply

    def set_up(self, lines: bytes) -> None:
        """Carry out lines of set-up; a service without an address for them is set up by whoever starts it."""
        for part in _parts(lines):
            status, reply = self._asked("POST", ADMIN, part)
            if status in NO_SUCH_ADDRESS:
                return
            if status != OK_STATUS:
                said = reply[:SHOWN_BYTES].decode(errors="replace")
                raise ServiceError(f"{self.url}{ADMIN}: answers {status} to the set-up: {said}")

    def _asked(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            return self._once(method, path, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()  # a connection that was idle may be gone: the next one is new
            raise ServiceError(f"{self.url}: closed the connection in the midst of a request") from None
        except (OSError, http.client.HTTPException) as error:
            raise ServiceError(f"{self.url}: does not answer ({error}); is it running?") from error

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def stamped(body: bytes, at_ms: int) -> bytes:
    """Return a body with `received_at` where it is a JSON object without one; else as it is.

    The text stays as it is: a service may answer by a field that stands twice, or by how it is written.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(fields, dict) or "received_at" in fields:
        return body
    begin = body.rstrip()[:-1]
    return begin + (b"," if fields else b"") + b'"received_at":%d}' % at_ms


def is_stamped(pair: Pair) -> bool:
    """Tell whether the request of a pair may bring its moment."""
    return pair.route.ask != PaymentAsk.SET_UP and not is_read(pair.route)


def _parts(lines: bytes) -> list[bytes]:
    parts: list[bytes] = []
    for line in lines.splitlines(keepends=True):
        if not parts or len(parts[-1]) + len(line) > LINES_BYTES_MAX:
            parts.append(b"")
        parts[-1] += line
    return parts
