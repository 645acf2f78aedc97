"""Sleeping for a time, or on a word of shared memory, and waking who does: futex(2) and eventfd(2).

All are @njit and callable from kernels and from Python alike. Under NUMBA_DISABLE_JIT=1, a single process,
nobody is there to wake: a wait is a sleep.
"""

import errno
import os
import time
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

from ringbuf.atomics import (
    BOUNDS_CHECKED,
    COMPILED,
    NS_PER_S,
    TIMESPEC,
    Words,
    declared,
    require_words,
    word_pointer,
)
from ringbuf.njit import njit

cgutils: Any = untyped_cgutils
INTERRUPTED = errno.EINTR
"""What a wait returns that a signal ended."""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_ZERO = ir.Constant(_I64, 0)
_SYS_FUTEX, _FUTEX_WAIT, _FUTEX_WAKE = 202, 0, 1
"""x86-64; the operations for words that several processes share."""


@intrinsic
def _sleep_intrinsic(typing_context: Any, duration_ns: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = TIMESPEC.as_pointer()
        sleep = declared(builder, _I32, [pointer, pointer], "nanosleep")
        builder.call(sleep, [_timespec(builder, args[0]), ir.Constant(pointer, None)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def _futex_wait_intrinsic(typing_context: Any, words: Any, idx: Any, value: Any, limit_ns: Any) -> Any:
    require_words(words, written=False)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = word_pointer(context, builder, signature.args[0], args[0], args[1])
        limit = _timespec(builder, args[3])
        arguments = (_FUTEX_WAIT, args[2], builder.ptrtoint(limit, _I64))
        failed = _futex(builder, pointer, *arguments)
        place = builder.call(declared(builder, _I32.as_pointer(), [], "__errno_location"), [])
        error = builder.sext(builder.load(place), _I64)
        return builder.select(builder.icmp_signed("==", failed, ir.Constant(_I64, -1)), error, _ZERO)

    return types.int64(words, types.intp, types.int64, types.int64), generate


@intrinsic
def _futex_wake_intrinsic(typing_context: Any, words: Any, idx: Any) -> Any:
    require_words(words, written=True)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = word_pointer(context, builder, signature.args[0], args[0], args[1])
        return _futex(builder, pointer, _FUTEX_WAKE, ir.Constant(_I64, 1), _ZERO)

    return types.int64(words, types.intp), generate


@intrinsic
def _signal_event_intrinsic(typing_context: Any, descriptor: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        write = declared(builder, _I32, [_I32, _I64], "eventfd_write")
        builder.call(write, [builder.trunc(args[0], _I32), ir.Constant(_I64, 1)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _futex(builder: Any, pointer: Any, operation: int, value: Any, limit: Any) -> Any:
    """Call the system for the low half of a word: what futex(2) knows has 32 bits."""
    call = ir.FunctionType(_I64, [_I64], var_arg=True)
    system = cgutils.get_or_insert_function(builder.module, call, "syscall")
    word = builder.ptrtoint(pointer, _I64)
    numbers = ir.Constant(_I64, _SYS_FUTEX), word, ir.Constant(_I64, operation), value, limit, _ZERO, _ZERO
    return builder.call(system, numbers)


def _timespec(builder: Any, duration_ns: Any) -> Any:
    """Return a pointer to a duration as the C library takes it."""
    wanted = cgutils.alloca_once(builder, TIMESPEC)
    billion = ir.Constant(_I64, NS_PER_S)
    builder.store(builder.sdiv(duration_ns, billion), cgutils.gep_inbounds(builder, wanted, 0, 0))
    builder.store(builder.srem(duration_ns, billion), cgutils.gep_inbounds(builder, wanted, 0, 1))
    return wanted


_sleep: Any = _sleep_intrinsic
_futex_wait: Any = _futex_wait_intrinsic
_futex_wake: Any = _futex_wake_intrinsic
_signal_event: Any = _signal_event_intrinsic


@njit
def sleep_ns(duration_ns: int) -> None:
    """Sleep about `duration_ns`, less when a signal comes. Holds the interpreter lock."""
    _sleep(duration_ns)


@njit
def futex_wait(words: Words, i: int, value: int, limit_ns: int) -> int:
    """Sleep while words[i] is `value`, until somebody wakes it, about limit_ns at most.

    Returns 0 when woken, else the error: EAGAIN (it is another value), ETIMEDOUT, EINTR (a signal).
    The time-out is of the monotonic clock. Only the low 32 bits of the word are compared.
    """
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    outcome: int = _futex_wait(words, i, value, limit_ns)
    return outcome


@njit
def futex_wake(words: Words, i: int) -> int:
    """Wake the one who sleeps on words[i]; return how many did."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    count: int = _futex_wake(words, i)
    return count


@njit
def signal_event(descriptor: int) -> None:
    """Add 1 to an eventfd: whoever polls it wakes."""
    _signal_event(descriptor)


def _sleep_plain(duration_ns: int) -> None:
    time.sleep(duration_ns / NS_PER_S)


def _futex_wait_plain(words: Words, i: int, value: int, limit_ns: int) -> int:
    if words[i] != value:
        return errno.EAGAIN
    time.sleep(limit_ns / NS_PER_S)
    return errno.ETIMEDOUT


def _futex_wake_plain(words: Words, i: int) -> int:
    return 0


def _signal_event_plain(descriptor: int) -> None:
    os.eventfd_write(descriptor, 1)


if not COMPILED:
    # Intrinsics cannot run uncompiled; the functions above find these under the same names.
    _sleep = _sleep_plain
    _futex_wait, _futex_wake = _futex_wait_plain, _futex_wake_plain
    _signal_event = _signal_event_plain
