"""Pages that need no key: health, readiness, metrics, the OpenAPI document and the dashboard."""

from http import HTTPStatus
from importlib.resources import files

import msgspec
from aiohttp import web

from api import openapi
from api.metrics import CONTENT_TYPE, Metrics
from api.status import StatusReport

WORKER = "worker"
SILENT_NS_MAX = 3_000_000_000
"""The worker beats many times a second; longer silence means it does not run."""
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
        self._dashboard = (files("api") / "dashboard.html").read_bytes()

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
        return _json({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Say whether the engine behind this process is alive."""
        silent_ns = self._status.silence_ns(WORKER)
        if silent_ns is None or silent_ns > SILENT_NS_MAX:
            silent_s = None if silent_ns is None else round(silent_ns / 1e9, 3)
            return _json({"status": "engine silent", "silent_s": silent_s}, HTTPStatus.SERVICE_UNAVAILABLE)
        return _json({"status": "ready"})

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the scrape page."""
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        return web.Response(body=self._openapi, content_type="application/json")


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json", status=status)
