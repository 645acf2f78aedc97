"""Counts of a fleet as a whole: whatever is lost, said twice or late, all instances come to know the same.

PINION_LONG=1 plays many more sequences.
"""

import os
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.payments.fleet_records import SIGHTED_MAX, Sighted
from engine.payments.view.sightings import SightingsView
from gateways.fleet.merging import ROUND_MAX, sighting_commands
from gateways.fleet.scripts.sightings import members_of, merge_of
from tests.gateways.fleet.sightings_model import LIMIT, SightingsModel, rows

IS_LONG = os.environ.get("PINION_LONG") == "1"
LOSSES = ("asked", "answered", "told", "applied", "kill", "save", "empty", "restart", "restore")
OFTEN = {"pay": 9, "round": 5, "time": 2, "hours": 1}
STEP = st.tuples(
    st.sampled_from([name for name, times in OFTEN.items() for _ in range(times)] + list(LOSSES)),
    st.integers(0, 2),
    st.sampled_from(list(Sighted)),
    st.integers(1, 6),
    st.integers(1, 8),
)


@given(st.integers(2, 3), st.lists(STEP, max_size=60))
@settings(max_examples=2_000 if IS_LONG else 30, deadline=None)
def test_every_instance_comes_to_know_what_one_set_of_cards_and_times_has(
    count: int, steps: list[tuple[str, int, Sighted, int, int]]
) -> None:
    model = SightingsModel(count)

    for step in steps:
        model.do(*step)
    model.settle()

    model.check()


@pytest.mark.parametrize("kind", list(Sighted))
def test_cards_spread_over_two_instances_are_refused_by_the_limit_one_round_later(kind: Sighted) -> None:
    model = SightingsModel(2)
    assert [model.pay(card, kind, 7, card) for card in range(1, LIMIT + 1)] == ["OK"] * LIMIT
    model.settle()

    assert [model.pay(at, kind, 7, 9) for at in (0, 1)] == ["VELOCITY"] * 2
    assert [model.pay(at, kind, 7, 1) for at in (0, 1)] == ["VELOCITY"] * 2  # four by now, with 9
    assert [model.pay(at, kind, 8, 1) for at in (0, 1)] == ["OK"] * 2


@pytest.mark.parametrize("loss", [each for each in LOSSES if each != "save"])
def test_a_loss_is_made_good(loss: str) -> None:
    model = SightingsModel(2)
    for card in range(1, 3):
        model.pay(0, Sighted.IP, 7, card)
    model.do("round", 0, Sighted.IP, 0, 0)
    model.do(loss, 0, Sighted.IP, 0, 0)
    model.pay(1, Sighted.IP, 7, 3)

    model.settle()

    assert model.pay(0, Sighted.IP, 7, 4) == "VELOCITY"
    model.settle()
    model.check()


def test_instances_with_other_hash_keys_do_not_merge() -> None:
    model = SightingsModel(2, (1, 2))
    for at in (0, 1):
        for card in (1, 2):
            model.pay(at, Sighted.DEVICE, 7, 10 * at + card)

    model.settle()

    assert [len(each.held(Sighted.DEVICE)) for each in model.instances] == [2, 2]


def test_only_what_changed_travels() -> None:
    model = SightingsModel(2)
    for card in range(1, LIMIT + 1):
        model.pay(0, Sighted.DEVICE, 7, card)
    model.settle()
    before = [len(each.journal) for each in model.instances]

    for _ in range(5):
        model.pay(0, Sighted.DEVICE, 7, 1)
        model.settle()

    assert [len(each.journal) for each in model.instances] == [before[0] + 5, before[1]]


def test_what_was_overwritten_before_it_was_read_is_told_from_the_rows() -> None:
    model = SightingsModel(2)
    model.settle()
    model.pay(0, Sighted.IP, 7, 1)
    first, second = model.instances

    first.engine.s["sighted_count"] += SIGHTED_MAX  # as if so many had come before the next round
    model.settle()

    assert second.held(Sighted.IP) == first.held(Sighted.IP) != {}


def test_a_round_says_so_much_at_most_and_the_next_ones_the_rest() -> None:
    model = SightingsModel(2)
    first, second = model.instances
    now = int(first.engine.s["now"]) // 300_000
    first.tell(
        *sighting_commands(Sighted.IP, rows(*((now, *pair) for pair in product(range(60), [1], range(9)))))
    )
    assert len(first.held(Sighted.IP)) == 60 * 9 > ROUND_MAX

    assert first.round()
    assert not first.round()
    assert second.round()
    assert len(second.held(Sighted.IP)) == ROUND_MAX
    model.settle()

    model.seen[Sighted.IP] = first.held(Sighted.IP)
    model.check()


def test_many_sightings_are_several_commands_that_no_number_is_lost_of() -> None:
    told = rows(*((5, seen, 1, 9) for seen in range(1, 18)))

    commands = sighting_commands(Sighted.IP, told)

    assert [int(each["payment"]) for each in commands] == [7, 7, 3]
    assert merge_of([b"1", 1, 1, *members_of(told)]).rows.tolist() == told.tolist()
    with pytest.raises(ValueError, match="1 sightings, of which 0 are some"):
        merge_of([b"1", 1, 1, b"short"])


def test_what_the_state_holds_is_no_news_and_what_has_left_its_window_neither() -> None:
    model = SightingsModel(1)
    model.pay(0, Sighted.IP, 7, 1)
    model.pay(0, Sighted.IP, 7 + 128, 2)  # in the same bucket of the table
    view = SightingsView(model.instances[0].engine.replica.state)
    now = int(model.instances[0].engine.s["now"]) // 300_000
    told = rows((now, 7, 1, 1), (now, 7, 1, 2), (now - 1, 135, 1, 2), (now, 9, 1, 1), (now - 12, 9, 1, 1))

    assert view.news(Sighted.IP, told).tolist() == [[now, 7, 1, 2], [now, 9, 1, 1]]
