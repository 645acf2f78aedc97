"""No problem document repeats what may be a card number: a client may have put one in an address."""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from api.payments.routes import MS_MAX
from api.process.parameters import INT64_MAX
from gateways.process.problems import PROBLEM_JSON

OWN_NUMBERS = (str(INT64_MAX).encode(), str(MS_MAX).encode())
"""The bounds that problem documents name; as card numbers both have a wrong check digit."""
NUMBER = re.compile(rb"\d(?:[ -]?\d){11,}")
NOT_SHOWN = b"(not shown)"


@web.middleware
async def privacy_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Leave out of problem documents every number of twelve digits and more."""
    answer = await handler(request)
    if isinstance(answer, web.Response) and answer.content_type == PROBLEM_JSON:
        body = answer.body
        if isinstance(body, bytes) and NUMBER.search(body):
            answer.body = NUMBER.sub(_shown, body)
    return answer


def _shown(number: re.Match[bytes]) -> bytes:
    return number[0] if number[0] in OWN_NUMBERS else NOT_SHOWN
