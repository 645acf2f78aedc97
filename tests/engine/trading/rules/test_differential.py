"""Rules that people write, in the engine and in the oracle, which runs them as the functions that they are.

PINION_LONG=1 compares more commands; the seeds are printed.
"""

import os
from collections import Counter

import pytest

from tests.engine.trading.comparison import assert_flow_agrees
from tests.flow_rules import RuleFlow
from tests.flow_venue import PREAMBLE
from tests.oracle import Exchange

IS_LONG = os.environ.get("PINION_LONG") == "1"
SEEDS = range(1, 25) if IS_LONG else range(1, 4)
COMMANDS = 20_000 if IS_LONG else 5_000


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flow_under_rules_gives_the_events_and_the_state_of_the_oracle(seed: int) -> None:
    assert_flow_agrees(seed, COMMANDS, RuleFlow)


def test_the_flow_reaches_every_rule_faults_and_every_refusal_about_rules() -> None:
    seen: Counter[tuple[str, ...]] = Counter()

    for seed in range(1, 7):
        exchange, flow = Exchange(), RuleFlow(seed)
        for command in PREAMBLE:
            exchange.submit(command)
        for _ in range(4000):
            for event in exchange.submit(flow.next(exchange)):
                if event["event"] == "rules":
                    seen["rules", event["act"]] += 1
                elif event.get("reason") == "rule":
                    seen[event["op"], "rule"] += 1
                    seen[event["rule"], "fault" if event["rule_fault"] else "refused"] += 1
                elif event.get("op") == "rules":
                    seen["rules", event["reason"]] += 1

    assert {
        *((rule, "refused") for rule in ("of_order", "of_book", "of_account", "of_counts", "of_lots")),
        *((rule, "refused") for rule in ("max_clip", "order_pace", "one_price", "cool_off", "divides")),
        *((rule, "fault") for rule in ("divides", "shifts", "far_above_bid")),
        *(("rules", act) for act in ("registered", "activated", "rolled_back")),
        *(("rules", reason) for reason in ("unknown_rules", "unknown_param")),
        *(("new", "rule"), ("replace", "rule")),
    } <= set(seen)
