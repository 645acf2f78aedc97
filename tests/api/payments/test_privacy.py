"""Problem documents of the payments api repeat no number that may be a card's."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from api.payments.privacy import OWN_NUMBERS, privacy_middleware
from gateways.payments.values import passes_luhn
from gateways.process.problems import PROBLEM_JSON


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("limit '4111111111111111': must be less", "limit '(not shown)': must be less"),
        ("4111 1111-1111 1111x", "(not shown)x"),
        ("limit '12345678901'", "limit '12345678901'"),
        ("account 'x': an integer from 1 to 9223372036854775807", None),
        ("from '1.5': an integer from 0 to 100000000000000", None),
        ("9223372036854775806", "(not shown)"),
    ],
)
async def test_a_problem_shows_no_long_number_but_its_own_bounds(text: str, shown: str | None) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(body=text.encode(), content_type=PROBLEM_JSON)

    answer = await privacy_middleware(make_mocked_request("GET", "/"), refuse)

    assert isinstance(answer, web.Response)
    assert answer.text == (text if shown is None else shown)


def test_a_bound_that_is_shown_is_no_card_number() -> None:
    assert not any(passes_luhn(number.decode()) for number in OWN_NUMBERS)


async def test_other_documents_are_left_as_they_are() -> None:
    async def answer_with(request: web.Request) -> web.StreamResponse:
        return web.json_response({"amount": 999_999_999_999})

    answer = await privacy_middleware(make_mocked_request("GET", "/"), answer_with)

    assert isinstance(answer, web.Response)
    assert answer.text == '{"amount": 999999999999}'
