"""A tiny application with records of its own: proof that the runtime needs no exchange to run.

It answers a command with `count` events (one at least), adds `mark` to an account's total and marks
version word 3 as written. An account beyond its capacity is refused. What beside kernels an application
may have is in echo_history.py (rows) and echo_tools.py (the command line). (Not in conftest: pytest
rewrites asserts there, numba cannot.)
"""

from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.batches import BURST_EVENTS
from engine.contract.records import Operation, copy_by_name, entry_dtype
from ringbuf.kernel_cache import hash_of
from ringbuf.njit import njit
from ringbuf.seqlock import open_version
from tests.engine.runtime.echo_history import ADDED, EchoProjection

NAME = f"echo_{hash_of([Path(__file__).resolve()])}"
"""The loop bound to it is cached under this name, below a key that knows Pinion's own kernels alone."""
OUT = 8192 + BURST_EVENTS
ADD = 2
"""The one operation of its own."""
TICK = int(Operation.TICK)
QUARANTINED = int(Operation.QUARANTINED)
POISON = 666
"""A command of this session kills the worker."""
LAST = 1
REFUSED = 2
"""Kind of the events of a command that changed no total; that of a command which adds nothing is 0."""
ACCOUNTS = 8
"""The capacity, where nobody asks for another."""
COMMAND = np.dtype(
    [
        ("gw_ts", "<i8"),
        ("req_seq", "<i8"),
        ("mark", "<i8"),
        ("count", "<i8"),
        ("account", "<i8"),
        ("value", "<i8"),
        ("session", "<i4"),
        ("op", "<i1"),
        ("version", "<i1"),
        ("roles", "<i1"),
        ("pad", "<i1"),
        ("reserved", "<i8", (17,)),
    ]
)
assert COMMAND.itemsize == 192
ENTRY = entry_dtype(COMMAND)
EVENT = np.dtype(
    [
        ("event_idx", "<i8"),
        ("seq", "<i8"),
        ("eng_ts", "<i8"),
        ("req_seq", "<i8"),
        ("account", "<i8"),
        ("total", "<i8"),
        ("place", "<i8"),
        ("session", "<i4"),
        ("kind", "<i1"),
        ("op", "<i1"),
        ("flags", "<i1"),
        ("ring", "<i1"),
        ("reserved", "<i8", (8,)),
    ]
)
assert EVENT.itemsize == 128


def state_dtype(accounts: int) -> np.dtype[np.void]:
    """Return the state that has room for so many accounts."""
    return np.dtype(
        [
            ("seq", "<i8"),
            ("eng_ts", "<i8"),
            ("event_count", "<i8"),
            ("event_hash", "<i8"),
            ("opened_count", "<i8"),
            ("out_count", "<i8"),
            ("version", "<i8", (8,)),
            ("opened", "<i8", (8,)),
            ("totals", "<i8", (accounts,)),
            ("accounts_used", "<i8"),
            ("ticks", "<i8"),
            ("due", "<i8"),
            ("out", EVENT, (OUT,)),
        ]
    )


STATE = state_dtype(ACCOUNTS)


@njit
def echo(s: Any, command: Any, seq: int, eng_ts: int, ring: int) -> int:
    """Answer a command with events that name it."""
    assert seq == s.seq + 1
    s.seq = seq
    s.eng_ts = eng_ts
    assert command["session"] != POISON or command["op"] == QUARANTINED
    if command["op"] == TICK:
        s.ticks += 1
        return 0
    open_version(s.version, 3, seq)
    s.opened[0] = 3
    s.opened_count = 1
    account = command["account"]
    kind = 0
    if command["op"] == QUARANTINED or account < 0 or account >= len(s.totals):
        kind = REFUSED
    elif command["op"] == ADD:
        kind = ADDED
        s.totals[account] += command["mark"]
        s.accounts_used = max(s.accounts_used, account + 1)
    count = max(1, command["count"])
    for i in range(count):
        event = s.out[s.out_count]
        s.out_count += 1
        event["seq"] = seq
        event["eng_ts"] = eng_ts
        event["ring"] = ring
        event["account"] = account
        event["total"] = 0 if kind == REFUSED else s.totals[account]
        event["kind"] = kind
        event["op"] = command["op"]
        event["req_seq"] = command["req_seq"]
        event["place"] = i
        event["flags"] = LAST if i == count - 1 else 0
        s.event_hash = s.event_hash * 31 + seq + i
    s.event_count += count
    return count


@njit
def echo_prepare(s: Any, command: Any, stage: int, place: int) -> None:
    """Have nothing to bring into the cache."""


@njit
def echo_due(s: Any) -> int:
    """Return when the next timer falls due; 0 in the state means never."""
    return s.due if s.due != 0 else 2**63 - 1


COMPARED = ("seq", "eng_ts", "event_count", "event_hash", "totals", "accounts_used", "ticks")


def digest(state: Any) -> str:
    """Return what two engines must agree on."""
    return str([state[0][name].tolist() for name in COMPARED])


def first_difference(found: Any, expected: Any) -> str:
    """Return the first field in which two states differ, empty where there is none."""
    return next((name for name in COMPARED if (found[0][name] != expected[0][name]).any()), "")


def convert(old: Any, new: Any) -> None:
    """Bring `new`, all zeros and of another number of accounts, to the state that `old` is in."""
    assert not copy_by_name(old, new, ("out", "out_count"))


def application(accounts: int = ACCOUNTS) -> Application:
    """Return what the runtime takes."""
    return Application(
        name=NAME,
        command_dtype=COMMAND,
        event_dtype=EVENT,
        command_version=1,
        state_dtype=state_dtype(accounts),
        capacities=f"accounts={accounts}",
        apply=echo,
        prepare=echo_prepare,
        next_due=echo_due,
        refusal=lambda event: "REFUSED" if event["kind"] == REFUSED else "",
        digest=digest,
        first_difference=first_difference,
        projection=EchoProjection,
        convert=convert,
    )
