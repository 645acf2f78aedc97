from http import HTTPStatus

import pytest

from api.process.access import Access, require_account, require_key
from api.process.problem import ApiProblem
from engine.settings.config import Key
from engine.trading.records import Role
from gateways.entry.refusals import Refused
from gateways.http.connections import refusal_reply
from gateways.http.keys import key_ring

KEY = Key(token="t" * 20, name="desk", accounts=(1, 2), roles=Role.VIEWER)


def refused_status(header: str | None) -> HTTPStatus:
    with pytest.raises(ApiProblem) as refused:
        Access([KEY]).caller(header)
    return refused.value.status


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic wrong"])
def test_answer_without_a_known_key_is_that_of_the_order_door(header: str | None) -> None:
    with pytest.raises(ApiProblem) as refused:
        Access([KEY]).caller(header)
    with pytest.raises(Refused) as at_the_order_door:
        key_ring([KEY], [1]).of_header(header)

    there = refusal_reply(at_the_order_door.value.refusal)
    assert (refused.value.status, refused.value.body()) == (there.status, there.body)
    assert f"WWW-Authenticate: {refused.value.headers['WWW-Authenticate']}".encode() in there.data()


def test_known_key_is_found() -> None:
    assert Access([KEY]).caller(f"Bearer {KEY.token}") is KEY


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {KEY.token}",
        KEY.token,
        "Bearer " + "x" * 10_000,
    ],
)
def test_everything_else_is_unauthorised(header: str | None) -> None:
    assert refused_status(header) is HTTPStatus.UNAUTHORIZED


def test_without_keys_everyone_is_anonymous_and_private_data_is_closed() -> None:
    access = Access([])

    caller = access.caller(None)

    assert caller is None
    with pytest.raises(ApiProblem, match="needs a key"):
        require_key(caller)


def test_foreign_account_is_forbidden_and_named() -> None:
    with pytest.raises(ApiProblem, match="not bound to account 3") as refused:
        require_account(KEY, 3)

    assert refused.value.status is HTTPStatus.FORBIDDEN
    assert refused.value.field == "account"
