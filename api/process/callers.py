"""Who asks: the key of a request, found before its handler runs."""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from api.process.access import Access
from engine.settings.config import Key
from gateways.process.connections import show_key
from gateways.process.keys import AUTHORIZATION

CALLER: web.RequestKey[Key | None] = web.RequestKey("caller", Key)


def caller_middleware(access: Access, named_later: Collection[str] = ()) -> Middleware:
    """Return the middleware that finds out who asks; named_later : paths at which the key comes later."""

    @web.middleware
    async def caller(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1/") and request.path not in named_later:
            key = request[CALLER] = access.caller(request.headers.get(AUTHORIZATION))
            if key is not None:
                show_key(request)
        return await handler(request)

    return caller
