"""The live view of payments: nothing is told of a state that a restarted worker rebuilds."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.payments.view.live_view import LiveView
from ringbuf.seqlock import TornReadError
from tests.engine.payments.building import SMALL, Engine, settings

READS: list[Callable[[LiveView], Any]] = [
    lambda view: view.payment(99),
    lambda view: view.account(99),
    lambda view: view.disclosures(),
]


@pytest.fixture(scope="module")
def state() -> Any:
    return Engine(SMALL, settings()).replica.state


@pytest.mark.parametrize("read", READS, ids=["payment", "account", "disclosures"])
def test_what_is_not_there_is_not_there(state: Any, read: Callable[[LiveView], Any]) -> None:
    assert not read(LiveView(state, lambda: 4))


@pytest.mark.parametrize("read", READS, ids=["payment", "account", "disclosures"])
@pytest.mark.parametrize(
    "turns", [[3, 3], [4, 5], [4, 6]], ids=["before", "meanwhile", "all of it meanwhile"]
)
def test_a_state_that_is_rebuilt_tells_nothing(
    state: Any, read: Callable[[LiveView], Any], turns: list[int]
) -> None:
    told = iter(turns)

    with pytest.raises(TornReadError, match="rebuilding"):
        read(LiveView(state, lambda: next(told)))


def test_a_view_warms_up_while_the_state_is_rebuilt(state: Any) -> None:
    LiveView(state, lambda: 3).warm_up()
