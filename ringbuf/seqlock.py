"""Consistent reads of what another process is writing: a version word that is odd meanwhile.

    writer, once per sequence number                reader
    open_version: version = 2 * seq - 1 (odd)       version = read_begin()   odd: try again
        release fence                               copy the data (plain)
    write the data (plain)                          acquire fence
    close_version: version = 2 * seq, release       read_retry(): changed: try again

One writer per version word; versions only grow. A reader that copied one byte of a write
in progress finds another version afterwards, because the odd one was stored first. The
writer never waits for readers; a reader tries a bounded number of times and says so.
"""

from collections.abc import Callable
from typing import TypeVar

from ringbuf.atomics import (
    Words,
    cpu_pause,
    fence_acquire,
    fence_release,
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from ringbuf.njit import njit

BEING_WRITTEN = -1
SNAPSHOT_ATTEMPTS = 1_000
PAUSES_PER_ATTEMPT = 50
"""About a microsecond between two attempts: the writer's time for one command."""

Copied = TypeVar("Copied")


class TornReadError(Exception):
    """Every attempt to copy met a write in progress."""


@njit
def open_version(versions: Words, i: int, seq: int) -> None:
    """Mark versions[i] as being written by command `seq` (>= 1), before the first write."""
    store_relaxed(versions, i, 2 * seq - 1)
    # Release fence: odd is visible before the first new byte of the data. Pairs with read_retry().
    fence_release()


@njit
def close_version(versions: Words, i: int, seq: int) -> None:
    """Mark versions[i] as whole again, as of command `seq`."""
    store_release(versions, i, 2 * seq)  # the data before the even version; pairs with read_begin()


@njit
def read_begin(versions: Words, i: int) -> int:
    """Return the version to copy under, or BEING_WRITTEN."""
    version = load_acquire(versions, i)  # pairs with close_version()
    return BEING_WRITTEN if version & 1 else version


@njit
def read_retry(versions: Words, i: int, version: int) -> bool:
    """Tell whether what was copied since read_begin gave `version` must be thrown away."""
    fence_acquire()  # our copy is done before this look; pairs with open_version()
    return load_relaxed(versions, i) != version


@njit
def pause_between_attempts() -> None:
    """Give the writer a moment to finish."""
    for _ in range(PAUSES_PER_ATTEMPT):
        cpu_pause()


def snapshot(
    versions: Words, i: int, copy: Callable[[], Copied], attempts: int = SNAPSHOT_ATTEMPTS
) -> tuple[int, Copied]:
    """Return (seq, copy()) such that nothing was written while `copy` ran.

    `copy` must return data of its own, not views, and must survive seeing half-written
    data (bounds, loops): its result is thrown away then. Raises TornReadError when every
    attempt met a writer.
    """
    for _ in range(attempts):
        version = int(read_begin(versions, i))
        if version != BEING_WRITTEN:
            copied = copy()
            if not read_retry(versions, i, version):
                return version // 2, copied
        pause_between_attempts()
    raise TornReadError(f"version {i} was being written at each of {attempts} attempts to read it")
