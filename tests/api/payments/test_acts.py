"""Acts on a canary, handed on to the door: whose key, what it answers, and what is told where it does not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from api.payments.acts import PATH, CanaryActs
from api.process.access import Access
from api.process.callers import caller_middleware
from api.process.problem import problem_middleware
from tests.api.payments.conftest import KEYS, TOKENS

ACT = {"ruleset": 2, "why": "too many reviews"}
ASKED = {"Authorization": f"Bearer {TOKENS['risk']}"}


class Door:
    """A door that keeps what it is asked, and answers as it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, Any]] = []
        self.status, self.breaks_off = 200, False
        application = web.Application()
        application.router.add_post("/{rest:.*}", self._answer)
        self.server = TestServer(application)

    async def _answer(self, request: web.Request) -> web.Response:
        headers = request.headers
        self.asked.append((request.path, headers["Authorization"], headers["Host"], await request.json()))
        if self.breaks_off:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(
            {"state": "paused"},
            status=self.status,
            content_type="application/problem+json" if self.status != 200 else "application/json",
            headers={"Retry-After": "1", "Server": "a door"},
        )


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    async with made.server:
        yield made


def api_before(url: str, host: str = "") -> TestClient[web.Request, web.Application]:
    application = web.Application(middlewares=[problem_middleware, caller_middleware(Access(KEYS))])
    application.add_routes(CanaryActs(lambda: url, host).routes())
    return TestClient(TestServer(application))


async def asked(url: str, act: str = "pause", host: str = "", **more: Any) -> tuple[int, Any, Any]:
    """Return status, document and headers of an act."""
    async with (
        api_before(url, host) as api,
        api.post(f"{PATH}/{act}", json=ACT, headers=ASKED, **more) as answer,
    ):
        return answer.status, await answer.json(content_type=None), answer.headers


async def test_an_act_reaches_the_door_with_the_key_of_whoever_asks(door: Door) -> None:
    url = str(door.server.make_url("")).rstrip("/")

    status, document, headers = await asked(url)

    assert (status, document) == (200, {"state": "paused"})
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    host = url.removeprefix("http://")
    assert door.asked == [(f"{PATH}/pause", ASKED["Authorization"], host, ACT)]
    assert headers["Server"] != "a door"


async def test_a_door_that_answers_for_a_name_alone_is_asked_by_it(door: Door) -> None:
    await asked(str(door.server.make_url("")).rstrip("/"), host="pay.example.com")

    assert door.asked[0][2] == "pay.example.com"


async def test_what_the_door_refuses_is_told_as_it_says(door: Door) -> None:
    door.status = 409

    status, _, headers = await asked(str(door.server.make_url("")).rstrip("/"), "rollback")

    assert (status, headers["Retry-After"]) == (409, "1")
    assert headers["Content-Type"] == "application/problem+json; charset=utf-8"


@pytest.mark.parametrize("url", ["", f"http://127.0.0.1:{unused_port()}"], ids=["none", "down"])
async def test_where_there_is_no_door_nothing_was_done(url: str) -> None:
    status, document, _ = await asked(url)

    assert (status, document["reason"]) == (503, "door_down")
    assert "nothing was done" in document["detail"]


async def test_a_door_that_breaks_off_leaves_the_outcome_unknown(door: Door) -> None:
    door.breaks_off = True

    status, document, _ = await asked(str(door.server.make_url("")).rstrip("/"))

    assert (status, document["reason"]) == (504, "outcome_unknown")
    assert len(door.asked) == 1, "it is not asked twice"


async def test_other_acts_and_unknown_keys_reach_no_door(door: Door) -> None:
    async with api_before(str(door.server.make_url("")).rstrip("/")) as api:
        async with api.post(f"{PATH}/start", json=ACT, headers=ASKED) as answer:
            assert answer.status == 404
        async with api.post(f"{PATH}/pause", json=ACT) as answer:
            assert answer.status == 401
        async with api.post(f"{PATH}/pause?x=1", json=ACT, headers=ASKED) as answer:
            assert answer.status == 400

    assert not door.asked
