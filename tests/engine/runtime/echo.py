"""A tiny application with records of its own: proof that the runtime needs no exchange to run.

It answers a command with `count` events (one at least, every third of two slots), adds `mark` to an
account's total and marks version word 3 as written. An account beyond its capacity is refused. What
beside kernels an application may have is in echo_history.py (rows) and echo_tools.py (the command line).
(Not in conftest: pytest rewrites asserts there, numba cannot.)
"""

from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.batches import BURST_SLOTS
from engine.contract.records import Operation, copy_by_name, entry_dtype
from engine.contract.spread import FORM_BITS, IDX_BITS, SLOT_WORDS, Form, Spread
from ringbuf.kernel_cache import hash_of
from ringbuf.njit import njit
from ringbuf.seqlock import open_version
from tests.engine.runtime.echo_history import ADDED, EchoProjection

NAME = f"echo_{hash_of([Path(__file__).resolve()])}"
"""The loop bound to it is cached under this name, below a key that knows Pinion's own kernels alone."""
OUT = 8192 + BURST_SLOTS
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
SHORT, LONG = range(2)
SPREAD = Spread(
    EVENT,
    (
        Form((("eng_ts", "session", "req_seq", "account", "total", "place"),)),
        Form((("eng_ts", "session", "req_seq", "account"), ("total", "place"))),
    ),
)
LONG_EVERY = 3


def slots_of(event_count: int) -> int:
    """Return how many slots the events of a command take."""
    return event_count + event_count // LONG_EVERY


def state_dtype(accounts: int) -> np.dtype[np.void]:
    """Return the state that has room for so many accounts."""
    return np.dtype(
        [
            ("seq", "<i8"),
            ("eng_ts", "<i8"),
            ("event_count", "<i8"),
            ("slot_count", "<i8"),
            ("event_hash", "<i8"),
            ("opened_count", "<i8"),
            ("out_count", "<i8"),
            ("out_hashed", "<i8"),
            ("version", "<i8", (8,)),
            ("opened", "<i8", (8,)),
            ("totals", "<i8", (accounts,)),
            ("accounts_used", "<i8"),
            ("ticks", "<i8"),
            ("due", "<i8"),
            ("out", "<i8", (OUT, SLOT_WORDS)),
        ]
    )


STATE = state_dtype(ACCOUNTS)


@njit
def open_slot(s: Any, seq: int) -> None:
    """Write what every slot has, and zeros behind it."""
    slot = s.out_count
    for word in range(SLOT_WORDS):
        s.out[slot, word] = 0
    s.out[slot, 0] = s.slot_count
    s.out[slot, 1] = seq
    s.out_count += 1
    s.slot_count += 1


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
    total = 0 if kind == REFUSED else s.totals[account]
    op = np.int64(command["op"])
    for i in range(count):
        form = LONG if i % LONG_EVERY == LONG_EVERY - 1 else SHORT
        flags = LAST if i == count - 1 else 0
        slot = s.out_count
        open_slot(s, seq)
        s.out[slot, 2] = s.event_count << IDX_BITS | form << FORM_BITS | form + 1
        s.out[slot, 3] = eng_ts
        s.out[slot, 4] = kind << 32 | op << 40 | flags << 48 | (ring & 0xFF) << 56
        s.out[slot, 5] = command["req_seq"]
        s.out[slot, 6] = account
        if form == LONG:
            open_slot(s, seq)
        words = 2 if form == LONG else 7
        s.out[s.out_count - 1, words] = total
        s.out[s.out_count - 1, words + 1] = i
        s.event_count += 1
    return count


@njit
def echo_prepare(s: Any, command: Any, stage: int, place: int) -> None:
    """Have nothing to bring into the cache."""


@njit
def echo_due(s: Any) -> int:
    """Return when the next timer falls due; 0 in the state means never."""
    return s.due if s.due != 0 else 2**63 - 1


COMPARED = ("seq", "eng_ts", "event_count", "slot_count", "event_hash", "totals", "accounts_used", "ticks")


def digest(state: Any) -> str:
    """Return what two engines must agree on."""
    return str([state[0][name].tolist() for name in COMPARED])


def first_difference(found: Any, expected: Any) -> str:
    """Return the first field in which two states differ, empty where there is none."""
    return next((name for name in COMPARED if (found[0][name] != expected[0][name]).any()), "")


def convert(old: Any, new: Any) -> None:
    """Bring `new`, all zeros and of another number of accounts, to the state that `old` is in."""
    assert not copy_by_name(old, new, ("out", "out_count", "out_hashed"))


def application(accounts: int = ACCOUNTS) -> Application:
    """Return what the runtime takes."""
    return Application(
        name=NAME,
        command_dtype=COMMAND,
        spread=SPREAD,
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
