"""A real order door takes what is written or refuses it by name, on the plain way and on aiohttp's alike."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest

from perf.live import Live, live
from tests.engine.text.test_numbers import NO_DECIMALS, NO_WHOLES

ORDER = {"account": 1, "symbol": "AAPL", "side": "buy", "price": "10.05", "quantity": "100"}
ORDERS, BATCH, ADMIN, SESSION = "/v1/orders", "/v1/orders/batch", "/v1/admin", "/v1/session"
ROUTES = {
    ("POST", ORDERS): (),
    ("DELETE", ORDERS): ("account", "symbol", "side"),
    ("DELETE", ORDERS + "/1"): ("account",),
    ("PATCH", ORDERS + "/1"): ("account",),
    ("POST", BATCH): (),
    ("POST", ADMIN): (),
    ("GET", SESSION): (),
}
"""The parameters of every route."""
GOOD = {"account": "1", "symbol": "AAPL", "side": "buy"}
WAYS = {"plain": {}, "aiohttp": {"TE": "trailers"}}
"""Headers that let a request be taken whole, or make it aiohttp's (plain.py)."""


@pytest.fixture(scope="module")
def pinion() -> Iterator[Live]:
    with live() as instance:
        yield instance


class Door:
    """Requests with the demo key, each on a connection of its own."""

    def __init__(self, instance: Live, way: str) -> None:
        self._port = instance.order_port
        self._headers = {"Authorization": f"Bearer {instance.key}", **WAYS[way]}

    def call(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        with closing(connection):
            connection.request(method, target, raw, self._headers)
            answer = connection.getresponse()
            return answer.status, msgspec.json.decode(answer.read())

    def refused(self, method: str, target: str, body: Any = None) -> Any:
        status, problem = self.call(method, target, body)
        assert status in (400, 422), (method, target, body, problem)
        return problem


@pytest.fixture(params=WAYS)
def door(pinion: Live, request: pytest.FixtureRequest) -> Door:
    return Door(pinion, request.param)


@pytest.fixture
def resting(door: Door) -> Iterator[int]:
    """An order that every refused request must leave alone."""
    _, entered = door.call("POST", ORDERS, ORDER)
    yield entered["order_id"]
    status, cancelled = door.call("DELETE", f"{ORDERS}/{entered['order_id']}")
    assert (status, cancelled["leaves_quantity"]) == (200, "0")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_empty_repeated_or_unknown_parameter_is_refused(
    door: Door, resting: int, method: str, path: str
) -> None:
    body = b'{"price":"1"}' if method in ("POST", "PATCH") else None
    known = ROUTES[method, path]

    problem = door.refused(method, f"{path}?nonsense=1", body)
    assert problem["field"] == "nonsense"
    assert f"known here: {', '.join(known) or 'none'}" in problem["detail"]
    for query in ("=1", "account=1&", "&", "account=%zz&%=1"):
        assert door.refused(method, f"{path}?{query}", body)["field"] in ("query", "account")
    for name in GOOD:
        escaped = f"%{ord(name[0]):02x}{name[1:]}"
        once = f"{name}={GOOD[name]}"
        for query in (
            f"{name}=",
            name,
            f"{escaped}=",
            f"{once}&{once}",
            f"{once}&{escaped}=x",
            f"{once}&{name}=",
        ):
            problem = door.refused(method, f"{path}?{query}", body)
            assert problem["field"] == name
            assert "give it" in problem["detail"]


@pytest.mark.parametrize(
    "query",
    [
        *("account=1&symbol=", "account=1&symbol", "account=1&symbo%6c=", "account=1&side=", "account="),
        *("account=1;symbol=AAPL", "account=1&symbol=%00", "account=1&symbol=+", "account=1&symbol=aapl"),
        *("account=1&symbol=AAPL&symbol=BTC-USD", "account=1&symbol=null", "account=1&side=BUY"),
        *("account=1&Symbol=AAPL", "symbol=AAPL&account=1;side=buy", "account=1&symbol=AAPL;side=sell"),
    ],
)
def test_filter_that_is_none_cancels_nothing(door: Door, resting: int, query: str) -> None:
    door.refused("DELETE", f"{ORDERS}?{query}")


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"symbol": ""},
            {"symbol": []},
            {"symbol": "aapl"},
            {"symbol": {}},
            {"symbol": False},
            {"symbol": "\0"},
        ),
        *({"side": ""}, {"side": "BUY"}, {"side": 1}, {"side": True}, {"sides": "buy"}, {"": ""}),
        *(
            {"account": ""},
            {"account": "1"},
            {"account": 1.0},
            {"account": True},
            {"account": [1]},
            {"account": -0.0},
        ),
    ],
)
def test_mass_cancel_with_a_field_that_says_nothing_cancels_nothing(
    door: Door, resting: int, fields: dict[str, Any]
) -> None:
    problem = door.refused("POST", ADMIN, {"op": "mass_cancel", "account": 1, **fields})

    assert problem["field"] == next(iter(fields))


