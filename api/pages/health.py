"""Trading's pages that need no key: those of every api, and the dashboard."""

from importlib.resources import files

from aiohttp import web

from api.pages import openapi
from api.process.metrics import Metrics
from api.process.pages import OpenPages
from api.process.parameters import allow_only
from api.process.status import StatusReport

DASHBOARD_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Pages(OpenPages):
    """Handlers of the open pages."""

    def __init__(self, status: StatusReport, metrics: Metrics) -> None:
        document = openapi.document()
        super().__init__(status, metrics, lambda: document)
        self._dashboard = (files("api.pages") / "dashboard.html").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [web.get("/", self.dashboard), *super().routes()]

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
