"""Sets of rules on trial: in shadow nothing changes, a canary decides for its cohort, gates end it."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from engine.payments.codes import Code
from engine.payments.kernels.digest import digest
from engine.payments.records import RULESETS_MAX, EventKind, Op, Rule
from engine.trials.records import CODES_MAX, Act, TrialGate, TrialState
from tests.engine.payments.building import (
    EUR,
    HOUR_MS,
    MINUTE_MS,
    SMALL,
    T0,
    Engine,
    command,
    funded,
    merchant,
    operation,
    pay,
    ruleset,
    settings,
    trial,
)
from tests.engine.payments.invariants import assert_whole
from tests.engine.payments.random_flow import Flow, begun

NS_PER_MS = 1_000_000
SHOWN = ("code", "rule", "decision", "state", "approved_amount", "matched")


def code_of(event: Any) -> Code:
    return Code(int(event["code"]))


def with_candidate(**limits: Any) -> Engine:
    """Return an engine that has a second set, of other limits."""
    engine = begun()
    assert engine.one(ruleset(**limits))["payment"] == 2
    return engine


def standing(engine: Engine) -> TrialState:
    return TrialState(int(engine.s["trial"][0]["state"]))


def played(engine: Engine, seed: int, count: int) -> Any:
    """Return the events of a random flow."""
    flow = Flow(seed)
    flow.known = [1]
    return np.concatenate([engine.tell(flow.next()) for _ in range(count)])


def without_trial(engine: Engine) -> str:
    """Return the digest of a state but for what is counted of a trial and its events."""
    state = engine.replica.state.copy()
    for name in ("trial", "event_count", "slot_count", "event_hash"):
        state[name] = np.zeros_like(state[name])
    return digest(state)


@pytest.mark.parametrize("seed", range(3))
def test_a_candidate_in_shadow_changes_no_payment_account_window_or_hold(seed: int) -> None:
    alone, beside = with_candidate(card_1m=1, score_review=90), with_candidate(card_1m=1, score_review=90)
    for engine in (alone, beside):
        assert code_of(engine.one(trial(Act.SHADOW, 2))) == Code.OK
    assert code_of(alone.one(trial(Act.ROLL_BACK, 2))) == Code.OK
    beside.tell(command(Op.TICK))

    first, second = played(alone, seed, 600), played(beside, seed, 600)

    told = second[second["kind"] == EventKind.DISAGREED]
    rest = second[second["kind"] != EventKind.DISAGREED]
    assert len(told) > 10
    assert set(told["cohort"]) == {1}
    assert set(told["ruleset"]) == {2}
    for name in (*SHOWN, "seq", "payment", "ruleset", "cohort", "held", "captured", "total"):
        assert (first[name] == rest[name]).all(), name
    assert without_trial(alone) == without_trial(beside)
    assert_whole(beside.s)


@pytest.mark.parametrize("seed", range(3))
def test_a_candidate_for_all_cards_decides_as_if_it_governed(seed: int) -> None:
    governing, candidate = (
        with_candidate(card_1m=1, score_review=90),
        with_candidate(card_1m=1, score_review=90),
    )
    assert code_of(governing.one(command(Op.ACTIVATE, payment=2))) == Code.OK
    assert code_of(candidate.one(trial(Act.START, 2, [(100, HOUR_MS)]))) == Code.OK

    first, second = played(governing, seed, 400), played(candidate, seed, 400)

    rest = second[second["kind"] != EventKind.DISAGREED]
    assert len(second) > len(rest)
    for name in (*SHOWN, "payment", "ruleset"):
        decided = first["kind"] == EventKind.DECIDED
        assert (first[name][decided] == rest[name][decided]).all(), name
    assert set(rest["cohort"][rest["payment"] == rest["seq"]]) == {1}


@pytest.mark.parametrize("is_canary", [False, True])
def test_what_a_trial_counts_is_what_its_events_tell(is_canary: bool) -> None:
    engine = with_candidate(card_1m=1, score_review=90)
    begin = trial(Act.START, 2, [(50, HOUR_MS)]) if is_canary else trial(Act.SHADOW, 2)
    assert code_of(engine.one(begin)) == Code.OK

    events = played(engine, 1, 800)

    decided = events[(events["kind"] == EventKind.DECIDED) & (events["payment"] == events["seq"])]
    told = {int(each["seq"]): each for each in events[events["kind"] == EventKind.DISAGREED]}
    pairs: Counter[int] = Counter()
    for each in decided:
        other = told.get(int(each["seq"]))
        if other is not None:
            both = [each, other] if each["cohort"] == 0 else [other, each]
            pairs[int(both[0]["code"]) * CODES_MAX + int(both[1]["code"])] += 1
            assert other["cohort"] == 1 - each["cohort"]
    t = engine.s["trial"][0]
    assert t["seen"] == len(decided)
    assert t["disagreements"] == len(told) > 10
    assert {int(each["codes"]): int(each["count"]) for each in t["pairs"] if each["count"]} == dict(pairs)
    for arm in (0, 1) if is_canary else ():
        own = decided[decided["cohort"] == arm]
        assert t["arms"][arm]["decided"] == len(own) > 50
        outcomes = Counter(own["decision"].tolist())
        assert {each: int(n) for each, n in enumerate(t["arms"][arm]["outcomes"]) if n} == outcomes
        codes = Counter(own["code"].tolist())
        assert {code: int(n) for code, n in enumerate(t["arms"][arm]["codes"]) if n} == codes


def cohort(percent: int, cards: int, score_review: int) -> set[int]:
    """Return the cards of which a candidate decides at a percentage."""
    engine = Engine(SMALL, settings(), merchant(), *funded(balances={EUR: 10**12}))
    engine.one(ruleset(score_review=score_review))
    engine.one(trial(Act.START, 2, [(percent, HOUR_MS)]))
    found = set()
    for number in range(cards):
        card = number * 0x9E3779B97F4A7C15 >> 3 & 2**62 - 1
        event = engine.tell(pay(number, T0 + number * MINUTE_MS, card=card, sale=True))[0]
        found |= {number} if event["cohort"] else set()
    return found


def test_a_cohort_is_its_share_of_the_cards_grows_with_it_and_is_another_one_for_another_set() -> None:
    at_5, at_25, at_100 = (cohort(percent, 2_000, 500) for percent in (5, 25, 100))

    assert 60 < len(at_5) < 140
    assert 430 < len(at_25) < 570
    assert at_5 < at_25
    assert len(at_100) == 2_000
    other = cohort(25, 2_000, 501)
    assert 60 < len(other & at_25) < 190


def test_a_card_stays_in_its_cohort() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.START, 2, [(40, HOUR_MS)]))
    seen: dict[int, set[int]] = {}
    for number in range(600):
        card = 1 + number % 60
        event = engine.tell(pay(number, T0 + number * 700_000, card=card * 7919, sale=True))[0]
        seen.setdefault(card, set()).add(int(event["cohort"]))

    assert all(len(cohorts) == 1 for cohorts in seen.values())
    assert {each for cohorts in seen.values() for each in cohorts} == {0, 1}


def test_disagreement_beyond_its_bound_rolls_back_with_the_payment_that_breaches_it() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.START, 2, [(100, HOUR_MS)], max_disagree_ppm=100_000, min_seen=10))
    for number in range(9):  # nine of nine disagree, but nine are too few to judge by
        assert engine.tell(pay(number, T0, score=100))[0]["cohort"] == 1
    last = engine.tell(pay(9, T0, score=100))
    after = engine.one(pay(10, T0, score=100))

    assert [EventKind(each) for each in last["kind"]] == [
        EventKind.DECIDED,
        EventKind.DISAGREED,
        EventKind.TRIAL,
    ]
    assert (last[0]["cohort"], last[0]["rule"]) == (1, Rule.SCORE_REVIEW)
    assert (last[2]["state"], last[2]["rule"]) == (TrialState.ROLLED_BACK, TrialGate.DISAGREEMENT)
    assert (after["cohort"], after["ruleset"], after["code"]) == (0, 1, Code.OK)
    assert standing(engine) == TrialState.ROLLED_BACK
    assert engine.s["ruleset"] == 1


def test_disagreement_at_its_bound_is_no_breach() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.SHADOW, 2, max_disagree_ppm=100_000, min_seen=10))
    for number in range(30):
        engine.tell(pay(number, T0, score=100 if number % 10 == 9 else 0))

    assert standing(engine) == TrialState.SHADOW
    engine.tell(pay(30, T0, score=100))
    assert standing(engine) == TrialState.ROLLED_BACK


def test_a_step_is_taken_once_its_time_has_passed_and_both_arms_have_decided_enough() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.START, 2, [(50, 1000), (100, 0)], min_seen=20))
    number = 0

    def decide(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            engine.tell(pay(number, T0 + number, card=number * 7919, amount=1))

    decide(80)
    t = engine.s["trial"][0]
    assert (t["percent"], t["step"]) == (50, 0), "its time has not passed"
    engine.eng_ts += 1_000 * NS_PER_MS
    decide(1)
    assert (t["percent"], t["step"]) == (100, 1)
    decide(19)
    assert standing(engine) == TrialState.RUNNING, "of twenty nineteen were decided"
    decide(1)
    assert standing(engine) == TrialState.PROMOTED
    assert engine.s["ruleset"] == 2
    assert engine.one(pay(500, T0 + 600, score=100))["code"] == Code.REVIEW


def test_too_little_traffic_waits() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.START, 2, [(50, 0), (100, 0)], min_seen=20))
    engine.eng_ts += 100 * HOUR_MS * NS_PER_MS
    for number in range(30):
        engine.tell(pay(number, T0 + number, card=number * 7919))

    t = engine.s["trial"][0]
    assert (standing(engine), t["percent"]) == (TrialState.RUNNING, 50)
    assert t["arms"]["decided"].sum() == 30


ALLOWED = {
    TrialState.NONE: {Act.SHADOW, Act.START},
    TrialState.SHADOW: {Act.START, Act.ROLL_BACK},
    TrialState.RUNNING: {Act.SET, Act.ADVANCE, Act.PAUSE, Act.ROLL_BACK},
    TrialState.PAUSED: {Act.SET, Act.ADVANCE, Act.RESUME, Act.ROLL_BACK},
    TrialState.ROLLED_BACK: {Act.SHADOW, Act.START},
    TrialState.PROMOTED: set(),
}
STEPS = [(5, HOUR_MS), (25, HOUR_MS)]
WAY_TO: dict[TrialState, list[Act]] = {
    TrialState.NONE: [],
    TrialState.SHADOW: [Act.SHADOW],
    TrialState.RUNNING: [Act.START],
    TrialState.PAUSED: [Act.START, Act.PAUSE],
    TrialState.ROLLED_BACK: [Act.START, Act.ROLL_BACK],
    TrialState.PROMOTED: [Act.START, Act.ADVANCE, Act.ADVANCE],
}


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("state", list(TrialState))
def test_what_a_trial_may_be_asked_depends_on_where_it_stands(state: TrialState, act: Act) -> None:
    engine = with_candidate(score_review=90)
    for each in WAY_TO[state]:
        assert code_of(engine.one(trial(each, 2, STEPS))) == Code.OK
    assert standing(engine) == state

    code = code_of(engine.one(trial(act, 2, STEPS, percent=30)))

    assert code == (Code.OK if act in ALLOWED[state] else Code.NOT_OPEN)


def test_a_set_that_is_not_there_is_not_found_and_another_candidate_waits() -> None:
    engine = with_candidate(score_review=90)
    assert engine.one(ruleset(score_review=91))["payment"] == 3
    assert code_of(engine.one(trial(Act.SHADOW, 9))) == Code.NOT_FOUND
    assert code_of(engine.one(command(Op.ACTIVATE, payment=9))) == Code.NOT_FOUND
    assert code_of(engine.one(trial(Act.START, 2, STEPS))) == Code.OK
    for asked in (trial(Act.START, 3, STEPS), trial(Act.ROLL_BACK, 3), command(Op.ACTIVATE, payment=3)):
        assert code_of(engine.one(asked)) == Code.NOT_OPEN


def test_equal_sets_have_one_id() -> None:
    engine = with_candidate(score_review=90)

    assert engine.one(ruleset(score_review=90))["payment"] == 2
    assert engine.one(ruleset(score_review=91))["payment"] == 3
    assert engine.s["last_ruleset"] == 3


def test_a_start_with_the_same_rules_leaves_the_set_that_governs() -> None:
    engine = Engine(SMALL, settings(), merchant(), *funded())
    engine.one(ruleset(score_review=90))
    engine.one(command(Op.ACTIVATE, payment=2))
    assert code_of(engine.one(settings(has_history=True))) == Code.OK
    assert (engine.s["ruleset"], engine.s["has_history"]) == (2, 1)

    assert code_of(engine.one(settings(has_history=True, score_review=80))) == Code.OK
    assert engine.s["ruleset"] == 3


def test_a_start_with_other_rules_does_not_end_a_trial() -> None:
    engine = Engine(SMALL, settings(), merchant(), *funded())
    engine.one(ruleset(score_review=90))
    engine.one(trial(Act.START, 2, STEPS))

    assert code_of(engine.one(settings(score_review=80))) == Code.NOT_OPEN
    assert code_of(engine.one(settings(has_history=True))) == Code.OK
    assert (engine.s["ruleset"], standing(engine)) == (1, TrialState.RUNNING)


def test_the_eldest_set_that_nothing_needs_gives_way() -> None:
    engine = Engine(SMALL, settings(), merchant(), *funded())
    for number in range(2, RULESETS_MAX + 1):
        assert engine.one(ruleset(score_review=number))["payment"] == number
    engine.one(command(Op.ACTIVATE, payment=2))
    engine.one(trial(Act.SHADOW, 3))

    assert engine.one(ruleset(score_review=500))["payment"] == RULESETS_MAX + 1

    kept = set(engine.s["rulesets"]["ruleset"].tolist())
    assert kept == set(range(1, RULESETS_MAX + 2)) - {4}


def test_a_review_that_a_candidate_asked_for_is_its_payment() -> None:
    engine = with_candidate(score_review=90)
    engine.one(trial(Act.START, 2, [(100, HOUR_MS)]))
    event = engine.tell(pay(1, T0, score=100))[0]
    approved = engine.one(operation(Op.REVIEW, int(event["payment"]), 1, T0, kind=1))

    assert (event["code"], event["cohort"], event["ruleset"]) == (Code.REVIEW, 1, 2)
    assert approved["code"] == Code.OK
    assert_whole(engine.s)
