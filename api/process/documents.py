"""Documents: what is answered, as JSON."""

from typing import Any

import msgspec
from aiohttp import web

Document = dict[str, Any]


def answer(document: object) -> web.Response:
    """Return a document as a response."""
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")
