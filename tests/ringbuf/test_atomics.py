"""Atomics order what they say, on every kind of word array, compiled and not."""

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from ringbuf import atomics, sleeping

STATE = np.dtype([("seq", "<i8"), ("version", "<i8", (4,))])


@njit
def store_and_load(s: Any, i: Any, value: Any) -> Any:
    atomics.store_release(s.version, i, value)
    return atomics.load_acquire(s.version, i)


@njit
def spin_until(words: Any, value: Any, rounds: Any) -> Any:
    while rounds and atomics.load_acquire(words, 0) != value:
        rounds -= 1
    return rounds > 0


@njit
def fenced(words: Any) -> Any:
    words[0] = 1
    atomics.fence_release()
    words[1] = 2
    atomics.fence_acquire()
    return atomics.load_relaxed(words, 0)


def test_a_stored_word_is_loaded_from_python() -> None:
    words = np.zeros(3, np.int64)

    atomics.store_release(words, 1, -5)
    atomics.store_relaxed(words, 2, 2**62)

    assert words.tolist() == [0, -5, 2**62]
    assert atomics.load_acquire(words, 1) == -5
    assert atomics.load_relaxed(words, 2) == 2**62


def test_a_nested_array_of_a_record_is_stored_in_place() -> None:
    state = np.zeros(2, STATE)

    assert store_and_load(state[1], 2, 77) == 77
    assert state["version"].tolist() == [[0, 0, 0, 0], [0, 0, 77, 0]]


def test_a_strided_field_of_records_is_stored_in_place() -> None:
    state = np.zeros(3, STATE)

    atomics.store_release(state["seq"], 2, 9)

    assert state["seq"].tolist() == [0, 0, 9]
    assert not state["version"].any()


@pytest.mark.parametrize("words", [np.zeros(2), np.zeros(2, np.int32), np.zeros((2, 2), np.int64)])
def test_anything_but_int64_words_is_refused(words: Any) -> None:
    with pytest.raises(TypingError, match="one-dimensional int64"):
        atomics.load_acquire(words, 0)


def test_a_store_to_a_read_only_word_is_refused_and_a_load_works() -> None:
    words = np.arange(3)
    words.flags.writeable = False

    assert atomics.load_acquire(words, 2) == 2
    with pytest.raises(TypingError, match="read-only"):
        atomics.store_release(words, 0, 1)


def test_a_spin_loop_keeps_its_atomic_load_in_the_optimised_code() -> None:
    assert spin_until(np.full(1, 3), 3, 10)
    assert not spin_until(np.full(1, 3), 4, 10)

    (code,) = spin_until.inspect_llvm().values()

    assert "load atomic i64" in code
    assert "acquire, align 8" in code


def test_fences_stay_in_the_optimised_code() -> None:
    assert fenced(np.zeros(2, np.int64)) == 1

    (code,) = fenced.inspect_llvm().values()

    assert "fence release" in code
    assert "fence acquire" in code


def test_clocks_agree_with_pythons() -> None:
    before = time.time_ns(), time.monotonic_ns()
    now = atomics.clock_realtime_ns(), atomics.clock_monotonic_ns()
    after = time.time_ns(), time.monotonic_ns()

    assert before[0] <= now[0] <= after[0]
    assert before[1] <= now[1] <= after[1]


def test_the_cycle_counter_grows() -> None:
    first = atomics.cycle_count()

    assert atomics.cycle_count() > first


def test_sleep_lasts_at_least_what_was_asked() -> None:
    before = time.monotonic_ns()

    sleeping.sleep_ns(2_000_000)

    assert time.monotonic_ns() - before >= 2_000_000


UNCOMPILED = """
import numpy as np
from ringbuf import atomics, bells, broadcast, seqlock, sleeping, spsc, waiting

words = np.zeros(4, np.int64)
atomics.store_release(words, 1, 7)
assert atomics.load_acquire(words, 1) == 7 == atomics.load_relaxed(words, 1)
atomics.fence_acquire(); atomics.fence_release(); atomics.cpu_pause(); atomics.sched_yield()
sleeping.sleep_ns(1)
atomics.fence_full()
assert atomics.exchange(words, 1, 7, 8) and not atomics.exchange(words, 1, 7, 9) and words[1] == 8
line = np.zeros(32, np.int64)
bells.fall_asleep(line, 0, bells.ASLEEP)
assert bells.call(line, 0, bells.ASLEEP) and bells.stay_asleep(line, 0, bells.ASLEEP, 10**9) != 0
assert bells.sleep_until_beyond(words, 1, 8, line, 0, 2, 1000) == 8
assert atomics.clock_monotonic_ns() > 0 < atomics.clock_realtime_ns() and atomics.cycle_count() > 0
assert waiting.pause(waiting.BACKOFF, 5000) == 5001

ring = spsc.SpscRing.private("<i8", 4)
assert ring.push(np.arange(6)) == 4 and ring.pop(9).tolist() == [0, 1, 2, 3]

STATE = np.dtype([("version", "<i8", (3,))])
s = np.zeros(1, STATE).view(np.recarray)[0]
seqlock.open_version(s.version, 1, 4)
assert s.version.tolist() == [0, 7, 0] and seqlock.read_begin(s.version, 1) == seqlock.BEING_WRITTEN
seqlock.close_version(s.version, 1, 4)
assert seqlock.snapshot(s.version, 1, lambda: "copy") == (4, "copy")

EVENT = np.dtype([("stamp", "<i8"), ("seq", "<i8"), ("value", "<i8")])
live = broadcast.Broadcast.private(EVENT, 4)
reader = live.reader()
live.append(np.zeros(3, EVENT), 1)
assert reader.drain(9)["stamp"].tolist() == [0, 1, 2]
live.append(np.zeros(4, EVENT), 2)
live.append(np.zeros(1, EVENT), 3)
assert reader.drain(9) is None and (reader.laps, reader.missed) == (1, 5)
print("all ran uncompiled")
"""


def test_every_kernel_also_runs_as_plain_python() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNCOMPILED],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )

    assert done.stderr == ""
    assert done.stdout == "all ran uncompiled\n"


def test_an_index_outside_is_caught_when_bounds_are_checked() -> None:
    program = (
        "import numpy as np; from ringbuf.atomics import load_acquire; load_acquire(np.zeros(2, np.int64), 2)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "AssertionError" in done.stderr
