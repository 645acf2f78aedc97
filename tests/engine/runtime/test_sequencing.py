"""Batches of several rings: what is taken together, whose turn it is, and that each ring keeps its order."""

from random import Random
from typing import Any

import numpy as np
import pytest

from tests.engine.runtime.bench import RINGS

BATCH = 16
"""Of the bench's settings."""
SEEDS = range(20)


def entries(bench: Any, first: int, last: int) -> Any:
    """Return the entries of commands first + 1 to last, which the journal ring still holds."""
    slots = bench.segments.journal.slots
    return slots[np.arange(first, last) & (len(slots) - 1)]


def test_one_batch_gathers_what_several_rings_have_waiting(bench: Any) -> None:
    for ring, count in enumerate((3, 5, 2)):
        bench.send(ring, count)

    bench.run()

    taken = entries(bench, 0, 10)
    assert bench.call.loop["applied"] == 10
    assert bench.counters["worker.batches"] == 1
    assert taken["ring"].tolist() == [0] * 3 + [1] * 5 + [2] * 2
    assert taken["ring_seq"].tolist() == [*range(3), *range(5), *range(2)]
    assert len(set(taken["eng_ts"].tolist())) == 1
    assert [ring.released for ring in bench.rings] == [3, 5, 2]


def test_a_full_batch_leaves_the_rest_and_begins_behind_it_next_time(bench: Any) -> None:
    for ring in range(3):
        bench.send(ring, 10)

    bench.run()

    assert [ring.released for ring in bench.rings] == [10, 6, 0]
    bench.send(0, 10)
    bench.run()
    assert entries(bench, BATCH, 2 * BATCH)["ring"].tolist() == [2] * 10 + [0] * 6


def test_a_batch_of_several_rings_takes_no_more_than_the_journal_has_room_for(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 60)
    bench.run_until_applied(60)
    for ring in range(3):
        bench.send(ring, 3)

    bench.run()

    assert bench.call.loop["journaled"] == 64
    assert sum(len(ring) for ring in bench.rings) == 5


@pytest.mark.parametrize("seed", SEEDS)
def test_no_ring_waits_longer_than_a_round_of_batches(seed: int, bench: Any) -> None:
    """Whatever waited in a ring at its turn is in the journal after as many batches as there are rings."""
    random = Random(seed)
    hog = random.randrange(len(RINGS))
    waited = [0] * len(RINGS)
    sent = 0
    for _ in range(100):
        for ring in range(len(RINGS)):
            sent += bench.send(ring, 64 if ring == hog else random.choice((0, 0, 1, 4, 20)))
        before = [(ring.released, len(ring)) for ring in bench.rings]

        bench.run()

        for ring, (released, waiting) in enumerate(before):
            was_taken = bench.rings[ring].released > released
            waited[ring] = 0 if was_taken or not waiting else waited[ring] + 1
            assert waited[ring] < len(RINGS)
        taken = int(bench.call.loop["journaled"])
        assert sum(ring.released for ring in bench.rings) == taken
    bench.run_until_applied(sent)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_ring_is_journaled_as_it_was_sent(seed: int, bench: Any) -> None:
    random = Random(seed)
    sent: list[list[int]] = [[] for _ in RINGS]
    journaled: list[list[int]] = [[] for _ in RINGS]
    done = 0
    for _ in range(60):
        for ring, own in enumerate(sent):
            mark = len(own) + 1000 * ring
            own += [mark] * bench.send(ring, random.choice((0, 1, 3, 9, 30)), account=7, value=mark)
        bench.run()
        last = int(bench.call.loop["applied"])
        for entry in entries(bench, done, last):
            own = journaled[entry["ring"]]
            assert entry["ring_seq"] == len(own)
            own.append(int(entry["command"]["value"]))
        done = last
    while done < sum(map(len, sent)):
        bench.run()
        last = int(bench.call.loop["applied"])
        for entry in entries(bench, done, last):
            journaled[entry["ring"]].append(int(entry["command"]["value"]))
        done = last

    assert journaled == sent
