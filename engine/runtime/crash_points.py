"""Crash points: places between two stores of the protocol at which a test can have a process die.

PINION_CRASH_AT lists deaths in order, `name:passes` with commas between: at `name`, passed so
often before, the process dies as if the machine had chosen that moment; the next death is due
after that, in whichever process comes to it.

`crash_point` serves the processes in Python, where a point costs a comparison. `crash_here`
serves the loop's kernel, but only a loop that is built while a death in it is planned: any
other is built with `pass_here`, of which nothing is left in its code (loop.build). What was told
of the plan lies in memory that the supervisor's children share, so a restarted process goes on.
"""

import mmap
import os
import signal
from enum import IntEnum
from typing import Any

import numpy as np
from numba import types as untyped_types

from ringbuf.kernel import inlined, kernel

types: Any = untyped_types
VARIABLE = "PINION_CRASH_AT"
LOOP_PREFIX = "loop."
FIRED = -1

_PLAN = [
    (name, int(passes or 0))
    for name, _, passes in (each.partition(":") for each in os.environ.get(VARIABLE, "").split(",") if each)
]
_progress = np.frombuffer(mmap.mmap(-1, 16), np.int64)
"""Deaths so far, and how often the next one's point was passed."""
_abort = types.ExternalFunction("abort", types.void())


class LoopPoint(IntEnum):
    """The crash points within the loop's kernel, each just behind the store that it is named after."""

    COPIED = 1  # entries in the journal ring
    PUBLISHED = 2  # J
    RELEASED = 3  # tail of the command ring
    APPLIED = 4  # state
    CLOSED = 5  # versions
    ANNOUNCED = 6  # intent
    WRITTEN = 7  # slots of the event ring
    COMMITTED = 8  # E


COPIED, PUBLISHED, RELEASED, APPLIED, CLOSED, ANNOUNCED, WRITTEN, COMMITTED = map(int, LoopPoint)


def crash_point(name: str) -> None:
    """Die here by SIGKILL if this death is due."""
    if not _PLAN or _due() != name:
        return
    if _progress[1] < _PLAN[_progress[0]][1]:
        _progress[1] += 1
        return
    _advance()
    os.kill(os.getpid(), signal.SIGKILL)


def arm(loop: Any) -> None:
    """Tell the loop's kernel of the death that is due there; called when a worker begins.

    loop : its record (loop.loop_dtype), kept from one worker to the next
    """
    if loop["crash_at"] == FIRED:
        loop["crash_at"] = 0
        _advance()
    due = _due()
    if due.startswith(LOOP_PREFIX):
        loop["crash_at"] = LoopPoint[due.removeprefix(LOOP_PREFIX).upper()]
        loop["crash_passes"] = _PLAN[_progress[0]][1]


def loop_may_die() -> bool:
    """Tell whether the plan holds a death within the loop's kernel."""
    return any(name.startswith(LOOP_PREFIX) for name, _ in _PLAN)


@kernel
def crash_here(loop: Any, point: int) -> None:
    """Die here by SIGABRT if this death is due."""
    if loop.crash_at == point:
        if loop.crash_passes == 0:
            loop.crash_at = FIRED
            _abort()
        loop.crash_passes -= 1


@inlined
def pass_here(loop: Any, point: int) -> None:
    """Do nothing: the loop of an instance has this function in the place of `crash_here`."""


def _due() -> str:
    return _PLAN[_progress[0]][0] if _progress[0] < len(_PLAN) else ""


def _advance() -> None:
    _progress[0] += 1
    _progress[1] = 0
