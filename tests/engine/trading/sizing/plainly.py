"""Kernels as plain Python all the way down, beside the same kernels compiled."""

from types import FunctionType
from typing import Any

import numpy as np

from ringbuf.kernel import COMPILED


def plain(function: Any) -> Any:
    """Return a kernel as plain Python, and likewise every kernel that it calls."""
    inner = function.py_func if COMPILED else function
    called = {name: inner.__globals__[name] for name in inner.__code__.co_names if name in inner.__globals__}
    names = {name: plain(value) if hasattr(value, "py_func") else value for name, value in called.items()}
    return FunctionType(inner.__code__, {**inner.__globals__, **names}, inner.__name__)


def both(function: Any, *arguments: Any) -> list[Any]:
    """Return what a kernel answers compiled, and plain with an error for whatever leaves int64."""
    numbers = [np.int64(each) if isinstance(each, int) else each for each in arguments]
    with np.errstate(all="raise"):
        return [function(*numbers), plain(function)(*numbers)]
