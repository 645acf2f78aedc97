"""Ordered loads and stores on shared int64 words, and what a ring kernel needs of the machine.

A plain array read in a spin loop is hoisted out of it and plain stores may be reordered,
so a word that two processes share is touched through these functions alone:

    writer                              reader
    store the data (plain)              load_acquire(words, i)
    store_release(words, i, value)  ->  load the data (plain)

    store_relaxed(words, i, value)      copy the data (plain)
    fence_release()                     fence_acquire()
    store the data (plain)          ->  load_relaxed(words, i)   sees at least that value

All are @njit and callable from kernels and from Python alike. `words` is an int64 array of
one dimension: a view of shared memory or a nested array field of a record. An index is not
checked, unless numba's own bounds checking is on. Under NUMBA_DISABLE_JIT=1 the plain-Python
bodies at the end of the file take over: single process only, they promise no order.
"""

import os
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils as untyped_cgutils
from numba.core import config as untyped_config
from numba.core.errors import TypingError
from numba.extending import intrinsic

from ringbuf.njit import njit

Words = npt.NDArray[np.int64]

cgutils: Any = untyped_cgutils
config: Any = untyped_config

COMPILED = not config.DISABLE_JIT
BOUNDS_CHECKED = bool(config.BOUNDSCHECK)
CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
NS_PER_S = 1_000_000_000

_WORD_BYTES = 8
_I32 = ir.IntType(32)
_BYTES = ir.IntType(8).as_pointer()
_I64 = ir.IntType(64)
_BIT = ir.IntType(1)
TIMESPEC = ir.LiteralStructType([_I64, _I64])


def require_words(words: types.Type, *, written: bool) -> None:
    """Refuse anything but a one-dimensional int64 array, and a read-only one where it is written."""
    if not isinstance(words, types.Array) or words.dtype != types.int64 or words.ndim != 1:
        raise TypingError(f"atomics work on one-dimensional int64 arrays, not on {words}")
    if written and not words.mutable:
        raise TypingError("this word is mapped read-only and cannot be stored to")


def word_pointer(context: Any, builder: Any, words_type: Any, words: Any, idx: Any) -> Any:
    """Return the address of words[idx]."""
    array = context.make_array(words_type)(context, builder, words)
    return cgutils.get_item_pointer(context, builder, words_type, array, [idx], wraparound=False)


def _make_load(ordering: str) -> Any:
    """Make the intrinsic that loads one word with this ordering."""

    @intrinsic
    def load(typing_context: Any, words: Any, idx: Any) -> Any:
        require_words(words, written=False)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = word_pointer(context, builder, signature.args[0], args[0], args[1])
            return builder.load_atomic(pointer, ordering, _WORD_BYTES)

        return types.int64(words, types.intp), generate

    return load


def _make_store(ordering: str) -> Any:
    """Make the intrinsic that stores one word with this ordering."""

    @intrinsic
    def store(typing_context: Any, words: Any, idx: Any, value: Any) -> Any:
        require_words(words, written=True)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = word_pointer(context, builder, signature.args[0], args[0], args[1])
            builder.store_atomic(args[2], pointer, ordering, _WORD_BYTES)
            return context.get_dummy_value()

        return types.void(words, types.intp, types.int64), generate

    return store


