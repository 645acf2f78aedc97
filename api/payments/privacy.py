"""No problem document repeats what may be a card number: a client may have put one in an address."""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from gateways.process.problems import PROBLEM_JSON

NUMBER = re.compile(rb"\d(?:[ -]?\d){11,}")
NOT_SHOWN = b"(not shown)"


@web.middleware
async def privacy_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Leave out of problem documents every number of twelve digits and more."""
    answer = await handler(request)
    if isinstance(answer, web.Response) and answer.content_type == PROBLEM_JSON:
        body = answer.body
        if isinstance(body, bytes) and NUMBER.search(body):
            answer.body = NUMBER.sub(NOT_SHOWN, body)
    return answer
