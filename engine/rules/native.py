"""Functions of integers as machine code: compiled once, kept on the disk, loaded from there in milliseconds.

    FOLDER/KEY      the libraries of one source: a digest; name, symbol and object code of each function

KEY is a hash of the source and of all that decides what it compiles to: numba, processor, signatures. The
symbols bear it too, so a process may load what another one has compiled beside what it compiles itself.
A file that is missing or not whole is compiled again and replaced.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numba
from blake3 import blake3
from numba.core.registry import cpu_target as untyped_cpu_target

from ringbuf.kernel_cache import CACHED
from ringbuf.whole_files import write_atomically

DIGEST_BYTES = 32
cpu_target: Any = untyped_cpu_target  # numba's annotations of itself do not help here
cfunc: Any = numba.cfunc
njit: Any = numba.njit


class _Code(NamedTuple):
    """One function on the disk."""

    name: str
    symbol: str
    library: str
    object_code: bytes
    bitcode: bytes


@dataclass(frozen=True, slots=True)
class Native:
    """A compiled function: `address` is that of a C function, which lives as long as this does."""

    address: int
    library: Any = field(repr=False)


@cache
def native(
    source: str, parts: Any, functions: tuple[tuple[str, Any], ...], folder: Path
) -> Mapping[str, Callable[[], Native]]:
    """Return what gives the functions of a source, each loaded once it is asked for, once a process.

    parts : signature of the functions that the others call, which are compiled into these
    functions : name and signature of each that is wanted
    folder : where code is kept
    """
    path = folder / key_of(source, parts, functions)
    kept = _load(path)
    if kept is not None:
        return {each.name: cache(partial(_linked, each)) for each in kept}
    made = _compile(source, parts, functions, path.name)
    _keep(path, [_kept(name, each) for name, each in made.items()])
    return {name: partial(Native, each.address, each) for name, each in made.items()}


def key_of(source: str, parts: Any, functions: Sequence[tuple[str, Any]]) -> str:
    """Return the hash under which the code of a source is kept."""
    compiler = numba.__version__, cpu_target.target_context.codegen().magic_tuple()
    of = repr((compiler, str(parts), [(name, str(signature)) for name, signature in functions], source))
    return hashlib.blake2b(of.encode(), digest_size=16).hexdigest()


def _load(path: Path) -> list[_Code] | None:
    """Return what lies on the disk, None where nothing does that is whole and ours."""
    try:
        content = path.read_bytes()
    except OSError:  # there is none, or it is somebody else's: it is compiled here then
        return None
    digest, body = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return msgspec.msgpack.decode(body, type=list[_Code]) if blake3(body).digest() == digest else None


def _keep(path: Path, kept: list[_Code]) -> None:
    """Put functions on the disk."""
    body = msgspec.msgpack.encode(kept)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, blake3(body).digest() + body, mode=CACHED)
    except OSError:  # a cache that cannot be written: the next process compiles again
        pass


def _compile(source: str, parts: Any, functions: Sequence[tuple[str, Any]], key: str) -> Mapping[str, Any]:
    """Compile functions of a source, and into them whatever else it defines."""
    names: dict[str, Any] = {}
    exec(compile(source, f"<rules {key}>", "exec"), names)
    del names["__builtins__"]  # Python puts it there
    inlined = njit(parts, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    wanted = dict(functions)
    for name, function in names.items():
        function.__qualname__ = f"{name}_{key}"
        names[name] = function if name in wanted else inlined(function)
    return {name: cfunc(signature)(names[name]) for name, signature in functions}


def _kept(name: str, compiled: Any) -> _Code:
    """Return what of a compiled function goes to the disk."""
    library, _, (object_code, bitcode) = compiled._library.serialize_using_object_code()
    return _Code(name, compiled.native_name, library, object_code, bitcode)


def _linked(kept: _Code) -> Native:
    """Load a function into this process."""
    state = kept.library, "object", (kept.object_code, kept.bitcode)
    library = cpu_target.target_context.codegen().unserialize_library(state)
    return Native(library.get_pointer_to_function(kept.symbol), library)
