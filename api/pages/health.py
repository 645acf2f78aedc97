"""Pages that need no key: health, readiness, metrics, the OpenAPI document and the dashboard."""

from importlib.resources import files

import msgspec
from aiohttp import web

from api.pages import openapi
from api.pages.metrics import CONTENT_TYPE, Metrics
from api.parameters import allow_only
from api.problem import unavailable
from api.status import StatusReport

DASHBOARD_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Pages:
    """Handlers of the open pages."""

    def __init__(self, status: StatusReport, metrics: Metrics) -> None:
        self._status = status
        self._metrics = metrics
        self._openapi = openapi.document()
        self._dashboard = (files("api.pages") / "dashboard.html").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [
            web.get("/", self.dashboard),
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
            web.get("/openapi.json", self.openapi),
        ]

    async def dashboard(self, request: web.Request) -> web.Response:
        """Return the dashboard: one page, nothing loaded from elsewhere."""
        allow_only(request, ())
        return web.Response(
            body=self._dashboard,
            content_type="text/html",
            charset="utf-8",
            headers={
                "Content-Security-Policy": DASHBOARD_POLICY,
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            },
        )

    async def health(self, request: web.Request) -> web.Response:
        """Say that this process answers."""
        allow_only(request, ())
        return _json({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Say whether an order would be answered now; where not, what is to blame."""
        allow_only(request, ())
        troubles = self._status.troubles()
        blocking = [each.detail for each in troubles if each.blocks]
        if blocking:
            detail = "; ".join(blocking)
            raise unavailable("not_ready", detail, more={"troubles": troubles})
        return _json({"status": "ready", "troubles": troubles})

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the scrape page."""
        allow_only(request, ())
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        allow_only(request, ())
        return web.Response(body=self._openapi, content_type="application/json")


def _json(document: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")
