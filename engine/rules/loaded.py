"""Compiled sets of rules as kernels call them: a table of this process, found by the hash of their sources.

    kernel -- find_loaded(hash) --> row --> matches(row, p, ctx, params)
                   |  not there yet
                   '--> loader (engine/rules/loader.py) compiles or loads it, and fills a row

A state names a set by its hash alone, for where its code lies is another place in each process. Kernels
reach the table and the loader by symbols of their names, which survive numba's cache as addresses would
not. Rows are taken round and round; what a row holds lives as long as it is there.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import llvmlite.binding as untyped_binding
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types as untyped_types
from numba.extending import intrinsic
from numba.np.numpy_support import carray as untyped_carray

from engine.rules.vocabulary import PARAMS_MAX, RULES_MAX
from ringbuf.kernel import COMPILED, inlined, kernel

binding: Any = untyped_binding
types: Any = untyped_types
carray: Any = untyped_carray
Words = npt.NDArray[np.int64]

ROWS = 64
ACTIONS_MAX = 3
HASH, CODE, DEFAULTS, KEYS, COUNT, READING, ASKING = 0, 2, 3, 4, 5, 6, 7
ROW_WORDS = ASKING + ACTIONS_MAX
"""Words of a row: hash (2 words), addresses of the code, of its params and of their keys, how many rules,
which words of the context they read, a bit each, then for each action, in the order of the vocabulary,
which of them ask for it, a bit each."""
ALL_PARAMS = RULES_MAX * PARAMS_MAX
TABLE: Words = np.zeros(ROWS * ROW_WORDS, np.int64)
_TABLE_NAME, _LOADER_NAME = "pinion_rule_sets", "pinion_load_rule_set"
as_c_function: Any = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Matching(Protocol):
    """What fills a row besides its words: the set as plain Python."""

    def plainly(self, p: Words, ctx: Words, params: Words) -> int:
        """Return which rules match, as `rule_set` does."""


class LoadedSet(NamedTuple):
    """What a row holds of a set besides code and params.

    asking : for each action the rules that ask for it, a bit each
    reading : the words of the context that they read, a bit each
    """

    plain: Matching
    asking: list[int]
    reading: int


class _Process:
    """What this process has loaded."""

    def __init__(self) -> None:
        self.load: Callable[[int, int], int] | None = None
        self.kept: list[tuple[Matching, Words, Words] | None] = [None] * ROWS
        self.next_row = 0


_process = _Process()


def load_with(load: Callable[[int, int], int]) -> None:
    """Say who loads what a kernel does not find: takes the hash, returns the row; it must not fail."""
    _process.load = load


def fill(words: tuple[int, int], code: int, params: tuple[Words, Words], own: LoadedSet) -> int:
    """Put a set into a row and return which.

    words : its hash
    code : address of its `rule_set`, 0 where kernels run as plain Python
    params : what its params are where nobody says others, and the key of each, int64[count * PARAMS_MAX]
    """
    row = _process.next_row
    _process.next_row = (row + 1) % ROWS
    defaults, keys = params
    at = row * ROW_WORDS
    TABLE[at + HASH : at + HASH + 2] = words
    TABLE[at + CODE] = code
    TABLE[at + DEFAULTS], TABLE[at + KEYS] = defaults.ctypes.data, keys.ctypes.data
    TABLE[at + COUNT] = len(defaults) // PARAMS_MAX
    TABLE[at + ASKING : at + ROW_WORDS] = 0
    TABLE[at + ASKING : at + ASKING + len(own.asking)] = own.asking
    TABLE[at + READING] = own.reading
    _process.kept[row] = (own.plain, defaults, keys)
    return row


def _loaded(first: int, second: int) -> int:
    assert _process.load is not None, "a process that applies commands says who loads rules"
    return _process.load(first, second)


_load_from_kernel = as_c_function(_loaded)
binding.add_symbol(_TABLE_NAME, TABLE.ctypes.data)
binding.add_symbol(_LOADER_NAME, ctypes.cast(_load_from_kernel, ctypes.c_void_p).value)


if COMPILED:
    _WORD = ir.IntType(64)
    _WORDS = _WORD.as_pointer()
    _load: Any = types.ExternalFunction(_LOADER_NAME, types.int64(types.int64, types.int64))

    @intrinsic
    def _table(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            found = builder.module.globals.get(_TABLE_NAME)
            if found is None:
                found = ir.GlobalVariable(builder.module, ir.ArrayType(_WORD, len(TABLE)), _TABLE_NAME)
                found.linkage = "external"
            return builder.bitcast(found, _WORDS)

        return types.CPointer(types.int64)(), generate

    @intrinsic
    def _words_at(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], _WORDS)

        return types.CPointer(types.int64)(types.int64), generate

    @intrinsic
    def _call(typing_context: Any, address: Any, p: Any, ctx: Any, params: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            of = ir.FunctionType(_WORD, [_WORDS] * 3).as_pointer()
            arrays = zip(signature.args[1:], args[1:], strict=True)
            pointers = [context.make_array(kind)(context, builder, value).data for kind, value in arrays]
            return builder.call(builder.inttoptr(args[0], of), pointers)

        return types.int64(types.int64, p, ctx, params), generate

    table: Any = _table  # mypy takes an intrinsic for its generator
    words_at: Any = _words_at
    call: Any = _call

    @inlined
    def loaded_word(row, word):
        """Return a word of a row."""
        return carray(table(), (ROWS * ROW_WORDS,))[row * ROW_WORDS + word]

    @kernel
    def words_of_row(row, word):
        """Return the params of a row, or their keys: int64[ALL_PARAMS], of which those of its rules count."""
        return carray(words_at(loaded_word(row, word)), (ALL_PARAMS,))

    @inlined
    def matches(row, p, ctx, params):
        """Return which rules of a set match a request, a bit each; p, ctx, params : int64 arrays."""
        return call(loaded_word(row, CODE), p, ctx, params)

else:
    _load = _loaded

    def loaded_word(row, word):
        """Return a word of a row."""
        return TABLE[row * ROW_WORDS + word]

    def words_of_row(row, word):
        """Return the params of a row, or their keys."""
        kept = _process.kept[row]
        return kept[1] if word == DEFAULTS else kept[2]

    def matches(row, p, ctx, params):
        """Return which rules of a set match a request, a bit each."""
        return np.int64(_process.kept[row][0].plainly(p, ctx, params))


@kernel
def find_loaded(first, second):
    """Return the row of a set by its hash, loading it where it is not there."""
    for row in range(ROWS):
        if loaded_word(row, HASH) == first and loaded_word(row, HASH + 1) == second:
            return np.int64(row)
    return np.int64(_load(first, second))
