"""A writer that never pauses and a reader of another process: every copy is of one version."""

from typing import Any

import numpy as np
from numba import njit

from ringbuf.segment import Kind, attach, create
from ringbuf.seqlock import (
    BEING_WRITTEN,
    TornReadError,
    close_version,
    open_version,
    read_begin,
    read_retry,
    snapshot,
)

WORDS = 64
STATE = np.dtype([("version", "<i8", (2,)), ("data", "<i8", (WORDS,))])
TORN = -1


@njit
def write(s: Any, last: Any) -> None:
    for seq in range(s.version[1] // 2 + 1, last + 1):
        open_version(s.version, 1, seq)
        for word in range(WORDS):
            s.data[word] = seq * (word + 1)
        close_version(s.version, 1, seq)


@njit
def watch(s: Any, rounds: Any, copy: Any) -> Any:
    """Copy under the version word; return how many copies were whole, TORN if one was not what it claimed."""
    whole = 0
    for _ in range(rounds):
        version = read_begin(s.version, 1)
        if version == BEING_WRITTEN:
            continue
        for word in range(WORDS):
            copy[word] = s.data[word]
        if read_retry(s.version, 1, version):
            continue
        whole += 1
        for word in range(WORDS):
            if copy[word] != version // 2 * (word + 1):
                return TORN
    return whole


def writer(name: Any, last: Any) -> None:
    write(attach(name, Kind.STATE, STATE).slots[0], last)


def test_no_copy_mixes_two_versions(segment_name: str, start: Any) -> None:
    last = 2_000_000
    with create(segment_name, Kind.STATE, STATE, 1) as segment:
        state = segment.slots[0]
        copy = np.zeros(WORDS, np.int64)
        write(state, 0)
        watch(state, 1, copy)
        peer = start(writer, segment_name, last)

        while peer.is_alive():
            assert watch(state, 10_000, copy) != TORN
        peer.join()

        assert peer.exitcode == 0
        assert watch(state, 10, copy) == 10
        assert copy[0] == last


def test_snapshots_from_python_are_of_one_version_too(segment_name: str, start: Any) -> None:
    with create(segment_name, Kind.STATE, STATE, 1) as segment:
        write(segment.slots[0], 1)
        readable = attach(segment_name, Kind.STATE, STATE, readonly=True).slots[0]
        peer = start(writer, segment_name, 500_000)
        seqs = []

        while peer.is_alive():
            try:
                seq, copy = snapshot(readable["version"], 1, readable["data"].copy, attempts=50)
            except TornReadError:
                continue
            assert copy.tolist() == [seq * (word + 1) for word in range(WORDS)]
            seqs.append(seq)

        assert seqs == sorted(seqs)
        assert snapshot(readable["version"], 1, readable["data"].copy)[0] == 500_000
