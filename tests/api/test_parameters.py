"""Every parameter of every route is read as it is written, or refused by name."""

import json
from typing import Any

import pytest
from yarl import URL

from api.pages import openapi
from api.pages.health import Pages
from api.queries.routes import Queries
from api.queries.rules import RuleLists
from tests.api.conftest import EVERY, Instance
from tests.engine.text.test_numbers import NO_WHOLES

PLACES = {"{symbol}": "BTC-USD", "{order_id}": "1", "{account}": "1", "{group}": "1"}
KNOWN = {
    path: tuple(each["name"] for each in methods["get"].get("parameters", ()) if each.get("in") == "query")
    for path, methods in json.loads(openapi.document())["paths"].items()
} | {"/openapi.json": ()}
"""The parameters of every route, as the OpenAPI document lists them."""
SHARES = ("risk_ppm", "target_ppm", "volatility_ppm", "win_ppm", "payoff_ppm", "cap_ppm")
BY_THE_GUARD = {"400", "401", "405", "415", "417", "421", "501", "503"}
GOOD = {
    "account": "1",
    "symbol": "BTC-USD",
    "side": "buy",
    "status": "open",
    "depth": "1",
    "limit": "1",
    "cursor": "1",
    "from": "1700000000000000000",
    "to": "1700000000000000000",
    "price": "100",
    "method": "kelly",
    "stop": "99",
    "amount": "100",
    **dict.fromkeys(SHARES, "100000"),
}
NUMBERS = ("account", "depth", "limit", "cursor", "from", "to", *SHARES)


def address(path: str) -> str:
    """Return the path with something in its places."""
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path


async def refused(instance: Instance, path_and_query: str) -> dict[str, Any]:
    """Return the problem document of a request that must be refused as malformed."""
    url = URL(instance.api + path_and_query, encoded=True)
    async with instance.client.get(url, headers=EVERY) as answer:
        body = await answer.read()
    assert answer.status == 400, (path_and_query, body)
    document: dict[str, Any] = json.loads(body)
    return document


def test_every_route_is_in_the_table() -> None:
    unwired = (Queries.__new__(Queries), RuleLists.__new__(RuleLists), Pages.__new__(Pages))
    routes = {route.path for handlers in unwired for route in handlers.routes()}

    assert {path.replace(":[^/]+", "") for path in routes} | {"/v1/stream"} == set(KNOWN)


def test_openapi_lists_what_the_guard_and_the_stream_refuse() -> None:
    paths = json.loads(openapi.document())["paths"]
    refusals = {path: set(methods["get"]["responses"]) for path, methods in paths.items()}

    assert {"101", "403", "426"} | BY_THE_GUARD == refusals["/v1/stream"]
    for path in paths:
        assert not path.startswith("/v1/") or refusals[path] >= BY_THE_GUARD


@pytest.mark.parametrize("path", KNOWN)
async def test_unknown_parameter_is_refused_on_every_route(instance: Instance, path: str) -> None:
    for query in ("nonsense=1", "Limit=1", "limit%20=1", "%00=1"):
        document = await refused(instance, f"{address(path)}?{query}")
        listed = document["detail"].partition("known here: ")[2].split(", ")
        assert set(listed) == set(KNOWN[path] or ("none",))
    assert (await refused(instance, f"{address(path)}?nonsense=1"))["field"] == "nonsense"


@pytest.mark.parametrize(("path", "name"), [(path, name) for path in KNOWN for name in KNOWN[path]])
async def test_empty_and_repeated_parameters_are_refused(instance: Instance, path: str, name: str) -> None:
    once = f"{name}={GOOD[name]}"
    for query in (f"{name}=", name, f"{once}&{name}=", f"%{ord(name[0]):02x}{name[1:]}="):
        document = await refused(instance, f"{address(path)}?{query}")
        assert document["field"] == name
    for query in (f"{once}&{once}", f"{once}&%{ord(name[0]):02x}{name[1:]}={GOOD[name]}"):
        document = await refused(instance, f"{address(path)}?{query}")
        assert (document["field"], "give it once" in document["detail"]) == (name, True)
    for query in (f"{once}&", f"&{once}", f"{once}&=1", f"{once}&&"):
        document = await refused(instance, f"{address(path)}?{query}")
        assert document["field"] == "query"


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path in KNOWN for name in KNOWN[path] if name in NUMBERS]
)
async def test_other_spellings_of_a_number_are_refused(instance: Instance, path: str, name: str) -> None:
    for spelling in NO_WHOLES:
        escaped = "".join(f"%{byte:02X}" for byte in spelling.encode())
        document = await refused(instance, f"{address(path)}?{name}={escaped}")
        assert document["field"] == name


@pytest.mark.parametrize("place", ["/v1/orders/", "/v1/accounts/"])
async def test_other_spellings_of_a_number_in_an_address_are_refused(instance: Instance, place: str) -> None:
    for spelling in ("+1", "-1", "1_0", "%201", "1%20", "1e0", "%D9%A1", "%EF%BC%91", "0x1", "1.0", "9" * 41):
        assert (await refused(instance, place + spelling))["field"] in ("order_id", "account")


@pytest.mark.parametrize("query", ["account=1;symbol=BTC-USD", "account=1%26side=buy", "account=1#side"])
async def test_separators_that_are_none_do_not_part_parameters(instance: Instance, query: str) -> None:
    url = URL(f"{instance.api}/v1/orders?{query}", encoded=True)
    async with instance.client.get(url, headers=EVERY) as answer:
        document = json.loads(await answer.read())

    assert ("orders" in document) == ("#" in query)  # a client does not send what stands behind #
    assert answer.status == (200 if "#" in query else 400)
