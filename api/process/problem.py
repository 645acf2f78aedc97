"""Refusals as problem documents (RFC 9457): what was wrong, with which value, and the mend.

An ApiProblem is the caller's fault or a passing condition of ours that the caller should know
of (state not durable yet, too many streams). A bug of ours is never an ApiProblem: it is left
to the server, which logs it and answers 500.
"""

from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.contract.port import RETRY_AFTER_S
from gateways.process.answers import options
from gateways.process.connections import as_response
from gateways.process.problems import PROBLEM_JSON, problem

_LATER = {"Retry-After": str(RETRY_AFTER_S)}


class ApiProblem(Exception):  # noqa: N818  RFC 9457 calls it so
    """A refusal that a handler raises and `problem_middleware` answers."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        detail: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.field = field
        self.headers = headers or {}
        self.more = more or {}

    def body(self) -> bytes:
        """Return the problem document as JSON."""
        document = problem(self.status, self.status.phrase, self.reason, self.detail, self.field)
        return document.body(**self.more)


def bad_request(field: str, value: object, detail: str) -> ApiProblem:
    """Return the refusal of one request field."""
    shown = str(value)[:64]
    return ApiProblem(HTTPStatus.BAD_REQUEST, "invalid_field", f"{field} {shown!r}: {detail}", field=field)


def not_found(reason: str, detail: str, field: str | None = None) -> ApiProblem:
    """Return the refusal of a name that does not exist."""
    return ApiProblem(HTTPStatus.NOT_FOUND, reason, detail, field=field)


def unavailable(reason: str, detail: str, more: dict[str, object] | None = None) -> ApiProblem:
    """Return the answer of a read that cannot be given at this moment."""
    return ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, reason, detail, headers=_LATER, more=more)


def response(refusal: ApiProblem) -> web.Response:
    """Return the refusal as a response."""
    return web.Response(
        body=refusal.body(), status=refusal.status, content_type=PROBLEM_JSON, headers=refusal.headers
    )


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer problems, and the server's own refusals, as problem documents."""
    try:
        return await handler(request)
    except ApiProblem as refusal:
        return response(refusal)
    except web.HTTPException as fault:
        if fault.status < HTTPStatus.BAD_REQUEST:
            raise
        allow = fault.headers.get("Allow", "")
        if request.method == "OPTIONS" and allow:
            return as_response(options(allow))
        status = HTTPStatus(fault.status)
        detail = f"{request.method} {request.path[:128]}: {fault.reason}"
        kept = {"Allow": allow} if allow else {}
        return response(ApiProblem(status, status.name.lower(), detail, headers=kept))
