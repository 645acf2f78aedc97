"""The engine against the naive oracle: every event, every book, every balance.

PINION_LONG=1 compares more than a million commands; the seeds are printed.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.engine.trading.comparison import Difference, assert_flow_agrees, compare
from tests.flow_strategies import Command, streams

IS_LONG = os.environ.get("PINION_LONG") == "1"
SEEDS = range(1, 53) if IS_LONG else range(1, 4)
COMMANDS = 20_000 if IS_LONG else 10_000
EXAMPLES = 5_000 if IS_LONG else 250


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seeded_flow_gives_the_events_and_the_state_of_the_oracle(seed: int) -> None:
    assert_flow_agrees(seed, COMMANDS)


@settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
@given(streams())
def test_any_short_stream_gives_the_events_and_the_state_of_the_oracle(commands: list[Command]) -> None:
    found = compare(commands)

    assert found is None, told(found)


def told(found: Difference | None) -> str:
    return "" if found is None else found.told()