def _make_fence(ordering: str) -> Any:
    """Make the intrinsic that orders the plain accesses around it."""

    @intrinsic
    def fence(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            builder.fence(ordering)
            return context.get_dummy_value()

        return types.void(), generate

    return fence


def declared(builder: Any, result: Any, arguments: list[Any], name: str) -> Any:
    """Declare a function of the C library, or an LLVM intrinsic, by its name.

    A name survives numba's cache; an address (ctypes) would not.
    """
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


@intrinsic
def _pause_intrinsic(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.call(declared(builder, ir.VoidType(), [], "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _cycles_intrinsic(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.call(declared(builder, _I64, [], "llvm.readcyclecounter"), [])

    return types.int64(), generate


@intrinsic
def _yield_core_intrinsic(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.call(declared(builder, _I32, [], "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _clock_intrinsic(typing_context: Any, clock: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        now = cgutils.alloca_once(builder, TIMESPEC)
        read = declared(builder, _I32, [_I32, TIMESPEC.as_pointer()], "clock_gettime")
        builder.call(read, [args[0], now])
        seconds = builder.load(cgutils.gep_inbounds(builder, now, 0, 0))
        rest_ns = builder.load(cgutils.gep_inbounds(builder, now, 0, 1))
        return builder.add(builder.mul(seconds, ir.Constant(_I64, NS_PER_S)), rest_ns)

    return types.int64(types.int32), generate


@intrinsic
def _exchange_intrinsic(typing_context: Any, words: Any, idx: Any, expected: Any, value: Any) -> Any:
    require_words(words, written=True)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = word_pointer(context, builder, signature.args[0], args[0], args[1])
        found = builder.cmpxchg(pointer, args[2], args[3], "seq_cst", "monotonic")
        return builder.extract_value(found, 1)

    return types.boolean(words, types.intp, types.int64, types.int64), generate


@intrinsic
def _prefetch_intrinsic(typing_context: Any, array: Any, idx: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        pointer = cgutils.get_item_pointer(
            context, builder, signature.args[0], made, [args[1]], wraparound=False
        )
        pointer = builder.bitcast(pointer, _BYTES)
        hint = declared(builder, ir.VoidType(), [_BYTES, _I32, _I32, _I32], "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(_I32, value) for value in (0, 3, 1))
        builder.call(hint, [pointer, read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def _copy_intrinsic(
    typing_context: Any, to: Any, to_row: Any, to_word: Any, source: Any, row: Any, word: Any, count: Any
) -> Any:
    for words in (to, source):
        if not isinstance(words, types.Array) or words.dtype != types.int64 or words.ndim != 2:
            raise TypingError(f"copy_words works on two-dimensional int64 arrays, not on {words}")
    if not to.mutable:
        raise TypingError("these words are mapped read-only and cannot be copied to")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def address(kind: Any, array: Any, first: Any, second: Any) -> Any:
            made = context.make_array(kind)(context, builder, array)
            pointer = cgutils.get_item_pointer(
                context, builder, kind, made, [first, second], wraparound=False
            )
            return builder.bitcast(pointer, _BYTES)

        kinds = signature.args
        target = address(kinds[0], args[0], args[1], args[2])
        origin = address(kinds[3], args[3], args[4], args[5])
        bytes_count = builder.mul(args[6], ir.Constant(_I64, _WORD_BYTES))
        copy = declared(builder, ir.VoidType(), [_BYTES, _BYTES, _I64, _BIT], "llvm.memcpy.p0.p0.i64")
        builder.call(copy, [target, origin, bytes_count, ir.Constant(_BIT, 0)])
        return context.get_dummy_value()

    index = types.intp
    return types.void(to, index, index, source, index, index, index), generate


_load_acquire: Any = _make_load("acquire")
_load_relaxed: Any = _make_load("monotonic")
_store_release: Any = _make_store("release")
_store_relaxed: Any = _make_store("monotonic")
_fence_acquire: Any = _make_fence("acquire")
_fence_release: Any = _make_fence("release")
_fence_full: Any = _make_fence("seq_cst")
_pause: Any = _pause_intrinsic
_cycles: Any = _cycles_intrinsic
_yield: Any = _yield_core_intrinsic
_clock: Any = _clock_intrinsic
_exchange: Any = _exchange_intrinsic
_prefetch: Any = _prefetch_intrinsic
_copy: Any = _copy_intrinsic


@njit
def load_acquire(words: Words, i: int) -> int:
    """Return words[i]; nothing after this is read or written before it."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    return _load_acquire(words, i)


@njit
def load_relaxed(words: Words, i: int) -> int:
    """Return words[i], whole and fresh, without ordering anything: use a fence beside it."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    return _load_relaxed(words, i)


@njit
def store_release(words: Words, i: int, value: int) -> None:
    """Set words[i]; whoever load_acquires the value sees all that was written before."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    _store_release(words, i, value)


@njit
def store_relaxed(words: Words, i: int, value: int) -> None:
    """Set words[i] whole, without ordering anything: use a fence beside it."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    _store_relaxed(words, i, value)


@njit
def fence_acquire() -> None:
    """Keep every earlier load before every later load and store."""
    _fence_acquire()


@njit
def fence_release() -> None:
    """Keep every earlier load and store before every later store."""
    _fence_release()


@njit
def fence_full() -> None:
    """Keep every earlier load and store before every later one: a store before a load, too."""
    _fence_full()


@njit
def exchange(words: Words, i: int, expected: int, value: int) -> bool:
    """Set words[i] to `value` if it is `expected`, in one step; tell whether it was. A full fence."""
    if BOUNDS_CHECKED:
        assert 0 <= i < words.shape[0]
    return _exchange(words, i, expected, value)


@njit
def cpu_pause() -> None:
    """Tell the core that this is a spin loop."""
    _pause()


@njit
def cycle_count() -> int:
    """Return the time-stamp counter: cheap, constant rate, of no fixed unit."""
    return _cycles()


@njit
def clock_realtime_ns() -> int:
    """Return the wall clock, ns since 1970."""
    return _clock(CLOCK_REALTIME)


@njit
def clock_monotonic_ns() -> int:
    """Return the monotonic clock of this machine, ns; the same in all its processes."""
    return _clock(CLOCK_MONOTONIC)


@njit
def sched_yield() -> None:
    """Let another runnable process have this core."""
    _yield()


def _load_plain(words: Words, i: int) -> int:
    return int(words[i])


def _store_plain(words: Words, i: int, value: int) -> None:
    words[i] = value


def _nothing() -> None:
    return None


def _copy_plain(to: Words, to_row: int, to_word: int, source: Words, row: int, word: int, count: int) -> None:
    first, begin = to_row * to.shape[1] + to_word, row * source.shape[1] + word
    to.reshape(-1)[first : first + count] = source.reshape(-1)[begin : begin + count]


def _exchange_plain(words: Words, i: int, expected: int, value: int) -> bool:
    found = bool(words[i] == expected)
    if found:
        words[i] = value
    return found


if not COMPILED:
    # Intrinsics cannot run uncompiled; the functions above find these under the same names.
    _load_acquire = _load_relaxed = _load_plain
    _store_release = _store_relaxed = _store_plain
    _fence_acquire = _fence_release = _fence_full = _pause = _nothing
    _exchange = _exchange_plain
    _yield = os.sched_yield
    _clock = time.clock_gettime_ns
    _cycles = time.perf_counter_ns
    _copy = _copy_plain


@njit
def prefetch(array: Any, i: int) -> None:
    """Ask the cache for the line that array[i] begins in: a hint, which reads and writes nothing.

    array : any array of scalars or records; i must lie within it
    """
    if COMPILED:
        _prefetch(array, i)


@njit
def copy_words(to: Words, to_row: int, to_word: int, source: Words, row: int, word: int, count: int) -> None:
    """Copy `count` words, from source[row, word] on, to to[to_row, to_word] on: rows run together.

    Both are C-contiguous int64 arrays of two dimensions that do not overlap; indices are not
    checked. It is memcpy: a loop over words costs four times as much, since the compiler cannot
    know that the two do not overlap.
    """
    _copy(to, to_row, to_word, source, row, word, count)
