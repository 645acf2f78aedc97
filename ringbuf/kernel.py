"""`kernel`: numba's njit for code on the hot path, whose indices are never negative.

Numba lets an array be indexed from its end (`a[-1]`), so at every access with a signed index it
adds the length where the index is below zero. A command makes some two hundred accesses, all of
them from the front: the test costs a fifth of all instructions (docs/decisions/0017). Here the
index is taken as unsigned instead, after type inference, so no kernel looks different for it.
An index below zero is out of bounds then, and found as such under NUMBA_BOUNDSCHECK=1.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba.core import compiler as untyped_compiler
from numba.core import config as untyped_config
from numba.core import ir as untyped_ir
from numba.core import types as untyped_types
from numba.core.compiler_machinery import FunctionPass as UntypedFunctionPass
from numba.core.compiler_machinery import register_pass as untyped_register_pass
from numba.core.lowering import Lower as UntypedLower
from numba.core.typed_passes import NativeLowering as UntypedNativeLowering
from numba.core.typed_passes import NopythonRewrites
from numba.core.typing.templates import signature as untyped_signature

from ringbuf.njit import njit

config: Any = untyped_config
compiler: Any = untyped_compiler  # numba's annotations of itself do not help here
ir: Any = untyped_ir
types: Any = untyped_types
FunctionPass: Any = UntypedFunctionPass
Lower: Any = UntypedLower
NativeLowering: Any = UntypedNativeLowering
register_pass: Any = untyped_register_pass
signature: Any = untyped_signature


COMPILED = not config.DISABLE_JIT


@register_pass(mutates_CFG=False, analysis_only=False)
class UnsignedIndices(FunctionPass):  # type: ignore[misc]  # numba is untyped
    """Declare every signed integer index into an array as unsigned; lowering then casts it."""

    _name = "unsigned_indices"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Change the call types of reads and writes of items; tell whether any was changed."""
        changed = False
        for block in state.func_ir.blocks.values():
            for statement in block.body:
                item = statement.value if isinstance(statement, ir.Assign) else statement
                is_read = isinstance(item, ir.Expr) and item.op == "getitem"
                if not is_read and not isinstance(item, ir.SetItem):
                    continue
                found = state.calltypes[item]
                array, index, *rest = found.args
                if isinstance(array, types.Array) and index != unsigned(index):
                    del state.calltypes[item]  # an entry cannot be overwritten
                    state.calltypes[item] = signature(found.return_type, array, unsigned(index), *rest)
                    changed = True
        return changed


def unsigned(index: Any) -> Any:
    """Return the type of an index, or of several, with its signed integers as unsigned ones."""
    if isinstance(index, types.Integer):
        return types.uintp if index.signed else index
    if isinstance(index, types.BaseTuple) and all(isinstance(each, types.Integer) for each in index):
        return types.Tuple([unsigned(each) for each in index])
    return index


class KernelCompiler(compiler.CompilerBase):  # type: ignore[misc]  # numba is untyped
    """Numba's own pipeline with one pass more."""

    def define_pipelines(self) -> list[Any]:
        """Return the pipeline."""
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(UnsignedIndices, NopythonRewrites)
        passes.finalize()
        return [passes]


class LowerApart(Lower):  # type: ignore[misc]  # numba is untyped
    """Numba's lowering of a function to LLVM, which is told to compile none of its calls in place."""

    def setup_function(self, fndesc: Any) -> None:
        """Declare the function."""
        super().setup_function(fndesc)
        self.function.attributes.add("noinline")


@register_pass(mutates_CFG=True, analysis_only=False)
class LoweringApart(NativeLowering):  # type: ignore[misc]  # numba is untyped
    """Numba's own pass with LowerApart."""

    _name = "lowering_apart"

    @property
    def lowering_class(self) -> Any:
        """Return the class that lowers."""
        return LowerApart


class ApartCompiler(KernelCompiler):
    """The pipeline of kernels with LoweringApart in place of numba's pass."""

    def define_pipelines(self) -> list[Any]:
        """Return the pipeline."""
        (passes,) = super().define_pipelines()
        lowering = [number for number, (each, _) in enumerate(passes.passes) if each is NativeLowering]
        (place,) = lowering
        passes.passes[place] = (LoweringApart, passes.passes[place][1])
        passes.finalize()
        return [passes]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of the hot path; cached, and plain Python under NUMBA_DISABLE_JIT=1."""
    return njit(pipeline_class=KernelCompiler, forceinline=True)(function)


def releasing(function: Callable[..., Any]) -> Any:
    """Compile as `kernel`, to run without the interpreter lock: other threads work meanwhile."""
    return njit(pipeline_class=KernelCompiler, nogil=True)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile as `kernel`, always into its callers: for a step of one hot function, or a small one."""
    return njit(pipeline_class=KernelCompiler, forceinline=True)(function)


def apart(function: Callable[..., Any]) -> Any:
    """Compile as `kernel`, never into its callers: for what comes seldom.

    LLVM puts whatever a hot function calls into it, and the more there is, the fewer of its registers
    are left to what comes often (docs/decisions/0044).
    """
    return njit(pipeline_class=ApartCompiler, forceinline=False)(function)


def bind(
    function: Callable[..., Any],
    name: str,
    names: dict[str, Any],
    decorator: Callable[[Callable[..., Any]], Any] = kernel,
) -> Any:
    """Compile a copy of a function, under a name of its own, in which `names` stand for globals.

    numba freezes globals when it compiles, and its cache knows a copy by its name. (A closure
    would be compiled anew in each process.)
    """
    copy = FunctionType(function.__code__, {**function.__globals__, **names}, name)
    copy.__qualname__ = name
    return decorator(copy)
