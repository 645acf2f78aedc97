"""Bearer keys."""

from typing import Any

import pytest

from engine.settings.config import Key
from engine.trading.records import Role
from gateways.entry.refusals import Refused
from gateways.http.keys import key_ring
from gateways.http.problems import problem_of

KEYS = (
    Key(token="a" * 16, name="ann", accounts=(4,), roles=Role.TRADER),
    Key(token="b" * 16, name="bob", accounts=None, roles=Role.OPERATOR),
)


def test_header_names_the_principal_and_its_session() -> None:
    ring = key_ring(KEYS, [7, 8])

    assert ring.of_header("Bearer " + "a" * 16).name == "ann"
    assert ring.of_header("bearer  " + "b" * 16).session == 8


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic " + "a" * 16, "a" * 16])
def test_unknown_or_misspelt_key_is_401(header: Any) -> None:
    with pytest.raises(Refused) as refused:
        key_ring(KEYS, [7, 8]).of_header(header)

    assert problem_of(refused.value.refusal).status == 401


def test_only_account_of_a_key_goes_without_saying() -> None:
    ring = key_ring(KEYS, [7, 8])

    assert ring.of_header("Bearer " + "a" * 16).account_or_sole(None) == 4
    with pytest.raises(Refused):
        ring.of_header("Bearer " + "b" * 16).account_or_sole(None)
