"""Endings of processes in words: for the operator, and from a child to its supervisor."""

import os
import signal

from engine.contract.errors import ToldError
from ringbuf.segment_space import free_bytes

FULL_BYTES = 2**21
"""With less free than a huge page /dev/shm counts as full."""
OUR_FAULT = "a fault of ours or of a library: keep the log and the data folder, tell us"
SENT = "somebody sent it"
LIKELY_CAUSES = {
    "SIGKILL": "by somebody, or by the kernel because memory ran out (`dmesg` tells)",
    "SIGSEGV": OUR_FAULT,
    "SIGABRT": OUR_FAULT,
    "SIGILL": OUR_FAULT,
    "SIGFPE": OUR_FAULT,
    "SIGTERM": SENT,
    "SIGINT": SENT,
    "SIGHUP": SENT,
    "SIGQUIT": SENT,
    "SIGXCPU": "a limit of processor time (`ulimit -t`)",
    "SIGXFSZ": "a limit of file sizes (`ulimit -f`)",
    "SIGSYS": "a system call that a sandbox forbids",
}


class StartError(ToldError):
    """Error of an instance that cannot start, or cannot go on; the text says why and what to do."""


def cause_of(status: int) -> str:
    """Say in words how a process ended, and where a signal killed it why that probably was."""
    if not os.WIFSIGNALED(status):
        return f"exit code {os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    known = {each.value: each.name for each in signal.Signals}
    name = known.get(number, f"signal {number}")
    likely = _why_a_page_was_missing() if number == signal.SIGBUS else LIKELY_CAUSES.get(name, SENT)
    return f"died of {name}: {likely}"


def lacked_memory(status: int) -> bool:
    """Tell whether a process died for want of a page of a mapped file, and not of what it did."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS


def _why_a_page_was_missing() -> str:
    free = free_bytes()
    if free < FULL_BYTES:
        return (
            f"/dev/shm is full ({free:,} bytes free), somebody else filled it; free space there, or take the "
            f"memory at the start with engine.reserve = true"
        )
    return (
        f"a page of a mapped file could not be had; /dev/shm has {free:,} bytes free now: if it was full "
        f"for a moment set engine.reserve = true, else a file of the data folder was cut or its disk fails"
    )
