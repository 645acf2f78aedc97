"""Payments' pages that need no key: those of every api, and the live page, which asks for one itself."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

from api.process.metrics import Metrics
from api.process.pages import OpenPages
from api.process.parameters import allow_only
from api.process.status import StatusReport

PAGE = "page.html"
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


def policy_of(page: str) -> str:
    """Return the Content-Security-Policy of a page: its own style and script, by hash, and nothing else."""
    sources = {
        kind: f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for kind, text in _INLINE.findall(page)
    }
    return (
        f"default-src 'none'; style-src {sources['style']}; script-src {sources['script']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class PaymentPages(OpenPages):
    """Handlers of the open pages."""

    def __init__(self, status: StatusReport, metrics: Metrics, openapi: Callable[[], bytes]) -> None:
        super().__init__(status, metrics, openapi)
        self._page = (files("api.payments") / PAGE).read_text()
        self._headers = {
            "Content-Security-Policy": policy_of(self._page),
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [web.get("/payments", self.page), *super().routes()]

    async def page(self, request: web.Request) -> web.Response:
        """Return the live page: nothing is loaded from elsewhere."""
        allow_only(request, ())
        return web.Response(text=self._page, content_type="text/html", headers=self._headers)
