"""What `make bounds` says of kernels that are compiled for several types, or not at all."""

from typing import Any

import numpy as np
from numba import njit

from tests.engine.kernel_work import NOT_HERE, SEVERAL, faults
from tests.house_rules.kernels import kernels, module_of


def kernel_for(*given: Any) -> Any:
    """Return a kernel that was called with each of these."""

    @njit
    def planted(value: Any) -> Any:
        return value

    for each in given:
        planted(each)
    return planted


def test_a_kernel_that_was_compiled_for_one_type_is_no_fault() -> None:
    assert faults([kernel_for(1, 2)]) == []


def test_a_kernel_that_was_compiled_twice_is_named_with_its_types() -> None:
    (found,) = faults([kernel_for(np.zeros(3, np.int64), np.zeros((3, 3), np.int64))])

    assert "planted: compiled for 2 types" in found
    assert "Array(int64, 1" in found
    assert "Array(int64, 2" in found


def test_a_kernel_that_nothing_called_is_named() -> None:
    (found,) = faults([kernel_for()])

    assert "planted: compiled for 0 types" in found


def test_only_kernels_that_exist_are_excepted() -> None:
    known = {f"{module_of(path)}.{function.name}" for path, function, _ in kernels()}

    assert {*SEVERAL, *NOT_HERE} <= known
