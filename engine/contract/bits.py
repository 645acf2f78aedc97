"""The lowest and the highest set bit of a word, compiled to one instruction each and as plain Python."""

from typing import Any

from numba.core.errors import TypingError
from numba.core.types import Integer
from numba.cpython.unsafe.numbers import leading_zeros as untyped_leading_zeros
from numba.cpython.unsafe.numbers import trailing_zeros as untyped_trailing_zeros
from numba.extending import overload

from ringbuf.njit import njit

leading_zeros: Any = untyped_leading_zeros  # mypy takes an intrinsic for its generator
trailing_zeros: Any = untyped_trailing_zeros


def lowest_bit(bits: int) -> int:
    """Return the position of the lowest set bit of a positive int64."""
    word = int(bits)
    return (word & -word).bit_length() - 1


@overload(lowest_bit, inline="always")
def _lowest_bit_compiled(bits: Any) -> Any:
    if not isinstance(bits, Integer):
        raise TypingError(f"lowest_bit takes an integer, not {bits}")

    def compiled(bits: Any) -> Any:
        return trailing_zeros(bits)

    return compiled


def highest_bit(bits: int) -> int:
    """Return the position of the highest set bit of a positive int64."""
    return int(bits).bit_length() - 1


@overload(highest_bit, inline="always")
def _highest_bit_compiled(bits: Any) -> Any:
    if not isinstance(bits, Integer):
        raise TypingError(f"highest_bit takes an integer, not {bits}")

    def compiled(bits: Any) -> Any:
        return 63 - leading_zeros(bits)

    return compiled


@njit
def is_power_of_two(bits: int) -> bool:
    """Tell whether exactly one bit of a positive int64 is set."""
    return bits & (bits - 1) == 0
