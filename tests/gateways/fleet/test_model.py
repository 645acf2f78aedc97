"""Shares of a fleet as a whole: whatever dies and whatever the store loses, no limit is exceeded.

PINION_LONG=1 plays many more sequences.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.fleet.model import FleetModel

IS_LONG = os.environ.get("PINION_LONG") == "1"
LIMIT = 10_000
STEP = st.tuples(
    st.sampled_from(
        ["step"] * 6
        + ["round"] * 2
        + ["pay"] * 4
        + ["lose answer", "kill", "settle", "time", "empty", "restart", "restore"]
    ),
    st.integers(0, 2),
    st.integers(1, 2_500),
)


def play(model: FleetModel, what: str, at: int, amount: int) -> None:
    """Let one thing happen."""
    instance = model.instances[at % len(model.instances)]
    if what == "step":
        instance.step()
    elif what == "round":
        instance.finish_round()
    elif what == "pay":
        instance.pay(amount)
    elif what == "lose answer":
        instance.lose_answer()
    elif what == "kill":
        instance.kill()
    elif what == "settle":
        instance.settle()
    elif what == "time":
        model.pass_time(amount)
    elif what == "empty":
        model.store.empty()
    else:
        model.store.restart(keeps_all=what == "restore")


@given(st.integers(2, 3), st.lists(STEP, max_size=120))
@settings(max_examples=2_000 if IS_LONG else 60, deadline=None)
def test_the_sum_of_shares_is_within_the_limit_at_every_moment(
    instances: int, steps: list[tuple[str, int, int]]
) -> None:
    model = FleetModel(instances, LIMIT)
    for step in steps:
        play(model, *step)
        model.check()


@pytest.mark.parametrize("instances", [2, 3])
@pytest.mark.parametrize("fault", ["", "kill", "lose answer", "empty", "restart"])
def test_at_most_a_tenth_lies_elsewhere_when_a_busy_instance_is_refused(instances: int, fault: str) -> None:
    model = FleetModel(instances, LIMIT)
    busy = model.instances[0]

    for number in range(400):
        busy.pay(100)
        model.settle_down(1)
        if fault and number % 7 == 3:
            play(model, fault, number, 1)
        model.check()

    assert model.limit - busy.spent <= model.limit // 10
    assert busy.engine.s["fleet"][0]["moves"] > 0


def test_a_share_that_was_given_comes_back_once_its_instance_is_the_busy_one() -> None:
    model = FleetModel(2, LIMIT)
    first, second = model.instances
    for _ in range(30):
        first.pay(100)
        model.settle_down(1)
    assert first.share > LIMIT * 8 // 10

    for _ in range(80):
        second.pay(100)
        model.settle_down(1)

    assert second.spent > LIMIT // 2
    assert LIMIT - first.spent - second.spent <= LIMIT // 10


def test_two_instances_that_are_busy_use_nearly_all_of_a_limit_together() -> None:
    model = FleetModel(2, LIMIT)

    for number in range(300):
        model.instances[0].pay(90)
        if number % 3 == 0:
            model.instances[1].pay(50)
        model.settle_down(1)
        model.check()

    assert LIMIT - sum(each.spent for each in model.instances) <= LIMIT // 10


def test_nothing_is_taken_from_an_emptied_store_before_every_instance_has_told_it_again() -> None:
    model = FleetModel(3, LIMIT)
    busy, idle, silent = model.instances
    for _ in range(20):
        busy.pay(100)
        model.settle_down(1)
    model.store.empty()
    before = busy.share

    for _ in range(20):
        busy.pay(100)
        for each in (busy, idle):
            each.finish_round()
        model.pass_time(200)
    assert busy.share == before
    silent.finish_round()
    busy.finish_round()

    assert busy.share >= before
    model.check()


def test_what_the_store_granted_and_the_journal_lacks_is_had_after_a_death() -> None:
    model = FleetModel(2, LIMIT)
    busy, idle = model.instances
    for _ in range(30):
        busy.pay(100)
    busy.finish_round()
    idle.finish_round()
    idle.finish_round()
    for _ in range(3):  # behind the greeting, and behind the taking
        busy.step()
    (row,) = model.store.rows.values()
    busy.step()
    granted = row.taken["a"]
    busy.kill()
    assert granted > 0
    assert busy.share == LIMIT // 2

    model.settle_down(1)

    assert busy.share == LIMIT // 2 + granted
    model.check()
