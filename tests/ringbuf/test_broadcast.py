"""The broadcast ring shows each record once, whole and in order, or says that it was lapped."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringbuf.broadcast import LAPPED, Broadcast, announce, commit, is_lapped, read
from ringbuf.layout import CONTROL_WORDS, INTENT

EVENT = np.dtype([("stamp", "<i8"), ("seq", "<i8"), ("value", "<i8")])


def events(*values: Any) -> Any:
    made = np.zeros(len(values), EVENT)
    made["value"] = values
    return made


def raw_read(ring: Any, position: Any, gate: Any = 2**62, limit: int = 100) -> Any:
    out = np.zeros((100, 3), np.int64)
    count = read(ring.control, ring.words, np.full(1, gate), 0, position, out, limit)
    return count, out[: max(count, 0), 2].tolist()


def test_every_reader_sees_every_record() -> None:
    ring = Broadcast.private(EVENT, 8)
    readers = [ring.reader(), ring.reader()]

    ring.append(events(10, 11, 12), gate=1)

    for reader in readers:
        assert reader.drain(9).tolist() == [(0, 1, 10), (1, 1, 11), (2, 1, 12)]
        assert reader.drain(9).tolist() == []


def test_a_reader_starts_with_what_comes_after_it() -> None:
    ring = Broadcast.private(EVENT, 8)
    ring.append(events(1, 2), gate=1)

    late = ring.reader()
    ring.append(events(3), gate=2)

    assert late.drain(9)["value"].tolist() == [3]


def test_a_limit_is_kept_and_the_rest_comes_next() -> None:
    ring = Broadcast.private(EVENT, 64)
    reader = ring.reader()
    ring.append(events(*range(50)), gate=1)

    assert reader.drain(20)["value"].tolist() == list(range(20))
    assert reader.drain(20)["value"].tolist() == list(range(20, 40))
    assert reader.drain(20)["value"].tolist() == list(range(40, 50))


def test_records_behind_the_gate_wait_for_it() -> None:
    ring = Broadcast.private(EVENT, 64)
    durable = np.zeros(1, np.int64)
    reader = ring.reader(durable, 0)
    for seq in (1, 2, 3):
        ring.append(events(seq * 10, seq * 10 + 1), gate=seq)

    assert reader.drain(9).tolist() == []
    durable[0] = 2
    assert reader.drain(9)["value"].tolist() == [10, 11, 20, 21]
    durable[0] = 3
    assert reader.drain(9)["value"].tolist() == [30, 31]


def test_a_full_ring_is_still_readable() -> None:
    ring = Broadcast.private(EVENT, 4)

    ring.append(events(0, 1, 2, 3), gate=1)

    assert raw_read(ring, 0) == (4, [0, 1, 2, 3])


def test_one_record_more_laps_the_reader() -> None:
    ring = Broadcast.private(EVENT, 4)
    reader = ring.reader()
    ring.append(events(0, 1, 2, 3), gate=1)

    ring.append(events(4), gate=1)

    assert reader.drain(9) is None
    assert (reader.laps, reader.missed, reader.position) == (1, 5, 5)
    ring.append(events(5), gate=1)
    assert reader.drain(9)["value"].tolist() == [5]


def test_the_intent_alone_laps_a_reader() -> None:
    ring = Broadcast.private(EVENT, 4)
    ring.append(events(0, 1, 2, 3), gate=1)

    announce(ring.control, 5)

    assert raw_read(ring, 0) == (LAPPED, [])
    assert raw_read(ring, 1) == (3, [1, 2, 3])
    assert is_lapped(ring.control, 4, 0)
    assert not is_lapped(ring.control, 4, 1)


def test_the_lap_is_noticed_before_the_gate() -> None:
    ring = Broadcast.private(EVENT, 4)
    for value in range(5):
        ring.append(events(value), gate=9)

    assert raw_read(ring, 0, gate=0) == (LAPPED, [])


def test_what_was_whole_is_delivered_before_the_lap_is_reported() -> None:
    ring = Broadcast.private(EVENT, 64)
    ring.append(events(*range(64)), gate=1)

    announce(ring.control, 66)

    assert raw_read(ring, 0) == (LAPPED, [])
    assert raw_read(ring, 2)[0] == 62


def test_a_wrong_stamp_in_a_slot_that_was_not_lapped_is_fatal() -> None:
    ring = Broadcast.private(EVENT, 4)
    ring.append(events(0, 1), gate=1)
    ring.slots["stamp"][1] = 5

    with pytest.raises(AssertionError):
        raw_read(ring, 0)


def test_uncommitted_records_are_invisible() -> None:
    ring = Broadcast.private(EVENT, 4)

    announce(ring.control, 2)
    ring.slots["stamp"][:2] = [0, 1]

    assert raw_read(ring, 0) == (0, [])
    commit(ring.control, 2)
    assert raw_read(ring, 0)[0] == 2


def test_a_commit_beyond_the_announced_is_an_error() -> None:
    ring = Broadcast.private(EVENT, 4)
    announce(ring.control, 2)

    with pytest.raises(AssertionError):
        commit(ring.control, 3)
    with pytest.raises(AssertionError):
        announce(ring.control, 1)


def test_a_writer_that_died_after_announcing_is_succeeded() -> None:
    ring = Broadcast.private(EVENT, 8)
    ring.append(events(0), gate=1)
    announce(ring.control, 5)

    successor = Broadcast(ring.control, ring.slots)
    successor.append(events(1, 2), gate=2)

    assert raw_read(ring, 0) == (3, [0, 1, 2])
    assert ring.control[INTENT] == 5
    successor.append(events(3, 4, 5), gate=3)
    assert raw_read(ring, 0) == (6, [0, 1, 2, 3, 4, 5])


def test_what_does_not_fit_is_refused() -> None:
    ring = Broadcast.private(EVENT, 2)

    with pytest.raises(ValueError, match="at once"):
        ring.append(events(1, 2, 3), gate=1)
    with pytest.raises(TypeError, match="carries"):
        ring.append(np.zeros(1, np.int64), gate=1)
    with pytest.raises(ValueError, match="power of two"):
        Broadcast.private(EVENT, 3)
    with pytest.raises(ValueError, match="stamp and gate"):
        Broadcast.private("<i8", 4)
    with pytest.raises(ValueError, match="control block"):
        Broadcast(np.zeros(CONTROL_WORDS + 1, np.int64), np.zeros(4, EVENT))


@given(
    capacity_bits=st.integers(0, 6),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 40)),
            st.tuples(st.just("gate"), st.integers(0, 3)),
            st.tuples(st.just("drain"), st.integers(0, 80)),
        ),
        max_size=60,
    ),
)
def test_any_mix_of_writes_gates_and_reads_behaves_as_a_window_on_a_list(
    capacity_bits: int, steps: Any
) -> None:
    capacity = 1 << capacity_bits
    ring = Broadcast.private(EVENT, capacity)
    durable = np.zeros(1, np.int64)
    reader = ring.reader(durable, 0)
    written: list[tuple[int, int]] = []  # (seq, value) of every record
    seq = position = laps = 0

    for step, number in steps:
        if step == "append":
            seq += 1
            values = range(len(written), len(written) + min(number, capacity))
            ring.append(events(*values), gate=seq)
            written += [(seq, value) for value in values]
        elif step == "gate":
            durable[0] = min(seq, int(durable[0]) + number)
        else:
            drained = reader.drain(number)
            wanted = min(number, capacity, len(written) - position)
            if wanted and len(written) > position + capacity:
                assert drained is None
                position = len(written)
                laps += 1
            else:
                visible = [value for at, value in written[position : position + wanted] if at <= durable[0]]
                assert drained["value"].tolist() == visible
                assert drained["stamp"].tolist() == list(range(position, position + len(visible)))
                position += len(visible)
        assert (reader.position, reader.laps) == (position, laps)
