"""A projected story behind the routes, as fixtures."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.payments.past import PaymentsPast
from api.payments.routes import PaymentQueries
from api.process.access import Access
from api.process.callers import caller_middleware
from api.process.live import DurableSource
from api.process.problem import problem_middleware
from engine.payments.records import Role
from engine.payments.view.live_view import LiveView
from engine.runtime.history.database import Database
from engine.settings.config import Key
from gateways.payments.replies import Replies
from tests.engine.payments.history.rows import project
from tests.engine.payments.history.story import Story
from tests.postgres import new_database, postgres

__all__ = ["postgres"]

TOKENS = {
    name: f"key-of-{name}-{'x' * 8}" for name in ("acquirer", "shop", "every", "risk", "viewer", "both")
}
KEYS = tuple(
    Key(token=TOKENS[name], name=name, accounts=None, roles=roles, scope=scope)
    for name, roles, scope in (
        ("acquirer", Role.ACQUIRER, ("m1", "off")),
        ("shop", Role.ACQUIRER, ("shop:2",)),
        ("every", Role.ACQUIRER, None),
        ("risk", Role.RISK, None),
        ("viewer", Role.VIEWER, None),
        ("both", Role.ACQUIRER | Role.VIEWER, ("m1",)),
    )
)


class Api:
    """The routes of a story, asked with one key or another."""

    def __init__(self, client: Any, story: Story) -> None:
        self.client = client
        self.story = story

    async def get(self, path: str, key: str = "viewer") -> tuple[int, Any]:
        """Return status and document."""
        headers = {"Authorization": f"Bearer {TOKENS[key]}"} if key else {}
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def all(self, query: str = "", key: str = "viewer", limit: int = 50) -> list[dict[str, Any]]:
        """Return the payments of all pages."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            status, page = await self.get(f"/v1/payments?limit={limit}{query}{cursor}", key)
            assert status == 200, page
            found += page["payments"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture(scope="session")
def story() -> Story:
    """A traffic that meets most codes."""
    return Story(seed=5, count=2500)


@pytest.fixture(scope="session")
def projected(postgres: Database, story: Story) -> str:
    """The story in a database."""

    async def filled() -> str:
        dsn = await new_database(postgres.dsn)
        await project(dsn, story.entries, ())
        return dsn

    return asyncio.run(filled())


@pytest.fixture
async def api(projected: str, story: Story) -> AsyncIterator[Api]:
    """The routes over the story's state and database."""
    async with served(story, PaymentsPast(projected, lambda: len(story.entries))) as client:
        yield Api(client, story)


def served(story: Story, past: PaymentsPast | None) -> Any:
    """Return a client of the routes, to be entered."""
    view = LiveView(story.state)
    source = DurableSource(view, lambda: len(story.entries), 1)
    status: Any = None  # no test asks for it
    application = web.Application(middlewares=[problem_middleware, caller_middleware(Access(KEYS))])
    application.add_routes(PaymentQueries(view, source, status, Replies("a"), past).routes())
    return TestClient(TestServer(application))
