"""The plain service over HTTP: the paths and bodies of payments, one process, no TLS."""

import json
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.payments.legacy import lifecycle
from tests.payments.legacy.codes import CODES, Reply
from tests.payments.legacy.form import parsed
from tests.payments.legacy.service import Legacy
from tests.payments.legacy.set_up import wrong_in_line

BODY_BYTES_MAX = 64 << 10
ADMIN_BYTES_MAX = 16 << 20
SERVICE = web.AppKey("service", Legacy)


def application(service: Legacy, key: str | None = None) -> web.Application:
    """Return the service as a web application; with a key only who bears it is answered."""

    @web.middleware
    async def bearer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if key is not None and request.headers.get("Authorization") != f"Bearer {key}":
            return problem(401, "Unauthorized")
        return await handler(request)

    app = web.Application(middlewares=[bearer], client_max_size=ADMIN_BYTES_MAX)
    app[SERVICE] = service
    app.add_routes([
        web.post("/v1/payments", _pay),
        web.post("/v1/payments/void", _reverse),
        web.post("/v1/payments/admin", _set_up),
        web.get("/v1/payments/accounts/{number}", _account),
        web.get("/v1/payments/{payment}", _payment),
        web.post("/v1/payments/{payment}/{kind:capture|void|refund|review}", _operate),
    ])  # fmt: skip
    return app


def problem(status: int, title: str) -> web.Response:
    """Return a problem document, for what has no code."""
    return web.json_response(
        {"type": "about:blank", "title": title, "status": status},
        status=status,
        content_type="application/problem+json",
    )


def answered(reply: Reply) -> web.Response:
    """Return a reply with its status."""
    return web.json_response(reply, status=CODES[reply["code"]].status)


async def _body(request: web.Request) -> bytes | None:
    """Return the body of a request, None where it is too large."""
    body = await request.read()
    return body if len(body) <= BODY_BYTES_MAX else None


async def _pay(request: web.Request) -> web.Response:
    body = await _body(request)
    if body is None:
        return problem(413, "Content Too Large")
    return answered(request.app[SERVICE].pay(body))


async def _reverse(request: web.Request) -> web.Response:
    body = await _body(request)
    if body is None:
        return problem(413, "Content Too Large")
    return answered(request.app[SERVICE].operate("void", None, body))


async def _operate(request: web.Request) -> web.Response:
    body = await _body(request)
    if body is None:
        return problem(413, "Content Too Large")
    where = request.match_info
    return answered(request.app[SERVICE].operate(where["kind"], where["payment"], body))


async def _payment(request: web.Request) -> web.Response:
    payment = request.match_info["payment"]
    return answered(request.app[SERVICE].payment(payment) or lifecycle.not_found(payment, None, None))


async def _account(request: web.Request) -> web.Response:
    number = request.match_info["number"]
    known = request.app[SERVICE].account(int(number)) if number.isascii() and number.isdigit() else None
    return web.json_response(known) if known else problem(404, "Not Found")


async def _set_up(request: web.Request) -> web.Response:
    """Carry out lines of set-up where all of them are in good form; else say what is wrong in the first."""
    try:
        replies = carry_out(request.app[SERVICE], await request.read())
    except LineError as error:
        return answered({"op": None, "code": error.code, "iso": CODES[error.code].iso, **error.where})
    text = "".join(json.dumps(each) + "\n" for each in replies)
    return web.Response(text=text, content_type="application/x-ndjson")


class LineError(Exception):
    """A line of set-up is in bad form."""

    def __init__(self, number: int, code: str, field: str) -> None:
        super().__init__(f"line {number}: {code} of {field}")
        self.code = code
        self.where = {"line": number, "field": field}


def carry_out(service: Legacy, text: bytes) -> list[Reply]:
    """Carry out lines of set-up, none where one of them is in bad form."""
    lines = [parsed(line)[0] for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        wrong = wrong_in_line(line)
        if wrong:
            raise LineError(number, *wrong)
    return [service.set_up(line) for line in lines]


def load(service: Legacy, path: Path) -> None:
    """Carry out a file of set-up."""
    carry_out(service, path.read_bytes())
