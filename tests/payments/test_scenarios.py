"""The engine answers the scenarios of the plain service as that does."""

from typing import Any

import pytest

from perf.traffic.items import PAY, REVERSE, SET_UP, Body, Item
from tests.payments.engine_side import EngineSide
from tests.payments.legacy import scenarios_fraud, scenarios_lifecycle, scenarios_rules
from tests.payments.legacy.codes import Reply
from tests.payments.legacy.steps import Scenario, play, run

SCENARIOS = (*scenarios_rules.SCENARIOS, *scenarios_fraud.SCENARIOS, *scenarios_lifecycle.SCENARIOS)

WITHOUT = ("payment", "seq", "approval", "op", "disclosed")


class EngineService:
    """The engine with the methods of the plain service."""

    def __init__(self, rules: Body | None) -> None:
        self._engine = EngineSide(rules or {})
        self._numbers: dict[str, int] = {}

    def set_up(self, line: Body) -> Reply:
        return self._asked(Item(SET_UP, line))

    def pay(self, body: Body, now_ms: int) -> Reply:
        reply = self._asked(Item(PAY, body))
        if reply["payment"] is not None:
            self._numbers.setdefault(reply["payment"], len(self._engine.payments) - 1)
        return reply

    def operate(self, kind: str, payment: str | None, body: Body, now_ms: int) -> Reply:
        if payment is None:
            return self._asked(Item(REVERSE, body))
        return self._asked(Item(kind, body, self._numbers[payment]))

    def _asked(self, item: Item) -> Reply:
        self._engine.ask(item)
        return self._engine.answers()[0]


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS])
def test_the_engine_answers_a_scenario_as_the_plain_service_does(scenario: Scenario) -> None:
    engine = play(scenario, EngineService(scenario.rules))

    assert [without_seqs(reply) for reply in engine] == [without_seqs(reply) for reply in run(scenario)]


def without_seqs(reply: Reply) -> dict[str, Any]:
    """Return a reply without what depends on how many commands came before."""
    return {name: value for name, value in reply.items() if name not in WITHOUT}
