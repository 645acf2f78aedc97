"""The body of a request that aiohttp reads: whole, within a size and a time, or a fault that says why not."""

import asyncio
from http import HTTPStatus

from aiohttp import web

TOO_LARGE, REQUEST_TIMEOUT, MALFORMED = "too_large", "request_timeout", "malformed"


class BodyFault(ValueError):  # noqa: N818 - the client's, not ours
    """A body that is not taken: a reason in the words of problem documents, and its status."""

    def __init__(self, status: HTTPStatus, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason


async def whole_body(request: web.BaseRequest, timeout_s: float, bytes_max: int) -> bytes:
    """Return the whole body; raise BodyFault where it is too large or does not come in time."""
    content = request.content
    if content.is_eof():
        body = content.read_nowait()
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        return body
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts: list[bytes] = []
    byte_count = 0
    try:
        async with asyncio.timeout(timeout_s):
            while part := await content.readany():
                parts.append(part)
                byte_count += len(part)
                if byte_count > bytes_max:
                    raise _too_large(bytes_max)
    except TimeoutError:
        detail = f"the body was not complete within {timeout_s:g} s"
        raise BodyFault(HTTPStatus.REQUEST_TIMEOUT, REQUEST_TIMEOUT, detail) from None
    except web.RequestPayloadError as fault:
        raise BodyFault(HTTPStatus.BAD_REQUEST, MALFORMED, f"the body cannot be read: {fault}") from None
    return b"".join(parts)


def _too_large(bytes_max: int) -> BodyFault:
    detail = f"a body has at most {bytes_max} bytes"
    return BodyFault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, detail)
