"""What the page's buttons ask for: acts on a canary, handed on to the door of payments.

    page ---- POST /v1/payments/canary/pause ----> api ---- the same, with the reader's key ----> door

So the page speaks to the origin that it came from, and the door need not answer pages of any other. Nothing
is judged here: the door knows the key and its role, and its answer goes back as it came.
"""

from collections.abc import Callable
from http import HTTPStatus

import aiohttp
from aiohttp import hdrs, web

from api.process.access import require_key
from api.process.callers import CALLER
from api.process.parameters import allow_only
from api.process.problem import ApiProblem, unavailable

PATH = "/v1/payments/canary"
ACTS = ("advance", "pause", "resume", "rollback")
PATIENCE = aiohttp.ClientTimeout(total=12.0, sock_connect=2.0)
"""Longer than the door itself waits for an answer of the engine."""
KEPT = (hdrs.CONTENT_TYPE, hdrs.RETRY_AFTER)
"""Headers of the door's answer that go back."""


class CanaryActs:
    """Hands acts on.

    door_url : returns the address of the door, "" where the instance has none
    door_host : the name that the door answers for; "": its address
    """

    def __init__(self, door_url: Callable[[], str], door_host: str) -> None:
        self._door_url = door_url
        self._headers = {hdrs.HOST: door_host} if door_host else {}

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [web.post(f"{PATH}/{act}", self.act) for act in ACTS]

    async def act(self, request: web.Request) -> web.Response:
        """Hand an act on; return the door's answer."""
        require_key(request[CALLER])
        allow_only(request, ())
        headers = {
            **self._headers,
            hdrs.AUTHORIZATION: request.headers[hdrs.AUTHORIZATION],
            hdrs.CONTENT_TYPE: "application/json",
        }
        url, body = self._door_url(), await request.read()
        if not url:
            raise _not_reached("this instance has no door for payments")
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE) as session,
                session.post(f"{url}{request.path}", data=body, headers=headers) as told,
            ):
                kept = {name: told.headers[name] for name in KEPT if name in told.headers}
                return web.Response(body=await told.read(), status=told.status, headers=kept)
        except aiohttp.ClientConnectorError as error:
            raise _not_reached("the door for payments does not answer") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            detail = "the door for payments broke off before it answered, so it may take effect; look first"
            raise ApiProblem(HTTPStatus.GATEWAY_TIMEOUT, "outcome_unknown", detail) from error


def _not_reached(cause: str) -> ApiProblem:
    return unavailable("door_down", f"{cause}: nothing was done; ask again later")
