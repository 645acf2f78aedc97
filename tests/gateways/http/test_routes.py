"""Method, path, query and body: what is asked for."""

from typing import Any

import pytest

from gateways.entry.refusals import Refused
from gateways.http.problems import problem_of
from gateways.http.routes import BATCH_MAX, Shape, ask


def test_new_order_takes_the_idempotency_key_as_client_order_id() -> None:
    asked = ask("POST", "/v1/orders", {}, b'{"account":1}', "abc")

    assert asked.commands == [{"op": "new", "account": 1, "client_order_id": "abc"}]


def test_idempotency_key_that_contradicts_the_body_is_malformed() -> None:
    with pytest.raises(Refused):
        ask("POST", "/v1/orders", {}, b'{"client_order_id":"x"}', "abc")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/orders/batch", b'[{"account":1}]'),
        ("POST", "/v1/admin", b'{"op":"session_end"}'),
        ("DELETE", "/v1/orders", b""),
        ("DELETE", "/v1/orders/7", b""),
        ("PATCH", "/v1/orders/7", b'{"price":"1"}'),
    ],
)
def test_idempotency_key_is_refused_where_none_is_taken(method: Any, path: Any, body: Any) -> None:
    assert ask(method, path, {}, body, None).commands

    with pytest.raises(Refused, match="only POST /v1/orders takes one") as refused:
        ask(method, path, {}, body, "abc")

    problem = problem_of(refused.value.refusal)
    assert (problem.status, problem.field) == (400, "Idempotency-Key")


def test_order_is_named_by_number_or_by_client_id() -> None:
    assert ask("DELETE", "/v1/orders/12", {}, b"", None).commands == [{"op": "cancel", "order_id": 12}]
    asked = ask("DELETE", "/v1/orders/client:abc", {"account": "3"}, b"", None)
    assert asked.commands == [{"op": "cancel", "client_order_id": "abc", "account": 3}]
    asked = ask("PATCH", "/v1/orders/client:7", {"account": "3"}, b'{"price":"1"}', None)
    assert asked.commands == [{"op": "replace", "client_order_id": 7, "account": 3, "price": "1"}]


def test_address_is_decoded_once_behind_its_slashes() -> None:
    for segment, found in (("client:a%2Fb", "a/b"), ("client:a%252Fb", "a%2Fb"), ("client%3A%2207%22", "07")):
        asked = ask("DELETE", f"/v1/orders/{segment}", {"account": "3"}, b"", None)
        assert asked.commands == [{"op": "cancel", "client_order_id": found, "account": 3}]


def test_uuid_of_address_body_and_key_is_one_id_in_either_case() -> None:
    upper = "ABCDEF00-0000-4000-8000-0000000000A1"
    named = b'{"price":"1","client_order_id":"%b"}' % upper.encode()

    asked = ask("PATCH", f"/v1/orders/client:{upper.lower()}", {}, named, None)
    entered = ask("POST", "/v1/orders", {}, b'{"client_order_id":"%b"}' % upper.encode(), upper.lower())

    for command in (*asked.commands, *entered.commands):
        assert command["client_order_id"] == upper


def test_mass_cancel_is_read_from_the_query() -> None:
    asked = ask("DELETE", "/v1/orders", {"account": "1", "symbol": "XYZ", "side": "buy"}, b"", None)

    assert asked.commands == [{"op": "mass_cancel", "account": 1, "symbol": "XYZ", "side": "buy"}]


def test_batch_is_an_array_or_an_object_with_orders() -> None:
    for body in (b'[{"account":1},{"account":2}]', b'{"orders":[{"account":1},{"account":2}]}'):
        asked = ask("POST", "/v1/orders/batch", {}, body, None)
        assert asked.shape == Shape.MANY
        assert [each["account"] for each in asked.commands] == [1, 2]


def test_bad_element_of_a_batch_is_refused_on_its_own() -> None:
    asked = ask("POST", "/v1/orders/batch", {}, b'[{"account":1},5]', None)

    assert isinstance(asked.commands[1], Refused)


