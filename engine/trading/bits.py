"""The lowest set bit of a word, compiled to one instruction and as plain Python."""

from numba import njit
from numba.core.errors import TypingError
from numba.core.types import Integer
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import overload


def lowest_bit(bits):  # type: ignore[no-untyped-def]  # numba compares the signatures
    """Return the position of the lowest set bit of a positive int64."""
    word = int(bits)
    return (word & -word).bit_length() - 1


@overload(lowest_bit, inline="always")
def _lowest_bit_compiled(bits):  # type: ignore[no-untyped-def]  # numba compares the signatures
    if not isinstance(bits, Integer):
        raise TypingError(f"lowest_bit takes an integer, not {bits}")
    return lambda bits: trailing_zeros(bits)


@njit(cache=True)
def is_power_of_two(bits):
    """Tell whether exactly one bit of a positive int64 is set."""
    return bits & (bits - 1) == 0
