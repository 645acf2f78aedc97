"""Pages that need no key: health, readiness, metrics and the OpenAPI document."""

from collections.abc import Callable

from aiohttp import web

from api.process.documents import answer
from api.process.metrics import CONTENT_TYPE, Metrics
from api.process.parameters import allow_only
from api.process.problem import unavailable
from api.process.status import StatusReport


class OpenPages:
    """Handlers of the open pages; openapi : makes the document."""

    def __init__(self, status: StatusReport, metrics: Metrics, openapi: Callable[[], bytes]) -> None:
        self._status = status
        self._metrics = metrics
        self._openapi = openapi

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
            web.get("/openapi.json", self.openapi),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Say that this process answers."""
        allow_only(request, ())
        return answer({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """Say whether a command would be answered now; where not, what is to blame."""
        allow_only(request, ())
        troubles = self._status.troubles()
        blocking = [each.detail for each in troubles if each.blocks]
        if blocking:
            detail = "; ".join(blocking)
            raise unavailable("not_ready", detail, more={"troubles": troubles})
        return answer({"status": "ready", "troubles": troubles})

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the scrape page."""
        allow_only(request, ())
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        allow_only(request, ())
        return web.Response(body=self._openapi(), content_type="application/json")
