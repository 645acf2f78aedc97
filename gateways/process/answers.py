"""A finished HTTP answer as bytes, also of what both doors refuse.

An answer to HEAD, and one of 204 or 304, has no body behind its head: a client takes what
stands there for the beginning of the next answer.
"""

from http import HTTPStatus

from aiohttp import web

from engine.contract.port import RETRY_AFTER_S
from gateways.process.keys import CHALLENGE
from gateways.process.problems import PHRASES, PROBLEM_JSON, SHARED_TITLES, problem

JSON = "application/json"
WRITE_BUFFER_MAX = 2**20
"""A client that does not read its answers is closed beyond this many bytes."""
BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_EXTRA_HEADERS = {
    HTTPStatus.UNAUTHORIZED: f"WWW-Authenticate: {CHALLENGE}\r\n",
    HTTPStatus.TOO_MANY_REQUESTS: f"Retry-After: {RETRY_AFTER_S}\r\n",
    HTTPStatus.SERVICE_UNAVAILABLE: f"Retry-After: {RETRY_AFTER_S}\r\n",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Accept-Encoding: identity\r\n",
    HTTPStatus.UPGRADE_REQUIRED: "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
}


def _head(status: HTTPStatus, content: str) -> bytes:
    phrase = PHRASES.get(status, status.phrase)
    content_type = "" if status in BODILESS else f"Content-Type: {content}\r\n"
    return f"HTTP/1.1 {status} {phrase}\r\n{content_type}{_EXTRA_HEADERS.get(status, '')}".encode()


_DOCUMENT_HEADS = {int(status): _head(status, JSON) for status in HTTPStatus if status >= HTTPStatus.OK}
_HEADS = {
    int(status): _head(status, JSON if status == HTTPStatus.OK else PROBLEM_JSON)
    for status in HTTPStatus
    if status >= HTTPStatus.OK
}


class Reply:
    """One finished HTTP response, written in one go.

    Stands where aiohttp expects a StreamResponse and offers what its protocol asks of one;
    aiohttp's own builds headers, a date and a writer per response, a third of a bare request.

    allow : the methods of a 405, or of an answer to OPTIONS, as the Allow header lists them
    is_document : the body is a document of the door's own, whatever the status; else it is a problem
        where the status is not 200
    """

    __slots__ = ("_heads", "allow", "body", "keep_alive", "status")

    def __init__(
        self, status: int, body: bytes, keep_alive: bool = True, allow: str = "", *, is_document: bool = False
    ) -> None:
        self._heads = _DOCUMENT_HEADS if is_document else _HEADS
        self.status = status
        self.body = body
        self.keep_alive = keep_alive
        self.allow = allow

    def data(self, has_body: bool = True) -> bytes:
        """Return head and body as sent; has_body False: the head alone, as HEAD asks for it."""
        head, body = self._heads[self.status], self.body
        if self.allow:
            head += f"Allow: {self.allow}\r\n".encode()
        if not self.keep_alive:
            head += b"Connection: close\r\n"
        if self.status in BODILESS:
            return head + b"\r\n"
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body if has_body else b"")

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write the response; close a client that does not read."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        is_readable = request.content.exception() is None  # behind a body that is not, nothing is
        self.keep_alive = self.keep_alive and request.keep_alive and is_readable
        transport.write(self.data(request.method != "HEAD"))
        if transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            self.keep_alive = False
            transport.abort()

    async def write_eof(self) -> None:
        """Nothing is left to write."""


def refusal(
    status: HTTPStatus, reason: str, detail: str, field: str | None = None, keep_alive: bool = True
) -> Reply:
    """Return the problem document of something that neither door takes."""
    title = SHARED_TITLES.get(status) or PHRASES.get(status, status.phrase)
    return Reply(status, problem(status, title, reason, detail, field).body(), keep_alive)


def options(allow: str) -> Reply:
    """Return the answer to OPTIONS: which methods an address takes."""
    return Reply(HTTPStatus.NO_CONTENT, b"", allow=allow)
