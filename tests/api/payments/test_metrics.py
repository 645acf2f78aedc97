"""Metrics of payments: what was decided, what runs full, what was forgotten too early."""

from collections import Counter
from typing import Any

import numpy as np

from api.payments.decisions import EXPIRY, DecisionCounts
from api.payments.metrics import PaymentsCollector
from engine.contract.replica import private_state
from engine.payments.codes import BY_NUMBER, Code
from engine.payments.fleet_records import ShareMove, Sighted
from engine.payments.kernels.state import state_dtype
from engine.payments.records import Decision, EventKind
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from engine.payments.view.shares import SharesView
from engine.trials.records import TrialGate, TrialState
from tests.engine.payments.building import DAY_MS, EUR, SMALL, Engine, merchant, merchant_limits, settings
from tests.engine.payments.fleet_commands import join, shares, sightings, store
from tests.engine.payments.history.story import Story


def samples(state: Any, counts: DecisionCounts) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what the collector tells of the application, by name and labels."""
    unused: Any = None
    shares, rules = SharesView(state), LiveView(state).rules
    collector = PaymentsCollector(unused, StateCounts(state), unused, dict, counts, shares, rules)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for metric in collector.of_application()
        for sample in metric.samples
    }


def test_decisions_are_counted_by_code_rule_and_cohort(story: Story) -> None:
    counts = DecisionCounts()
    for begin in range(0, len(story.events), 700):
        counts.take(story.events[begin : begin + 700])

    told = samples(story.state, counts)

    decided = [
        event for event in story.events if event["kind"] == EventKind.DECIDED and not event["replayed"]
    ]
    codes = Counter(BY_NUMBER[int(event["code"])].name for event in decided)
    found: Counter[str] = Counter()
    for (name, labels), value in told.items():
        if name == "pinion_decisions_total":
            found[labels[0]] += int(value)
            assert labels[2] == "control"
    assert found == codes
    assert told["pinion_decisions_total", ("BAD_MERCHANT", "merchant_active", "control")] > 0
    assert told["pinion_decisions_total", ("OK", "", "control")] == codes["OK"]


def test_user_rules_of_any_set_are_one_series() -> None:
    counts = DecisionCounts()
    counts.decisions.update({(Code["USER_RULE"], 64, 0): 3, (Code["USER_RULE"], 65, 0): 4})

    told = samples(private_state(state_dtype(SMALL)), counts)

    assert told["pinion_decisions_total", ("USER_RULE", "user_rule", "control")] == 7


def test_operations_and_expiries_are_counted(story: Story) -> None:
    counts = DecisionCounts()
    counts.take(story.events)

    told = samples(story.state, counts)

    expired = int(np.count_nonzero(story.events["kind"] == EventKind.EXPIRED))
    assert sum(count for (op, _), count in counts.operations.items() if op == EXPIRY) == expired
    assert told["pinion_operations_total", ("capture", "OK")] > 0
    assert told["pinion_replayed_total", ()] == np.count_nonzero(
        story.events["replayed"] & (story.events["kind"] != EventKind.DONE)
    )


def test_a_table_warns_when_four_fifths_are_in_use() -> None:
    state = private_state(state_dtype(SMALL))
    state["accounts_used"] = SMALL.accounts * 4 // 5

    before = samples(state, DecisionCounts())["pinion_pool_warning", ("accounts",)]
    state["accounts_used"] += 1

    assert before == 0
    assert samples(state, DecisionCounts())["pinion_pool_warning", ("accounts",)] == 1


def test_answers_warn_once_they_are_full_and_younger_than_a_day() -> None:
    state = private_state(state_dtype(SMALL))
    s = state[0]
    s["now"] = 10**12
    s["approval_table"]["oldest"] = 1
    s["answers"][0]["at"] = s["now"] - 86_399_000
    s["answers_used"] = SMALL.answers - 1

    roomy = samples(state, DecisionCounts())
    s["answers_used"] = SMALL.answers
    full = samples(state, DecisionCounts())
    s["now"] += 1000

    assert roomy["pinion_oldest_answer_seconds", ()] == 86_399
    assert roomy["pinion_answers_warning", ()] == 0
    assert full["pinion_answers_warning", ()] == 1
    assert samples(state, DecisionCounts())["pinion_answers_warning", ()] == 0


def test_rows_that_gave_way_early_are_counted_by_table() -> None:
    state = private_state(state_dtype(SMALL))
    state["card_table"]["early"] = 3

    told = samples(state, DecisionCounts())

    assert told["pinion_given_way_early_total", ("cards",)] == 3
    assert told["pinion_given_way_early_total", ("devices",)] == 0


def test_a_closed_payment_is_news_for_history_until_the_mark_has_passed_it(story: Story) -> None:
    state = story.state.copy()
    newest = state[0]["payments"][int(state[0]["closed"]["newest"]) - 1]

    without = StateCounts(state).is_news_for_history()
    state["has_history"] = 1
    waiting = StateCounts(state).is_news_for_history()
    state["history_seq"] = newest["changed_seq"]

    assert not without
    assert waiting
    assert not StateCounts(state).is_news_for_history()


def test_a_trial_is_told_with_its_arms_and_the_gate_that_ended_it() -> None:
    state = private_state(state_dtype(SMALL))
    before = samples(state, DecisionCounts())
    trial = state[0]["trial"][0]
    trial["state"], trial["gate"], trial["candidate"] = TrialState.ROLLED_BACK, TrialGate.CODE_RATE, 2
    trial["gate_of"], trial["seen"], trial["disagreements"] = Code["FUNDS"], 40, 9
    trial["arms"][1]["outcomes"][Decision.DECLINE] = 7
    trial["arms"][1]["faults"] = 3
    trial["arms"][1]["asked"], trial["arms"][1]["withheld"] = 1000, 250

    told = samples(state, DecisionCounts())

    assert before["pinion_trial_state", ("none",)] == 1
    gates = {labels[0]: value for (name, labels), value in told.items() if name == "pinion_trial_gate"}
    assert gates == {each.name.lower(): each == TrialGate.CODE_RATE for each in TrialGate if each}
    assert (told["pinion_trial_state", ("rolled_back",)], told["pinion_trial_state", ("none",)]) == (1, 0)
    assert (told["pinion_trial_seen", ()], told["pinion_trial_disagreements", ()]) == (40, 9)
    assert told["pinion_trial_outcomes", ("canary", "DECLINE")] == 7
    assert told["pinion_trial_faults", ("canary",)] == 3
    assert told["pinion_trial_approved_amount", ("canary",)] == 0.75
    assert ("pinion_trial_approved_amount", ("control",)) not in told, "nothing was asked of it"


def test_the_store_and_the_shares_of_a_fleet_are_told_where_there_is_one() -> None:
    engine = Engine(
        SMALL, settings(), merchant_limits(0, [(EUR, -1, -1, 1_000, -1, -1)]), merchant(begins=False)
    )
    without = samples(engine.replica.state, DecisionCounts())
    day = int(engine.s["now"]) // DAY_MS
    engine.tell(join(2), store(), shares(ShareMove.GIVE, (0, EUR, 100, 0), day=day))
    engine.tell(sightings(Sighted.DEVICE, (day * 12, 7, 1), (day * 12, 7, 1)))

    told = samples(engine.replica.state, DecisionCounts())

    names = (
        "pinion_store_up",
        "pinion_fleet_instances",
        "pinion_share_moves_total",
        "pinion_sightings_merged_total",
    )
    assert [told[name, ()] for name in names] == [1, 2, 1, 1]
    assert not any((name, ()) in without for name in names)
    engine.tell(store(is_up=False))
    assert samples(engine.replica.state, DecisionCounts())["pinion_store_up", ()] == 0
