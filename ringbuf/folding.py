"""Sixteen words in one, for a hash over slots of 128 bytes: a handful of vector instructions."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from ringbuf.atomics import COMPILED, Words, cgutils, declared
from ringbuf.njit import njit

COLUMNS = 4
FOLDED_WORDS = COLUMNS * COLUMNS
WORD_BITS = 64
TURNS = tuple(column * WORD_BITS // COLUMNS for column in range(COLUMNS))
_I64 = ir.IntType(WORD_BITS)
_ROW = ir.VectorType(_I64, COLUMNS)
_WORD_BYTES = 8
_ALL_BITS = (1 << WORD_BITS) - 1


@intrinsic
def _fold_intrinsic(typing_context: Any, words: Any, row: Any) -> Any:
    if not isinstance(words, types.Array) or words.dtype != types.int64 or words.ndim != 2:
        raise TypingError(f"fold_words works on two-dimensional int64 arrays, not on {words}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        first = context.get_constant(types.intp, 0)
        pointer = cgutils.get_item_pointer(
            context, builder, signature.args[0], made, [args[1], first], wraparound=False
        )
        rows = builder.bitcast(pointer, _ROW.as_pointer())
        folded = ir.Constant(_ROW, [0] * COLUMNS)
        for part in range(COLUMNS):
            at = builder.gep(rows, [context.get_constant(types.intp, part)])
            folded = builder.xor(folded, builder.load(at, align=_WORD_BYTES))
        turn = declared(builder, _ROW, [_ROW, _ROW, _ROW], "llvm.fshl.v4i64")
        folded = builder.call(turn, [folded, folded, ir.Constant(_ROW, list(TURNS))])
        return builder.call(declared(builder, _I64, [_ROW], "llvm.vector.reduce.xor.v4i64"), [folded])

    return types.int64(words, types.intp), generate


_fold: Any = _fold_intrinsic


@njit
def fold_words(words: Words, row: int) -> int:
    """Return the first FOLDED_WORDS words of a row in one, so that no column stands for another.

    words : int64[n, at least FOLDED_WORDS]

    Seen as four rows of four words, the columns' words are combined by exclusive or, each column is
    turned to the left by TURNS, and the four are combined. Every bit of every word counts.
    """
    if COMPILED:
        folded: int = _fold(words, row)
        return folded
    folded = 0
    for column in range(COLUMNS):
        value = 0
        for part in range(COLUMNS):
            value ^= int(words[row, part * COLUMNS + column]) & _ALL_BITS
        folded ^= (value << TURNS[column] | value >> (WORD_BITS - TURNS[column])) & _ALL_BITS
    return int(np.uint64(folded).astype(np.int64))
