"""`njit`: numba's own, with a cache that processes may fill side by side.

numba gives numbers in two places, each without a word between the processes that fill one cache:

- Its index counts the files of code of a function. Two processes that compile two signatures at
  once may take the same file, and one then runs the other's code. Here every signature has one
  file, named after it and put in its place whole.
- Each process counts the functions that it compiles and the record types that it meets, and names
  code after these two numbers. What two processes compile for two records may bear one name, and
  a process that links both gets one of them twice. Here each process counts its functions from
  a place of its own on.
"""

import hashlib
import itertools
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
from numba.core import config as untyped_config
from numba.core.bytecode import FunctionIdentity as UntypedFunctionIdentity
from numba.core.caching import FunctionCache as UntypedFunctionCache
from numba.core.dispatcher import Dispatcher as UntypedDispatcher
from numba.core.serialize import dumps as untyped_dumps

from ringbuf.kernel_cache import CACHED, use_source_keyed_cache
from ringbuf.whole_files import write_atomically

use_source_keyed_cache()  # numba fixes a function's folder when that is decorated
Function = TypeVar("Function", bound=Callable[..., Any])
config: Any = untyped_config
Dispatcher: Any = UntypedDispatcher
dumps: Any = untyped_dumps
FunctionCache: Any = UntypedFunctionCache  # numba is untyped
FunctionIdentity: Any = UntypedFunctionIdentity


def count_functions_anew() -> None:
    """Number the functions that this process compiles from a random place on, which no other will draw."""
    FunctionIdentity._unique_ids = itertools.count(int.from_bytes(os.urandom(8)))


count_functions_anew()
os.register_at_fork(after_in_child=count_functions_anew)


class CodeFiles:
    """The compiled code of one function: a file for each signature and processor.

    A file holds what it was compiled from, then the code. Where that differs, or the file breaks off,
    the code counts as missing: the function is compiled again and the file replaced.
    """

    def __init__(self, folder: str, function_name: str, source_stamp: Any) -> None:
        self._folder = Path(folder)
        self._function_name = function_name
        self._stamp = numba.__version__, source_stamp

    def save(self, key: tuple[Any, ...], code: Any) -> None:
        """Put the code of a signature in its place."""
        content = dumps((self._stamp, key)) + dumps(code)
        write_atomically(self._path(key), content, mode=CACHED)

    def load(self, key: tuple[Any, ...]) -> Any:
        """Return the code of a signature, None where there is none; say so under NUMBA_DEBUG_CACHE."""
        path = self._path(key)
        if config.DEBUG_CACHE:
            print(f"[cache] data looked up in {str(path)!r}")
        try:
            with path.open("rb") as file:
                return pickle.load(file) if pickle.load(file) == (self._stamp, key) else None
        except (FileNotFoundError, EOFError, pickle.UnpicklingError):
            return None

    def flush(self) -> None:
        """Forget every signature."""
        for path in self._folder.glob("*.nbc"):
            if path.name.startswith(f"{self._function_name}."):
                path.unlink(missing_ok=True)

    def _path(self, key: tuple[Any, ...]) -> Path:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
        return self._folder / f"{self._function_name}.{digest}.nbc"


class KernelCache(FunctionCache):  # type: ignore[misc]  # numba is untyped
    """numba's cache of a function, kept in CodeFiles."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = CodeFiles(self.cache_path, self._impl.filename_base, stamp)


@overload
def njit(function: Function) -> Function: ...
@overload
def njit(**options: Any) -> Callable[[Function], Function]: ...
def njit(function: Any = None, **options: Any) -> Any:
    """Compile as numba's njit does, cached; plain Python under NUMBA_DISABLE_JIT=1."""
    if function is None:
        return partial(njit, **options)
    compiled: Any = numba.njit(**options)(function)
    if isinstance(compiled, Dispatcher):
        compiled._cache = KernelCache(function)  # as its enable_caching does with numba's own
    return compiled
