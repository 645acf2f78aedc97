"""Shares of a fleet as a whole: whatever dies and whatever the store loses, no limit is exceeded.

PINION_LONG=1 plays many more sequences.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.payments.building import DAY_MS
from tests.gateways.fleet.model import FleetModel, Instance

IS_LONG = os.environ.get("PINION_LONG") == "1"
LIMIT = 10_000
TENTH = LIMIT // 10
OFTEN = {"step": 5, "finish_round": 4, "pay": 4, "time": 3}
SELDOM = ("lose_answer", "kill", "settle", "save", "empty", "restart", "restore")
LOSSES = ("empty", "restart", "restore")
STEP = st.tuples(
    st.sampled_from([name for name, times in OFTEN.items() for _ in range(times)] + list(SELDOM)),
    st.integers(0, 2),
    st.integers(1, 2_500),
)


@given(st.integers(2, 3), st.integers(0, 25), st.lists(STEP, max_size=60))
@settings(max_examples=3_000 if IS_LONG else 60, deadline=None)
def test_the_sum_of_shares_is_within_the_limit_at_every_moment(
    instances: int, before: int, steps: list[tuple[str, int, int]]
) -> None:
    model = FleetModel(instances, LIMIT)
    model.let_pay(0, before, 200)
    for step in steps:
        model.do(*step)
        model.check()


@pytest.mark.parametrize("instances", [2, 3])
@pytest.mark.parametrize("fault", ["nothing", *SELDOM])
def test_at_most_a_tenth_lies_elsewhere_when_a_busy_instance_is_refused(instances: int, fault: str) -> None:
    model = FleetModel(instances, LIMIT)
    busy = model.instances[0]

    for number in range(75):
        model.let_pay(0, 1, 200)
        if fault != "nothing" and number % 7 == 3:
            model.do(fault, number, 1)
        model.check()

    assert LIMIT - busy.spent <= TENTH
    assert busy.engine.s["fleet"][0]["moves"] > 0


def test_a_share_that_was_given_comes_back_once_its_instance_is_the_busy_one() -> None:
    model = FleetModel(2, LIMIT)
    first, second = model.instances
    model.let_pay(0, 30, 100)
    assert first.share > LIMIT * 8 // 10

    model.let_pay(1, 80, 100)

    assert second.spent > LIMIT // 2
    assert LIMIT - first.spent - second.spent <= TENTH


def test_one_that_is_less_busy_gives_to_one_that_is_more() -> None:
    model = FleetModel(2, LIMIT)

    for _ in range(60):
        model.instances[1].pay(10)
        model.let_pay(0, 1, 200)
        model.check()

    assert LIMIT - sum(each.spent for each in model.instances) <= TENTH


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_is_taken_from_a_store_that_lost_something_before_every_instance_has_told_it_again(
    loss: str,
) -> None:
    model = FleetModel(3, LIMIT)
    holder, giver, other = model.instances
    model.settle_down(3)
    holder.pay(2_000)
    for each in (holder, giver, other, giver, other):
        each.finish_round()
    model.do("save", 0, 0)
    holder.finish_round()
    assert holder.share > LIMIT // 2
    model.do(loss, 0, 0)

    for _ in range(10):  # what the holder has taken is not told again
        other.pay(300)
        for each in (giver, other):
            each.finish_round()
        model.pass_time(200)
        model.check()
    assert other.share <= LIMIT // 3
    for _ in range(10):
        other.pay(300)
        model.settle_down(1)
        model.check()

    assert other.share > LIMIT // 3


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_sent_by_one_that_died_is_not_taken_twice(loss: str) -> None:
    model = FleetModel(2, LIMIT)
    busy, idle = model.instances
    model.settle_down(3)
    model.do("save", 0, 0)
    busy.pay(4_000)
    for each in (busy, idle, idle):
        each.finish_round()
    while not busy.unsettled:
        busy.step()
    busy.kill()
    model.do(loss, 0, 0)
    model.pass_time(2_000)

    for _ in range(10):
        idle.pay(300)
        for each in (busy, idle):
            each.finish_round()
        model.pass_time(200)
        model.check()
    busy.settle()

    model.check()


def test_what_the_store_granted_and_the_journal_lacks_is_had_after_a_death() -> None:
    model = FleetModel(2, LIMIT)
    busy, idle = model.instances
    busy.pay(3_000)
    for each in (busy, idle, idle):
        each.finish_round()
    while not busy.unsettled:
        busy.step()
    (row,) = model.store.rows.values()
    granted = row.taken["a"]
    busy.unsettled.clear()
    busy.kill()
    assert granted > 0
    assert busy.share == LIMIT // 2

    model.settle_down(1)

    assert busy.share == LIMIT // 2 + granted
    model.check()


def test_what_was_given_and_not_told_is_told_after_a_death() -> None:
    model = FleetModel(2, LIMIT)
    busy, idle = model.instances
    busy.pay(3_000)
    busy.finish_round()
    while not idle.unsettled:
        idle.step()
    idle.settle()
    idle.kill()
    given = LIMIT // 2 - idle.share
    assert given > 0

    model.settle_down(2)

    assert busy.share == LIMIT // 2 + given
    model.check()


def test_an_instance_with_another_hash_key_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    model = FleetModel(2, LIMIT)
    model.settle_down(2)
    assert not caplog.text

    model.instances[1].engine.s["fingerprint"][0] = 9
    model.settle_down(3)

    said = "1 of fleet 'f' have another payments.hash_key_file: cards are not counted together with them"
    assert caplog.text.count(said) == 2  # by each of the two


def test_one_with_another_journal_than_those_of_the_day_is_outside_and_takes_nothing_until_it_ends() -> None:
    model = FleetModel(2, LIMIT)
    model.settle_down(1)
    newcomer = Instance("c", 2, LIMIT, model.store)
    newcomer.pay(LIMIT // 2 - 100)

    newcomer.finish_round()
    model.settle_down(3)

    assert newcomer.is_outside
    assert newcomer.share == LIMIT // 2
    assert not any(each.is_outside for each in model.instances)
    model.let_pay(0, 30, 200)
    assert model.instances[0].share > LIMIT // 2, "those of the day go on among themselves"
    model.pass_time(DAY_MS)
    newcomer.pass_time(DAY_MS)
    newcomer.finish_round()
    assert not newcomer.is_outside
