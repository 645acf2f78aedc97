"""Commands of interface R2 as requests of the HTTP door."""

from typing import Any

import msgspec
import pytest

from gateways.feed.network_door import request_of
from gateways.json_lines import MalformedCommand


@pytest.mark.parametrize(
    ("fields", "method", "path"),
    [
        ({"op": "new", "account": 1, "symbol": "X", "quantity": 1}, "POST", "/v1/orders"),
        ({"op": "cancel", "account": 1, "client_order_id": 7}, "DELETE", "/v1/orders/client%3A7?account=1"),
        (
            {"op": "cancel", "account": 1, "client_order_id": "a/b"},
            "DELETE",
            "/v1/orders/client%3Aa%2Fb?account=1",
        ),
        (
            {"op": "cancel", "account": 1, "client_order_id": "007"},
            "DELETE",
            "/v1/orders/client%3A007?account=1",
        ),
        (
            {"op": "cancel", "account": 1, "client_order_id": "7"},
            "DELETE",
            "/v1/orders/client%3A%227%22?account=1",
        ),
        ({"op": "cancel", "account": 1, "order_id": 9}, "DELETE", "/v1/orders/9?account=1"),
        ({"op": "replace", "account": 1, "order_id": 9, "price": "2"}, "PATCH", "/v1/orders/9?account=1"),
        ({"op": "mass_cancel", "account": 1, "symbol": None}, "DELETE", "/v1/orders?account=1"),
        ({"op": "phase", "symbol": None, "phase": "halted"}, "POST", "/v1/admin"),
    ],
)
def test_each_operation_has_its_request(fields: dict[str, Any], method: str, path: str) -> None:
    assert request_of(fields)[:2] == (method, path)


def test_body_of_a_replace_holds_what_the_address_does_not() -> None:
    _, _, body = request_of({"op": "replace", "account": 1, "order_id": 9, "price": "2", "quantity": None})

    assert body is not None
    assert msgspec.json.decode(body) == {"price": "2"}


@pytest.mark.parametrize(
    ("fields", "field", "mend"),
    [
        ({"op": "cancel", "account": 1}, "client_order_id", "needs one of client_order_id and order_id"),
        ({"op": "cancel", "account": 1, "client_order_id": 7, "order_id": 9}, "order_id", "not both"),
        ({"op": "replace", "order_id": 9, "price": "2"}, "account", "needs this field"),
        (
            {"op": "cancel", "account": 1, "client_order_id": [7]},
            "client_order_id",
            "a whole number or a text",
        ),
        ({"op": "cancel", "account": "1", "order_id": 9}, "account", "give a whole JSON number"),
        ({"op": "cancel", "account": True, "order_id": 9}, "account", "give a whole JSON number"),
        ({"op": "cancel", "account": 1, "order_id": "9"}, "order_id", "give a whole JSON number"),
        ({"op": "cancel", "account": 1, "order_id": 9, "symbol": "X"}, "symbol", "has no such field"),
        ({"op": "replace", "account": 1, "order_id": 9, "side": "buy"}, "side", "has no such field"),
        ({"op": "mass_cancel", "account": "1"}, "account", "give a whole JSON number"),
        ({"op": "mass_cancel", "account": 1, "symbol": ["X"]}, "symbol", "give a string"),
        ({"op": "mass_cancel", "account": 1, "side": True}, "side", "give a string"),
        ({"op": "mass_cancel", "account": 1, "sid": "buy"}, "sid", "did you mean 'side'"),
    ],
)
def test_order_that_no_address_can_name_is_malformed(fields: dict[str, Any], field: str, mend: str) -> None:
    with pytest.raises(MalformedCommand, match=mend) as fault:
        request_of(fields)

    assert fault.value.field == field
