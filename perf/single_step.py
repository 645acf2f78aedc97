"""Counts the instructions of compiled kernels in another process, one by one, by ptrace.

    tracee      raise MARK, call, raise MARK       tracer   stop, step ... step, stop

Exact and repeatable, whatever else the machine does: what is counted are instructions executed in
memory without a file behind it, where numba puts its code, and in what such code calls of the C
library (memcpy). The interpreter around the call is not counted, nor the kernel's clock page, which
reads again when it is disturbed; an instruction that repeats itself (rep movs) counts once, though
the processor stops at each round. Linux on x86-64 only.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

PTRACE_PEEKUSER, PTRACE_CONT, PTRACE_KILL, PTRACE_SINGLESTEP = 3, 7, 8, 9
RIP_AT = 16 * 8
"""Where struct user_regs_struct of x86-64 holds the instruction pointer."""
COMPILED, LIBRARY, CLOCK, OTHER = range(4)
PAGE_BITS = 12


class TraceError(Exception):
    """The traced process did not do what was expected of it; the text says what."""


class Regions:
    """Which kind of code lies where in a stopped process."""

    def __init__(self, pid: int) -> None:
        self._ranges: list[tuple[int, int, int]] = []
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, _, _, _, *name = line.split(maxsplit=5)
            if "x" in rights:
                begin, end = (int(each, 16) for each in span.split("-"))
                self._ranges.append((begin, end, _kind(name[0] if name else "")))
        self._kind_of_page: dict[int, int] = {}

    def kind(self, address: int) -> int:
        """Return the kind of code at an address; mappings begin and end with pages."""
        page = address >> PAGE_BITS
        kind = self._kind_of_page.get(page)
        if kind is None:
            kind = next((each[2] for each in self._ranges if each[0] <= address < each[1]), OTHER)
            self._kind_of_page[page] = kind
        return kind


def _kind(name: str) -> int:
    if not name or name.startswith("[anon"):
        return COMPILED
    if name == "[vdso]":
        return CLOCK
    return LIBRARY if Path(name).name.startswith(("libc.", "libc-", "libm.", "ld-")) else OTHER


def stretches(pid: int, mark: signal.Signals) -> Iterator[int]:
    """Yield the instructions between every two marks of a child that lets itself be traced.

    Returns when the child has ended with 0; raises TraceError when it ends otherwise.
    """
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise TraceError("counting instructions needs Linux on x86-64")
    libc = ctypes.CDLL(None)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    while _stopped_by(pid) == mark:
        yield _stepped(libc, pid, mark)
        libc.ptrace(PTRACE_CONT, pid, None, None)


def _stopped_by(pid: int) -> int:
    """Wait for the next stop and return its signal, 0 when the child has ended in order."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSTOPPED(status):
        return os.WSTOPSIG(status)
    if status:
        raise TraceError(f"the traced process ended with {os.waitstatus_to_exitcode(status)}")
    return 0


def _stepped(libc: ctypes.CDLL, pid: int, mark: signal.Signals) -> int:
    """Step until the next mark; return the instructions of compiled code and of what it called."""
    ptrace, regions = libc.ptrace, Regions(pid)
    count, is_inside, before = 0, False, -1
    while True:
        ptrace(PTRACE_SINGLESTEP, pid, None, None)
        stop = _stopped_by(pid)
        if stop == mark:
            return count
        if stop != signal.SIGTRAP:
            raise TraceError(f"the traced process was stopped by {signal.Signals(stop).name}")
        at = ptrace(PTRACE_PEEKUSER, pid, RIP_AT, None)
        kind = regions.kind(at)
        if kind == COMPILED:
            is_inside = True
        elif kind == OTHER:
            is_inside = False
        if is_inside and kind != CLOCK and at != before:
            count += 1
        before = at