@pytest.mark.parametrize("name", ["price", "quantity"])
def test_other_spellings_of_a_decimal_are_refused(door: Door, name: str) -> None:
    spellings: tuple[object, ...] = (*NO_DECIMALS, 10.0, 1e1, True, [], {})
    for spelling in spellings:
        problem = door.refused("POST", ORDERS, {**ORDER, name: spelling})
        assert problem["field"] == name


@pytest.mark.parametrize("place", [ORDERS + "/{}", ORDERS + "/1?account={}", ORDERS + "?account={}"])
def test_other_spellings_of_a_whole_number_in_an_address_are_refused(
    door: Door, resting: int, place: str
) -> None:
    for spelling in NO_WHOLES:
        if spelling or "?" in place:
            escaped = "".join(f"%{byte:02X}" for byte in spelling.encode())
            assert door.refused("DELETE", place.format(escaped))["field"] in ("order_id", "account")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (
            ORDERS,
            b'{"account":1,"symbol":"AAPL","side":"buy","si\\u0064e":"sell","price":"1","quantity":"1"}',
            "side",
        ),
        (ORDERS, b'{"account":1,"client_order_id":"a:b","account":2}', "account"),
        (ADMIN, b'{"op":"account","account":1,"deposit":{"USD":"1","USD":"2"}}', "USD"),
        (ADMIN, b'{"op":"mass_cancel","account":1,"op":"session_end"}', "op"),
        (BATCH, b'{"orders":[],"orders":[]}', "orders"),
        *((path, b"", "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b"[" * 100_000, "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b'{"a":' * 100_000, "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b"\xef\xbb\xbf{}", "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b"{}\0", "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b"\xff\xfe{\0}\0", "body") for path in (ORDERS, BATCH, ADMIN)),
        *((path, b"null", "body") for path in (ORDERS, BATCH, ADMIN)),
        (ORDERS, b'{"account":1,"symbol":"\\ud800"}', "body"),
        (ORDERS, b"[]", "body"),
        (BATCH, b"[]", "orders"),
        (BATCH, b'{"orders":{}}', "orders"),
    ],
)
def test_body_that_says_two_things_or_nothing_is_refused(
    door: Door, path: str, body: bytes, field: str
) -> None:
    problem = door.refused("POST", path, body)

    assert (problem["status"], problem["reason"], problem["field"]) == (400, "malformed", field)


@pytest.mark.parametrize("body", [b'{"symbol":"AAPL"}', b"{}", b"[]", b"x"])
def test_body_where_none_is_read_is_refused(door: Door, resting: int, body: bytes) -> None:
    for target in (f"{ORDERS}/{resting}", f"{ORDERS}?account=1"):
        assert door.refused("DELETE", target, body)["field"] == "body"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("post_only", ("true", 1, 0, "", [], "false")),
        ("reduce_only", ("true", 1, 0, "")),
        ("type", ("", "LIMIT", 1, ["limit"], True)),
        ("time_in_force", ("", "GTC", 1, [])),
        ("self_trade_prevention", ("", True, "NONE")),
        ("side", ("", None, "BUY", 1, ["buy"])),
        ("symbol", ("", None, 1, ["AAPL"], {"AAPL": 1})),
        ("account", ("", "1", 1.0, True, [1])),
        ("quantity", ("", None, [])),
        ("client_order_id", ("", 1.5, True, [], {})),
        ("expires_at", ("", "1", True, 1_767_225_600, 1_767_225_600_000, 10**17)),
        ("op", ("", None, [], "cancel")),
    ],
)
def test_value_of_another_type_or_none_is_refused_by_name(
    door: Door, name: str, values: tuple[Any, ...]
) -> None:
    for value in values:
        assert door.refused("POST", ORDERS, {**ORDER, name: value})["field"] == name
