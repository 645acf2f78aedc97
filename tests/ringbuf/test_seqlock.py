"""A reader under a version word gets a whole copy of one version, or none."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from ringbuf.seqlock import (
    BEING_WRITTEN,
    TornReadError,
    close_version,
    open_version,
    read_begin,
    read_retry,
    snapshot,
)

WORDS = 32
STATE = np.dtype([("seq", "<i8"), ("version", "<i8", (3,)), ("data", "<i8", (WORDS,))])


@njit
def touch(s: Any, i: Any, seq: Any) -> None:
    open_version(s.version, i, seq)
    for word in range(WORDS):
        s.data[word] = seq
    close_version(s.version, i, seq)


@njit
def write_many(s: Any, first: Any, count: Any) -> None:
    for seq in range(first, first + count):
        touch(s, 1, seq)


def test_a_version_is_odd_while_written_and_even_after() -> None:
    versions = np.zeros(3, np.int64)

    open_version(versions, 1, 7)
    assert versions.tolist() == [0, 13, 0]
    close_version(versions, 1, 7)
    assert versions.tolist() == [0, 14, 0]


def test_a_kernel_opens_and_closes_the_version_in_its_record() -> None:
    state = np.zeros(1, STATE)

    touch(state[0], 1, 5)

    assert state["version"].tolist() == [[0, 10, 0]]
    assert (state["data"] == 5).all()


def test_a_reader_does_not_begin_during_a_write() -> None:
    versions = np.zeros(1, np.int64)
    open_version(versions, 0, 1)

    assert read_begin(versions, 0) == BEING_WRITTEN


def test_a_reader_retries_when_a_write_began_meanwhile() -> None:
    versions = np.zeros(1, np.int64)
    version = read_begin(versions, 0)
    assert not read_retry(versions, 0, version)

    open_version(versions, 0, 1)
    assert read_retry(versions, 0, version)
    close_version(versions, 0, 1)
    assert read_retry(versions, 0, version)


def test_a_snapshot_tells_the_seq_it_is_of() -> None:
    state = np.zeros(1, STATE)
    touch(state[0], 1, 5)

    seq, copy = snapshot(state["version"][0], 1, state["data"][0].copy)

    assert seq == 5
    assert copy.tolist() == [5] * WORDS


def test_a_snapshot_copies_again_after_a_write_in_its_midst() -> None:
    state = np.zeros(1, STATE)
    touch(state[0], 1, 1)
    seqs = iter([2, 3])

    def disturbed_copy() -> Any:
        copy = state["data"][0].copy()
        for seq in seqs:
            touch(state[0], 1, seq)
            break
        return copy

    seq, copy = snapshot(state["version"][0], 1, disturbed_copy)

    assert seq == 3
    assert copy.tolist() == [3] * WORDS


def test_a_snapshot_of_what_is_never_whole_gives_up() -> None:
    versions = np.zeros(2, np.int64)
    open_version(versions, 1, 9)

    with pytest.raises(TornReadError, match=r"version 1 .* 20 attempts"):
        snapshot(versions, 1, lambda: None, attempts=20)