def test_administration_takes_an_object_an_array_or_lines() -> None:
    one = b'{"op":"session_end"}'
    assert ask("POST", "/v1/admin", {}, one, None).shape == Shape.ONE
    for body in (b"[" + one + b"," + one + b"]", one + b"\n\n" + one + b"\n"):
        asked = ask("POST", "/v1/admin", {}, body, None)
        assert (asked.shape, len(asked.commands)) == (Shape.STEPS, 2)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status"),
    [
        ("POST", "/v1/orders", {}, b"", 400),
        ("POST", "/v1/orders", {}, b"[]", 400),
        ("POST", "/v1/orders", {}, b"[" * 100_000, 400),
        ("POST", "/v1/orders", {}, b'{"op":"cancel"}', 400),
        ("POST", "/v1/orders", {"x": "1"}, b"{}", 400),
        ("POST", "/v1/orders/batch", {}, b"[]", 400),
        ("POST", "/v1/orders/batch", {}, b"[" + b"{}," * BATCH_MAX + b"{}]", 413),
        ("POST", "/v1/orders/batch", {}, b'{"orders":[],"orders":"\xff"}', 400),
        ("POST", "/v1/orders/batch", {}, b'{"orders":["\xff"],"a:b":1}', 400),
        ("POST", "/v1/orders/batch", {}, b'{"orders":["\xed\xa0\x80"]}', 400),
        ("POST", "/v1/orders/batch", {}, b'["\xed\xa0\x80"]', 400),
        ("POST", "/v1/admin", {}, b'["\xff"]', 400),
        ("POST", "/v1/admin", {}, b"[" + b"0," * BATCH_MAX + b"0]", 413),
        ("POST", "/v1/admin", {}, b"{}\n{\n" + b"{}\n" * BATCH_MAX, 413),
        ("GET", "/v1/orders", {}, b"", 405),
        ("PUT", "/v1/orders/5", {}, b"", 405),
        ("DELETE", "/v1/orders/x", {}, b"", 400),
        ("DELETE", "/v1/orders/" + "9" * 400, {}, b"", 400),
        ("DELETE", "/v1/orders/5", {"account": "x"}, b"", 400),
        ("DELETE", "/v1/orders/client:100%", {}, b"", 400),
        ("DELETE", "/v1/orders/client:%ff", {}, b"", 400),
        ("DELETE", "/v1/orders/client:a/b", {}, b"", 404),
        ("PATCH", "/v1/orders/client:a", {}, b'{"client_order_id":"A"}', 400),
        ("DELETE", "/v1/orders", {"colour": "x"}, b"", 400),
        ("DELETE", "/v1/orders", {}, b"{}", 400),
        ("DELETE", "/v1/orders/5", {}, b'{"symbol":"XYZ"}', 400),
        ("PATCH", "/v1/orders/5", {}, b'{"order_id":6}', 400),
        ("POST", "/v2/orders", {}, b"{}", 404),
        ("POST", "/v1/orders/5/6", {}, b"{}", 404),
    ],
)
def test_what_is_no_request_is_refused(method: Any, path: Any, query: Any, body: Any, status: Any) -> None:
    with pytest.raises(Refused) as refused:
        ask(method, path, query, body, None)

    assert problem_of(refused.value.refusal).status == status


DOUBLED = b'{"account":1,"side":"buy","si\\u0064e":"sell"}'
NESTED = b'{"op":"account","account":1,"deposit":{"USD":"1","USD":"2"}}'


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/orders", DOUBLED, "side"),
        ("PATCH", "/v1/orders/5", b'{"price":"1","price":"2"}', "price"),
        ("POST", "/v1/orders/batch", b'{"orders":[],"orders":[]}', "orders"),
        ("POST", "/v1/admin", NESTED, "USD"),
        ("POST", "/v1/admin", b'{\n"op":"phase",\n"op":"mark"\n}', "op"),
        ("POST", "/v1/admin", b'{"op":"session_end"}\n' + NESTED, "USD"),
        ("POST", "/v1/admin", NESTED + b'\n{"op":"session_end"}', "USD"),
    ],
)
def test_key_given_twice_in_a_body_is_malformed(method: Any, path: Any, body: Any, field: Any) -> None:
    with pytest.raises(Refused, match="is given twice in one object; give it once") as refused:
        ask(method, path, {}, body, None)

    problem = problem_of(refused.value.refusal)
    assert (problem.status, problem.field) == (400, field)


@pytest.mark.parametrize("begin", [b"", b'{"orders":'])
def test_key_given_twice_in_one_order_of_a_batch_refuses_that_one(begin: Any) -> None:
    body = begin + b'[{"account":1},' + DOUBLED + b',{"account":"a:b"}]' + (b"}" if begin else b"")

    first, second, third = ask("POST", "/v1/orders/batch", {}, body, None).commands

    assert (first["account"], third["account"]) == (1, "a:b")
    problem = problem_of(second.refusal)
    assert (problem.status, problem.field) == (400, "side")
    assert problem.detail == "[1]: the key 'side' is given twice in one object; give it once"


def test_bad_line_of_administration_is_named_by_its_number() -> None:
    with pytest.raises(Refused, match="line 3 is not JSON"):
        ask("POST", "/v1/admin", {}, b'{"op":"session_end"}\n\n{"op":\n', None)
